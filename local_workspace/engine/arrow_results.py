"""How rows come from an engine in the same process: with one request, as they are; and without one when they are here.

pyspark-client 4.2 asks for the schema first, and then for the rows, which come with their schema: everything is planned
twice. Its `collect` takes the schema of the answer, and so does `DataFrame.toArrow` here.
"""

import json
from typing import Any

import pyarrow as pa
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.plan import LocalRelation
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

UNCOMPRESSED = [("grpc.compression_enabled_algorithms_bitset", 1)]
"""The channel's option that only the first algorithm, none, is offered: else the engine compresses every answer."""


def fetch_rows_with_schema() -> None:
    """For every DataFrame of this process."""
    DataFrame.toArrow = _to_arrow


class AtHand(DataFrame):  # type: ignore[misc]
    """Rows that came from here. Who collects them as they are gets them; only what is made of them is computed."""

    @classmethod
    def of(cls, frame: Any) -> Any:
        """The frame of `createDataFrame`; as it is when it has no rows."""
        plan = frame._plan
        return cls(plan, frame._session) if isinstance(plan, LocalRelation) and plan._table is not None else frame

    def _to_table(self) -> tuple[pa.Table, StructType | None]:
        return self._plan._table, StructType.fromJson(json.loads(self._plan._schema)) if self._plan._schema else None


def _to_arrow(frame: Any) -> pa.Table:
    rows, schema = frame._to_table()
    return rows.cast(
        to_arrow_schema(schema or frame.schema, error_on_duplicated_field_names_in_struct=True, timezone="UTC")
    )
