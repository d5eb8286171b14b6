"""Silver: typed and conformed records, one per key, each judged by named rules; what breaks one waits in quarantine.

The latest valid version of a key is in silver; its newest version is in quarantine when that one is invalid. Each table
is one commit, and what has to be done is found by comparing tables, so a run that died is completed by the next one.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion import pending, quality
from medallion.conform import judged, newest_first, typed
from medallion.lake import Lake
from medallion.progress import Progress
from medallion.quarantine import QUARANTINE, Verdicts, rejected_rows, update
from medallion.references import with_references
from medallion.result import Result
from medallion.rules import checked
from medallion.run import Run
from medallion.schemas import CLAIMS, DIMENSIONS, ENTITIES, POLICIES, Entity
from medallion.terms import TERM_COLUMNS, with_terms

HISTORY = "silver.policies_history"
TABLES = (*(f"silver.{entity.table}" for entity in DIMENSIONS), HISTORY, "silver.claims", QUARANTINE, quality.TABLE)
_KEPT = ("_warnings", "_content_hash", "_source_file", "_landed_at")
_ROW_STATE = ("_content_hash", "_refs_hash", *TERM_COLUMNS)


class Silver:
    """One run of the layer."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = Lake(run)
        self._progress = Progress(run, TABLES)
        self._verdicts: list[Verdicts] = []
        self._result = Result("silver")

    def run(self) -> Result:
        self._lake.ensure_schema("silver")
        self._lake.track(TABLES)
        for entity in DIMENSIONS:
            self._progress.at(f"silver.{entity.table}")
            self._dimension(entity)
        self._progress.at("silver.claims")
        self._claims()
        self._progress.at(QUARANTINE)
        update(self._lake, self._verdicts)
        self._progress.at(quality.TABLE)
        self._result.tables = self._lake.finish()
        self._report()
        self._progress.finished()
        if self._progress.failure:
            self._result.warnings.append(self._progress.failure)
        return self._result

    def _dimension(self, entity: Entity) -> None:
        table = f"silver.{entity.table}"
        is_history = entity is POLICIES
        keys = None
        if self._lake.exists(table) and (not is_history or self._lake.exists(HISTORY)):
            keys = pending.keys_to_judge(self._run, self._lake, entity, every_version=is_history)
            if keys.isEmpty():
                return
        rows = judged(checked(self._versions(entity, keys), entity.table, self._run.as_of))
        good = rows.where("_good").select(*entity.columns, *_KEPT, self._stamp())
        self._verdicts.append(Verdicts(entity.table, keys, rejected_rows(rows, entity.table, self._run.batch_id)))
        if is_history:
            self._progress.at(HISTORY)
            self._write(HISTORY, self._history(rows), ["policy_id", "valid_from"], ["valid_to", "_content_hash"])
        self._write(table, good, [entity.key], ["_content_hash"])

    def _versions(self, entity: Entity, keys: DataFrame | None) -> DataFrame:
        """All versions of the keys, typed."""
        raw = pending.bronze(self._run, self._lake, entity)
        if keys is not None:
            raw = pending.keyed(raw, entity).join(keys, "_key", "left_semi")
        return typed(raw, entity)

    def _history(self, rows: DataFrame) -> DataFrame:
        """Every valid version of a policy with the time it counted from and to; the current one has no end."""
        valid_from = F.coalesce("updated_at", "_landed_at")
        same_start = Window.partitionBy("policy_id", "valid_from").orderBy(*newest_first())
        versions = rows.where("size(_rejects) = 0").withColumn("valid_from", valid_from)
        versions = versions.withColumn("_n", F.row_number().over(same_start)).where("_n = 1")
        valid_to = F.lead("valid_from").over(Window.partitionBy("policy_id").orderBy("valid_from"))
        return versions.select(*POLICIES.columns, "valid_from", valid_to.alias("valid_to"), *_KEPT, self._stamp())

    def _claims(self) -> None:
        keys = self._claim_keys()
        rows = with_references(self._versions(CLAIMS, keys), self._lake)
        rows = judged(checked(rows, "claims", self._run.as_of))
        self._verdicts.append(Verdicts("claims", keys, rejected_rows(rows, "claims", self._run.batch_id)))
        good = rows.where("_good")
        if not self._lake.exists("silver.claims"):
            self._lake.append("silver.claims", self._shaped(with_terms(good)))
            return
        fresh = self._changed(good, "silver.claims", [CLAIMS.key], ["_content_hash", "_refs_hash"])
        if not fresh.isEmpty():
            whole = with_terms(self._with_neighbours(fresh))
            self._write("silver.claims", self._shaped(whole), [CLAIMS.key], ["_row_hash"])

    def _claim_keys(self) -> DataFrame | None:
        """Claims to judge; None for all of them."""
        if not self._lake.exists("silver.claims"):
            if self._run.claim_ids is None:
                return None
            raw = pending.keyed(pending.bronze(self._run, self._lake, CLAIMS), CLAIMS)
            return pending.only_chosen(self._run, raw.select("_key").distinct(), "_key")
        keys = pending.keys_to_judge(self._run, self._lake, CLAIMS)
        return pending.only_chosen(self._run, keys.unionAll(pending.stale_claims(self._lake)).distinct(), "_key")

    def _with_neighbours(self, fresh: DataFrame) -> DataFrame:
        """The fresh claims with all other claims of their policies, new and old: they share deductible and limit."""
        held = self._lake.read("silver.claims")
        touched = fresh.select("policy_id").unionAll(
            held.join(fresh.select("claim_id"), "claim_id", "left_semi").select("policy_id")
        )
        others = held.join(touched.distinct(), "policy_id", "left_semi").join(fresh, "claim_id", "left_anti")
        base = others.select(*CLAIMS.columns, *_KEPT, F.col("_refs_hash").alias("_judged_on"))
        others = with_references(base, self._lake).withColumn("_refs_hash", F.col("_judged_on")).drop("_judged_on")
        return fresh.select(*others.columns).unionByName(others)

    def _shaped(self, claims: DataFrame) -> DataFrame:
        state = [F.coalesce(F.col(name).cast("string"), F.lit("")) for name in _ROW_STATE]
        row_hash = F.md5(F.concat_ws("|", *state)).alias("_row_hash")
        return claims.select(*CLAIMS.columns, *TERM_COLUMNS, *_KEPT, "_refs_hash", row_hash, self._stamp())

    def _changed(self, rows: DataFrame, table: str, keys: list[str], state: list[str]) -> DataFrame:
        """Rows that the table does not hold in this state; null equals null."""
        held = self._lake.read(table).select(*keys, _state_of(state).alias("_state"))
        rows = rows.withColumn("_state", _state_of(state))
        return rows.join(held, [*keys, "_state"], "left_anti").drop("_state")

    def _write(self, table: str, rows: DataFrame, keys: list[str], state: list[str]) -> None:
        if not self._lake.exists(table):
            self._lake.append(table, rows)
            return
        changed = self._changed(rows, table, keys, state)
        if not changed.isEmpty():
            self._lake.merge(table, changed, keys)

    def _stamp(self) -> Column:
        return F.lit(self._run.batch_id).alias("_run_id")

    def _report(self) -> None:
        """Counts and rule results of what this run wrote; fails when too large a share of the claims was refused."""
        summary = quality.summarise(self._run, self._lake)
        quality.store(self._run, self._lake, summary)
        tables = self._lake.results
        for entity in ENTITIES:
            table, quarantined = tables[f"silver.{entity.table}"], summary.quarantined.get(entity.table, 0)
            table.rows_quarantined = quarantined
            table.rows_in = table.rows_out + quarantined
            self._result.rows_in += table.rows_in
            self._result.rows_out += table.rows_out
            self._result.rows_quarantined += quarantined
        self._result.quality = summary.broken()
        bronze = pending.bronze(self._run, self._lake, CLAIMS)
        self._result.unknown_claim_ids = pending.unknown_claim_ids(self._run, bronze.select("claim_id"))
        if self._result.rows_quarantined:
            self._result.warnings.append(f"{self._result.rows_quarantined} rows were put into quarantine")


def _state_of(columns: list[str]) -> Column:
    return F.concat_ws("|", *[F.coalesce(F.col(column).cast("string"), F.lit("")) for column in columns])


def run_silver(run: Run) -> Result:
    """Bring silver up to date with bronze. Repeating it changes nothing."""
    return Silver(run).run()
