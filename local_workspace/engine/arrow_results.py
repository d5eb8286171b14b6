"""How rows come from an engine in the same process: with one request, and as they are.

pyspark-client 4.2 asks for the schema first, and then for the rows, which come with their schema: everything is planned
twice. Its `collect` takes the schema of the answer, and so does `DataFrame.toArrow` here.
"""

from typing import Any

import pyarrow as pa
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

UNCOMPRESSED = [("grpc.compression_enabled_algorithms_bitset", 1)]
"""The channel's option that only the first algorithm, none, is offered: else the engine compresses every answer."""


def fetch_rows_with_schema() -> None:
    """For every DataFrame of this process."""
    DataFrame.toArrow = _to_arrow


def _to_arrow(frame: Any) -> pa.Table:
    rows, schema = frame._to_table()
    return rows.cast(
        to_arrow_schema(schema or frame.schema, error_on_duplicated_field_names_in_struct=True, timezone="UTC")
    )
