"""Few rows travel through the driver: a plan with them in it is planned and read in a fraction of the time."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from medallion.run import Run

FEW = 20_000
"""Up to so many rows are few."""
KEYS = 200_000
"""So many bare keys still travel, some 4 MB of them."""


def as_arrow(rows: DataFrame) -> pa.Table | None:
    """The rows as an Arrow table, computed once; None when there are many."""
    held = rows.limit(FEW + 1).toArrow()
    return held if held.num_rows <= FEW else None


def computed(run: Run, rows: DataFrame) -> DataFrame:
    """The rows as they are now, computed once, when they are few; else as they were given."""
    held = as_arrow(rows)
    return rows if held is None else frame(run, held)


def frame(run: Run, rows: pa.Table) -> DataFrame:
    """The Arrow table as a DataFrame, also when it has no rows."""
    if rows.num_rows:
        return run.spark.createDataFrame(rows)
    return run.spark.createDataFrame([], from_arrow_schema(rows.schema))


def column(run: Run, name: str, texts: Iterable[str]) -> DataFrame:
    """One column of texts, sorted and each once."""
    schema = StructType([StructField(name, StringType())])
    return run.spark.createDataFrame([(text,) for text in sorted(set(texts))], schema)


@dataclass(frozen=True, slots=True)
class Keys:
    """Distinct rows of text columns, held as they were when asked for unless there are more than KEYS; and whether they
    are `few`, at most FEW.

    Those that are not held are computed again wherever they are joined, and an engine that cannot tell how many they
    are holds the other side of the join.
    """

    rows: DataFrame
    few: bool

    @staticmethod
    def of(run: Run, rows: DataFrame, *columns: str) -> "Keys | None":
        """The distinct rows as they are now; None when there are none."""
        # Not distinct before the limit: Sail 0.7.2 plans that pair wrongly over a union.
        held = rows.select(*columns).limit(KEYS + 1).toArrow()
        if not held.num_rows:
            return None
        if held.num_rows > KEYS:
            return Keys(rows.select(*columns).distinct(), False)
        distinct = held.group_by(list(columns)).aggregate([])
        return Keys(run.spark.createDataFrame(distinct), distinct.num_rows <= FEW)
