"""From raw text to types, and from versions of a row to the one that counts."""

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


def newest_first() -> list[Column]:
    """Which version of a row wins: the last updated, among equals the last landed."""
    order = ("updated_at", "_landed_at", "_source_file", "_line")
    return [F.col(column).desc_nulls_last() for column in order]


def judged(rows: DataFrame) -> DataFrame:
    """Add `_newest` (the last version of its key) and `_good` (the last version without a reject).

    A row that is not `_good` is superseded, or waits in quarantine when it is `_newest`.
    """
    versions = Window.partitionBy("_key").orderBy(*newest_first())
    running = versions.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    accepted = F.size("_rejects") == 0
    return rows.withColumns(
        {
            "_newest": F.row_number().over(versions) == 1,
            "_good": accepted & (F.sum(accepted.cast("int")).over(running) == 1),
        }
    )
