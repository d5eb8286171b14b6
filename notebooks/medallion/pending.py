"""Which keys silver has to look at again: everything else stays untouched."""

from collections.abc import Callable
from typing import Literal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion import few
from medallion.conform import filled, newest_first, place, since
from medallion.few import Keys
from medallion.lake import Lake
from medallion.quarantine import QUARANTINE
from medallion.references import refs_hash, with_reference_hashes
from medallion.rules import dated_rules
from medallion.run import Run
from medallion.schemas import CLAIMS, LINEAGE, Entity

Refused = Literal["all", "dated", "none"]
"""Which rows in quarantine are judged again: all, those that a later day may let pass, or none, where nothing has
changed that their verdicts depend on."""


def bronze_rows(run: Run, lake: Lake, entity: Entity) -> DataFrame:
    """The raw rows of a table; none when nothing of it has landed yet.

    A table of older code lacks columns, or got them later: what landed before lies in the rescue column.
    """
    table = f"bronze.{entity.table}"
    if lake.exists(table):
        rows, columns = lake.read(table), lake.columns(table)
        first = columns[: columns.index(LINEAGE[0])]
        late = [name for name in entity.columns if name not in first]
        return rows.withColumns({name: _late(name, name in columns) for name in late}) if late else rows
    kinds = {"_line": "int", "_landed_at": "timestamp", "_ingested_at": "timestamp"}
    columns = [f"{name} {kinds.get(name, 'string')}" for name in (*entity.columns, *LINEAGE)]
    return run.spark.createDataFrame([], ", ".join(columns))


def _late(name: str, has_column: bool) -> Column:
    rescued = F.get_json_object("_rescued", f"$.{name}")
    return F.coalesce(F.col(name), rescued) if has_column else rescued


def keyed(rows: DataFrame, entity: Entity) -> DataFrame:
    """Raw rows with `_key`: the entity's key, or the place of a row that has none."""
    return rows.withColumn("_key", F.coalesce(filled(entity.key), F.concat_ws("#", "_source_file", "_line")))


def keys_to_judge(
    run: Run,
    lake: Lake,
    entity: Entity,
    landed: DataFrame | None = None,
    *,
    every_version: bool = False,
    refused: Refused = "all",
) -> DataFrame:
    """`_key` of rows whose newest version is neither in silver nor in quarantine, and of the `refused` in quarantine.

    Where it is known which raw rows have `landed` since silver held all, it is the keys of these. Where it is not, all
    of quarantine: once silver holds a version, only quarantine tells that it was pending.
    `every_version`: a version that silver does not hold counts even when it is not the newest (for histories).
    """
    quarantined = _quarantined(lake, entity)
    if landed is not None:
        keys = keyed(landed, entity).select("_key")
    else:
        raw = keyed(bronze_rows(run, lake, entity), entity)
        keys = _unheld_versions(raw, lake, entity) if every_version else _unheld(raw, lake, entity, quarantined)
        refused = "all"
    if quarantined is None or refused == "none":
        return keys
    if refused == "dated":
        quarantined = quarantined.where(F.arrays_overlap("_rejects", F.array(*map(F.lit, dated_rules(entity.table)))))
    return keys.unionAll(quarantined.select("_key"))


def _unheld(raw: DataFrame, lake: Lake, entity: Entity, quarantined: DataFrame | None) -> DataFrame:
    held = lake.read(f"silver.{entity.table}").select(F.col(entity.key).alias("_key"), "_content_hash")
    if quarantined is not None:
        held = held.unionAll(quarantined.select("_key", "_content_hash"))
    unheld = raw.select("_key", "_content_hash").join(held, ["_key", "_content_hash"], "left_anti")
    candidates = raw.join(unheld.select("_key").distinct(), "_key", "left_semi")
    return _newest(candidates).join(held, ["_key", "_content_hash"], "left_anti").select("_key")


def _unheld_versions(raw: DataFrame, lake: Lake, entity: Entity) -> DataFrame:
    """A row without a time of its own is another version each time it lands, even with the same content."""
    held = lake.read(f"silver.{entity.table}_history")
    held = held.select(F.col(entity.key).alias("_key"), "_content_hash", F.col("valid_from").alias("_since"))
    versions = raw.select("_key", "_content_hash", since().alias("_since"))
    return versions.join(held, ["_key", "_content_hash", "_since"], "left_anti").select("_key")


def _quarantined(lake: Lake, entity: Entity) -> DataFrame | None:
    if not lake.exists(QUARANTINE):
        return None
    rejected = lake.read(QUARANTINE).where(F.col("table_name") == entity.table)
    return rejected.select(F.col("key").alias("_key"), "_content_hash", "_rejects")


def repeated(run: Run, raw: DataFrame) -> Keys | None:
    """Keys that have several versions in `raw`."""
    return Keys.of(run, raw.groupBy("_key").agg(F.count("*").alias("_n")).where("_n > 1"), "_key")


def stale_claims(lake: Lake) -> DataFrame:
    """`_key` of claims in silver whose policy, pet, customer or provider has changed since they were judged."""
    held = lake.read("silver.claims").select(
        "claim_id", "policy_id", "pet_id", "customer_id", "provider_id", F.col("_refs_hash").alias("_judged_on")
    )
    now = with_reference_hashes(held, lake)
    return now.where(refs_hash() != F.col("_judged_on")).select(F.col("claim_id").alias("_key"))


def only_chosen(run: Run, rows: DataFrame, column: str) -> DataFrame:
    """Rows of the run's chosen claims; all rows when none were chosen."""
    if run.claim_ids is None:
        return rows
    return rows.join(F.broadcast(few.column(run, column, run.claim_ids)), column, "left_semi")


def landed_claim_ids(run: Run, lake: Lake) -> DataFrame:
    """The claims that bronze holds, in `claim_id`, as silver names them."""
    return bronze_rows(run, lake, CLAIMS).select(filled("claim_id").alias("claim_id"))


def unknown_claim_ids(run: Run, known: Callable[[], DataFrame]) -> list[str]:
    """Chosen claims that the column `claim_id` of `known` lacks, which is asked for when some were chosen."""
    if run.claim_ids is None:
        return []
    missing = few.column(run, "claim_id", run.claim_ids).join(known(), "claim_id", "left_anti").collect()
    return sorted(row[0] for row in missing)


def _newest(raw: DataFrame) -> DataFrame:
    versions = raw.select("_key", "_content_hash", since().alias("_since"), place().alias("_place"))
    order = Window.partitionBy("_key").orderBy(*newest_first())
    return versions.withColumn("_n", F.row_number().over(order)).where("_n = 1").select("_key", "_content_hash")
