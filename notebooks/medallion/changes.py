"""Which customers a run has to look at again: those of rows that differ from what the last run has worked with."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion import release
from medallion.few import FEW
from medallion.lake import Lake
from medallion.standing import Standing

_MADE_OF = {
    release.TABLE: ("claim_id", "_row_hash"),
    "silver.policies": ("policy_id", "_content_hash"),
    "silver.pets": ("pet_id", "_content_hash"),
    "silver.customers": ("customer_id", "_content_hash"),
}
"""What a customer's figures are made of, with each table's key and the column that changes with the row."""
_MADE = ("gold.customer_360", "gold.cross_sell")


def changed_customers(lake: Lake, standing: Standing, moved: frozenset[str] | None) -> list[str] | None:
    """Ids of the customers whose figures may have changed; None when all have to be looked at.

    `moved` are those whose claims have changed, when it is known. It is to be asked before their tables are written. A
    version that cannot be read any more means all.
    """
    if standing.days_since != 0 or not standing.is_unchanged(*_MADE):
        return None
    parts = []
    for table in _MADE_OF:
        if table == release.TABLE and moved is not None:
            continue
        kept, now = standing.kept(table), lake.commit(table)
        if kept == now:
            continue
        if kept is None or now.version <= kept.version:
            return None
        parts.append(_changed(lake, table, kept.version))
    ids = _few_ids(reduce(DataFrame.unionAll, parts)) if parts else []
    return None if ids is None else sorted({*ids, *(moved or ())})


def _changed(lake: Lake, table: str, version: int) -> DataFrame:
    """`customer_id` of rows that came, changed or went since the version; with the old and the new owner of a row."""
    columns = list(dict.fromkeys([*_MADE_OF[table], "customer_id"]))
    now, before = lake.read(table).select(*columns), lake.read_version(table, version).select(*columns)
    came, went = now.join(before, columns, "left_anti"), before.join(now, columns, "left_anti")
    return came.select("customer_id").unionAll(went.select("customer_id"))


def _few_ids(rows: DataFrame) -> list[str] | None:
    try:
        held = rows.where(F.col("customer_id").isNotNull()).limit(FEW + 1).collect()
    except Exception:  # noqa: BLE001 - each engine has its own error for a version that was cleaned up
        return None
    return sorted({row[0] for row in held}) if len(held) <= FEW else None
