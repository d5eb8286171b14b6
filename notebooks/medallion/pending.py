"""Which keys silver has to look at again: everything else stays untouched."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.conform import filled
from medallion.lake import Lake
from medallion.quarantine import QUARANTINE
from medallion.references import refs_hash, with_reference_hashes
from medallion.run import Run
from medallion.schemas import LINEAGE, Entity


def bronze(run: Run, lake: Lake, entity: Entity) -> DataFrame:
    """The raw rows of a table; none when nothing of it has landed yet."""
    if lake.exists(f"bronze.{entity.table}"):
        return lake.read(f"bronze.{entity.table}")
    kinds = {"_line": "int", "_landed_at": "timestamp"}
    columns = [f"{name} {kinds.get(name, 'string')}" for name in (*entity.columns, *LINEAGE)]
    return run.spark.createDataFrame([], ", ".join(columns))


def keyed(rows: DataFrame, entity: Entity) -> DataFrame:
    """Raw rows with `_key`: the entity's key, or the place of a row that has none."""
    return rows.withColumn("_key", F.coalesce(filled(entity.key), F.concat_ws("#", "_source_file", "_line")))


def keys_to_judge(run: Run, lake: Lake, entity: Entity, *, every_version: bool = False) -> DataFrame:
    """`_key` of rows whose newest version is neither in silver nor in quarantine, and of all rows in quarantine.

    `every_version`: a version that silver does not hold counts even when it is not the newest (for histories).
    """
    raw = keyed(bronze(run, lake, entity), entity)
    held = lake.read(f"silver.{entity.table}_history" if every_version else f"silver.{entity.table}")
    held = held.select(F.col(entity.key).alias("_key"), "_content_hash")
    quarantined = _quarantined(lake, entity)
    if quarantined is not None:
        held = held.unionAll(quarantined)
    unheld = raw.select("_key", "_content_hash").join(held, ["_key", "_content_hash"], "left_anti")
    if not every_version:
        candidates = raw.join(unheld.select("_key").distinct(), "_key", "left_semi")
        unheld = _newest(candidates).join(held, ["_key", "_content_hash"], "left_anti")
    keys = unheld.select("_key")
    return keys if quarantined is None else keys.unionAll(quarantined.select("_key"))


def _quarantined(lake: Lake, entity: Entity) -> DataFrame | None:
    if not lake.exists(QUARANTINE):
        return None
    rejected = lake.read(QUARANTINE).where(F.col("table_name") == entity.table)
    return rejected.select(F.col("key").alias("_key"), "_content_hash")


FEW = 20_000
"""Up to so many keys travel through the driver: a plan with them in it is planned in a fraction of the time."""


def settled(run: Run, keys: DataFrame) -> tuple[DataFrame | None, bool]:
    """The distinct rows of `keys` as they are now, and whether they are few; None when there are none."""
    keys = keys.distinct()
    rows = keys.limit(FEW + 1).collect()
    if not rows:
        return None, True
    if len(rows) > FEW:
        return keys, False
    return run.spark.createDataFrame([tuple(row) for row in rows], _schema_of(keys)), True


def _schema_of(keys: DataFrame) -> str:
    return ", ".join(f"{name} string" for name in keys.columns)


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
    ids = run.spark.createDataFrame([(claim_id,) for claim_id in sorted(run.claim_ids)], f"{column} string")
    return rows.join(F.broadcast(ids), column, "left_semi")


def unknown_claim_ids(run: Run, known: DataFrame) -> list[str]:
    """Chosen claims that are not in the column of `known`."""
    if run.claim_ids is None:
        return []
    column = known.columns[0]
    ids = run.spark.createDataFrame([(claim_id,) for claim_id in sorted(run.claim_ids)], f"{column} string")
    missing = ids.join(known, column, "left_anti").collect()
    return sorted(row[0] for row in missing)


def _newest(raw: DataFrame) -> DataFrame:
    updated_at = F.coalesce(filled("updated_at").try_cast("timestamp"), "_landed_at")
    version = F.struct(updated_at.alias("_at"), "_landed_at", "_source_file", "_line", "_content_hash")
    newest = raw.groupBy("_key").agg(F.max(version).alias("_version"))
    return newest.select("_key", F.col("_version")["_content_hash"].alias("_content_hash"))
