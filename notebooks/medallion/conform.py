"""From raw text to types, and from versions of a row to the one that counts."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.schemas import Entity, Field, Kind

_AMOUNT = r"^[+-]?\d{1,10}(\.\d{1,2})?$"
_DATE = r"^(19\d{2}|[2-9]\d{3})-\d{2}-\d{2}([T ].*)?$"
"""Dates before 1900 are typing mistakes; one of them would earn premium for centuries."""
_WHOLE = r"^[+-]?\d{1,9}$"
_NUMBER = r"^[+-]?\d{1,15}(\.\d{1,15})?$"

SQL_TYPES: dict[Kind, str] = {
    "text": "string",
    "date": "date",
    "timestamp": "timestamp",
    "money": "decimal(12,2)",
    "int": "int",
    "number": "double",
    "flag": "boolean",
}


def typed(raw: DataFrame, entity: Entity) -> DataFrame:
    """The typed columns of `entity`, the raw ones in the struct `_raw`, and `_key`, which every row has.

    A text that does not say a value of its type beyond doubt becomes null: nothing is guessed. Needs `placed` rows.
    """
    lineage = ["_content_hash", "_source_file", "_landed_at", "_corrupt", "_since", "_place"]
    return raw.select(
        *[typed_column(field).alias(field.name) for field in entity.fields],
        F.struct(*[F.col(column) for column in entity.columns]).alias("_raw"),
        *lineage,
        "_key",
    )


def filled(column: str) -> Column:
    """The text without surrounding blanks; null when nothing is left."""
    return F.nullif(F.trim(column), F.lit(""))


def typed_column(field: Field) -> Column:
    """An empty text says no value of any type, so that it needs no test of its own beside that of the type."""
    if field.kind == "text":
        return filled(field.name)
    text = F.trim(field.name)
    if field.kind == "flag":
        return _flag(text)
    if field.kind == "timestamp":
        return text.try_cast("timestamp")
    if field.kind == "date":
        return F.when(text.rlike(_DATE), F.substring(text, 1, 10)).try_cast("date")
    pattern = {"money": _AMOUNT, "int": _WHOLE, "number": _NUMBER}[field.kind]
    return F.when(text.rlike(pattern), text).try_cast(SQL_TYPES[field.kind])


def _flag(text: Column) -> Column:
    word = F.lower(text)
    return F.when(word.isin("true", "t", "yes", "y", "1"), True).when(word.isin("false", "f", "no", "n", "0"), False)


def since() -> Column:
    """When a raw row began to count: when it was last updated; when it landed, where it does not say or cannot be true.

    A row cannot be changed after it landed: a later time is a wrong clock, and would win over every correction.
    """
    updated_at = F.trim("updated_at").try_cast("timestamp")
    possible = updated_at <= F.col("_landed_at") + F.expr("INTERVAL 1 DAY")
    return F.coalesce(F.when(possible, updated_at), "_landed_at")


def place() -> Column:
    return F.struct("_landed_at", "_source_file", "_line")


_PLACE = ("_place._landed_at", "_place._source_file", "_place._line")


def newest_first() -> list[Column]:
    """Which version of a key wins: the last updated, then the last landed. Needs `_since` and `_place`."""
    return [F.desc_nulls_last(F.col(name)) for name in ("_since", *_PLACE)]


def placed(raw: DataFrame, *, several: bool) -> DataFrame:
    """Raw rows that have `_key` with `_since` and `_place`, which order the versions of a key.

    With `several` versions of a key, one that landed more than once says of all its rows where it came from first.
    """
    raw = raw.withColumns({"_since": since(), "_place": place()})
    if not several:
        return raw
    same = Window.partitionBy("_key", "_content_hash").orderBy(*_PLACE)
    first = raw.withColumn("_first", F.first("_place").over(same))
    return first.withColumns({name: F.col("_first")[name] for name in ("_landed_at", "_source_file", "_line")})


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with `_rejects`, `_newest` and `_good`: keys that have one version, and those that may have several."""

    single: DataFrame | None
    several: DataFrame | None

    @property
    def rows(self) -> DataFrame:
        parts = [part for part in (self.single, self.several) if part is not None]
        return parts[0] if len(parts) == 1 else parts[0].unionByName(parts[1])


def judge(evaluate: Callable[[DataFrame], DataFrame], single: DataFrame | None, several: DataFrame | None) -> Judged:
    """Evaluate `placed` rows, and say which version of each key counts.

    `evaluate` adds `_rejects`. `_newest` is the last version of a key, `_good` the last one without a reject: a row
    that is not `_good` is superseded, or goes to quarantine when it is `_newest`. Nearly all keys have one version:
    rows in `single` are known to, and need no sorting.
    """
    if single is not None:
        single = evaluate(single).withColumns({"_newest": F.lit(True), "_good": _accepted()})
    return Judged(single, None if several is None else _ranked(evaluate(several)))


def _accepted() -> Column:
    return F.size("_rejects") == 0


def _ranked(rows: DataFrame) -> DataFrame:
    versions = Window.partitionBy("_key").orderBy(*newest_first())
    running = versions.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_last_accepted = _accepted() & (F.sum(_accepted().cast("int")).over(running) == 1)
    is_newest = F.row_number().over(versions) == 1
    return rows.withColumns({"_newest": is_newest, "_good": is_last_accepted})
