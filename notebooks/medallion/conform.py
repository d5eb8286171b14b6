"""From raw text to types, and from versions of a row to the one that counts."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.schemas import Entity, Field, Kind

_AMOUNT = r"^[+-]?\d{1,10}(\.\d{1,2})?$"
_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"
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

    A text that does not say a value of its type beyond doubt becomes null: nothing is guessed.
    """
    lineage = ["_content_hash", "_source_file", "_line", "_landed_at", "_corrupt", "_rescued"]
    return raw.select(
        *[typed_column(field).alias(field.name) for field in entity.fields],
        F.struct(*[F.col(column) for column in entity.columns]).alias("_raw"),
        *lineage,
        F.coalesce(filled(entity.key), F.concat_ws("#", "_source_file", "_line")).alias("_key"),
    )


def filled(column: str) -> Column:
    """The text without surrounding blanks; null when nothing is left."""
    text = F.trim(column)
    return F.when(text != "", text)


def typed_column(field: Field) -> Column:
    text = filled(field.name)
    if field.kind == "text":
        return text
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


def newest_first(updated_at: str = "updated_at") -> list[Column]:
    """Which version of a row wins: the last updated (a row that does not say: when it landed), then the last landed."""
    order = (F.coalesce(updated_at, "_landed_at"), "_landed_at", "_source_file", "_line")
    return [F.desc_nulls_last(column) for column in order]


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
    """Evaluate raw rows that have `_key`, and say which version of each key counts.

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
