"""The rows of silver's tables, made of judged ones."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.conform import Judged, newest_first
from medallion.joins import kept_after
from medallion.lake import PARTITIONS, Lake
from medallion.run import Run
from medallion.schemas import CLAIMS, POLICIES, Entity
from medallion.terms import TERM_COLUMNS, with_terms

HISTORY = "silver.policies_history"
KEPT = ("_warnings", "_content_hash", "_source_file", "_landed_at")
OWED = ("claim_id", *TERM_COLUMNS, "_row_hash")
"""What a policy promises for a claim, and the hash of the claim's row with it."""
_ROW_STATE = ("_content_hash", "_refs_hash", *TERM_COLUMNS)


def record_rows(run: Run, entity: Entity, judged: Judged) -> DataFrame:
    """Customers, pets or providers: the good rows."""
    return judged.rows.where("_good").select(*entity.columns, *KEPT, _stamp(run))


def history_rows(run: Run, judged: Judged) -> DataFrame:
    """Every valid version of a policy with the time it counted from and to; the current one has no end."""
    parts = []
    if judged.single is not None:
        parts.append(_valid(judged.single).withColumn("valid_to", F.lit(None).cast("timestamp")))
    if judged.several is not None:
        same_start = Window.partitionBy("policy_id", "valid_from").orderBy(*newest_first())
        last = _valid(judged.several).withColumn("_n", F.row_number().over(same_start)).where("_n = 1").drop("_n")
        end = F.lead("valid_from").over(Window.partitionBy("policy_id").orderBy("valid_from"))
        parts.append(last.withColumn("valid_to", end))
    columns = [*POLICIES.columns, "valid_from", "valid_to", *KEPT]
    versions = [part.select(*columns, _stamp(run)) for part in parts]
    return versions[0] if len(versions) == 1 else versions[0].unionAll(versions[1])


def current_policies(run: Run, lake: Lake) -> DataFrame:
    """The version of each policy in the history that has no end."""
    current = lake.read(HISTORY).where("valid_to IS NULL")
    return current.select(*POLICIES.columns, *KEPT, _stamp(run))


def all_claim_rows(run: Run, lake: Lake, judged: Judged) -> DataFrame:
    """The accepted claims of all that are judged, with what their policies promise."""
    return claim_rows(run, lake, with_owed(kept_after("_refs_hash", judged.rows, "_good")))


def with_owed(claims: DataFrame) -> DataFrame:
    """Claims with OWED: what their policies promise. All claims of each policy are needed."""
    return with_terms(claims).withColumn("_row_hash", F.md5(state_of(_ROW_STATE)))


def claim_rows(run: Run, lake: Lake, claims: DataFrame) -> DataFrame:
    """Accepted claims that have OWED."""
    part = lake.part_of("service_date").alias(PARTITIONS["silver.claims"])
    stamps = ("_refs_hash", "_row_hash", _stamp(run), part)
    return claims.select(*CLAIMS.columns, *TERM_COLUMNS, *KEPT, *stamps)


def changed(rows: DataFrame, held: DataFrame, keys: Sequence[str], state: Sequence[str]) -> DataFrame:
    """Rows that `held` does not have in this state; null equals null."""
    held = held.select(*keys, state_of(state).alias("_state"))
    rows = rows.withColumn("_state", state_of(state))
    return rows.join(held, [*keys, "_state"], "left_anti").drop("_state")


def state_of(columns: Sequence[str]) -> Column:
    """The columns as one text; null equals null."""
    return F.concat_ws("|", *[F.coalesce(F.col(column).cast("string"), F.lit("")) for column in columns])


def _valid(versions: DataFrame) -> DataFrame:
    return versions.where("size(_rejects) = 0").withColumn("valid_from", F.col("_since"))


def _stamp(run: Run) -> Column:
    """Every row has one; said so that the column may be null, as all columns of a Delta table may: where Sail 0.7.2 can
    tell that one cannot, each such column doubles the time that it takes to plan a MERGE."""
    return F.when(F.col("_content_hash").isNotNull(), F.lit(run.batch_id)).alias("_run_id")
