"""Silver: typed and conformed records, one per key, each judged by named rules; what breaks one waits in quarantine.

The latest valid version of a key is in silver; its newest version is in quarantine when that one is invalid. Each table
is one commit, and what has to be done is found by comparing tables, so a run that died is completed by the next one.
"""

from functools import partial

from pyspark.sql import DataFrame

from medallion import few, gate, pending, quality
from medallion.anew import Anew
from medallion.conform import Judged
from medallion.few import Keys
from medallion.judging import Judging
from medallion.lake import Lake
from medallion.parallel import at_once
from medallion.progress import Progress
from medallion.quarantine import QUARANTINE, Verdicts, update
from medallion.records import HISTORY, KEPT, claim_rows, current_policies, history_rows, record_rows, state_of
from medallion.references import REFERENCE_COLUMNS, with_references
from medallion.result import Result
from medallion.run import Run
from medallion.schemas import CLAIMS, CUSTOMERS, ENTITIES, PETS, POLICIES, VET_PROVIDERS, Entity
from medallion.standing import Standing

TABLES = (
    *("silver.customers", "silver.pets", HISTORY, "silver.policies", "silver.vet_providers"),
    *("silver.claims", QUARANTINE, quality.TABLE),
)
"""In the order in which they are written."""
_REFERRED_TO = ("silver.customers", "silver.pets", "silver.policies", "silver.vet_providers")


class Silver:
    """One run of the layer."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = Lake(run)
        self._judging = Judging(run, self._lake)
        self._progress = Progress(run, TABLES)
        self._verdicts: list[Verdicts] = []
        self._result = Result("silver")

    def run(self) -> Result:
        self._lake.ensure_schema("silver")
        self._lake.track(TABLES)
        standing = Standing(self._run, self._lake, "silver", [f"bronze.{entity.table}" for entity in ENTITIES])
        if standing.holds():
            self._result.tables = list(self._lake.results.values())
        else:
            anew = standing.is_of_other_code and any(map(self._lake.exists, TABLES))
            if anew:
                Anew(self._run, self._lake, self._progress).make()
            else:
                self._build(standing)
            self._report(judged_all=anew)
            self._pass_gate(standing)
        self._result.unknown_claim_ids = self._unknown_claim_ids()
        self._progress.finished()
        if self._progress.failure:
            self._result.warnings.append(self._progress.failure)
        return self._result

    def _pass_gate(self, standing: Standing) -> None:
        try:
            gate.check(self._run, self._lake)
        except gate.TooManyRejected:
            standing.keep(nothing_pending=False)
            raise
        standing.keep(nothing_pending=self._run.claim_ids is None)

    def _build(self, standing: Standing) -> None:
        records = partial(self._records, standing)
        at_once(
            [partial(records, CUSTOMERS), partial(self._pets_and_policies, standing), partial(records, VET_PROVIDERS)]
        )
        self._claims(standing)
        self._progress.did("silver.claims")
        update(self._run, self._lake, self._verdicts)
        self._progress.did(QUARANTINE)

    def _pets_and_policies(self, standing: Standing) -> None:
        """In this order: a policy needs its pet."""
        self._records(standing, PETS)
        if not standing.is_unchanged("bronze.policies", HISTORY, "silver.policies", "silver.pets", QUARANTINE):
            self._policies()
        self._progress.did(HISTORY)
        self._progress.did("silver.policies")

    def _records(self, standing: Standing, entity: Entity) -> None:
        table = f"silver.{entity.table}"
        if not self._lake.exists(table):
            self._lake.append(table, record_rows(self._run, entity, self._judging.judged(entity, None)))
            self._look_again(entity)
        elif not standing.is_unchanged(f"bronze.{entity.table}", table, QUARANTINE):
            judged = self._look_again(entity)
            if judged:
                self._write(table, record_rows(self._run, entity, judged), [entity.key], ("_content_hash",))
        self._progress.did(table)

    def _policies(self) -> None:
        """The history first; the current row of each policy is its version without an end."""
        if not self._lake.exists(HISTORY):
            self._lake.append(HISTORY, history_rows(self._run, self._judging.judged(POLICIES, None)))
            self._look_again(POLICIES)
        elif judged := self._look_again(POLICIES):
            versions = history_rows(self._run, judged)
            self._write(HISTORY, versions, ["policy_id", "valid_from"], ("valid_to", "_content_hash"))
        self._write("silver.policies", current_policies(self._run, self._lake), [POLICIES.key], ("_content_hash",))

    def _look_again(self, entity: Entity) -> Judged | None:
        """Judge what is pending and note what the table refuses; None when nothing is pending.

        Pending are also the newest versions that silver does not hold because they are bad, so after a first write
        only those are judged again.
        """
        found = pending.keys_to_judge(self._run, self._lake, entity, every_version=entity is POLICIES)
        keys = Keys.of(self._run, found, "_key")
        return self._note(entity, keys) if keys else None

    def _note(self, entity: Entity, keys: Keys) -> Judged:
        judged = self._judging.judged(entity, keys)
        self._verdicts.append(Verdicts(entity.table, keys.rows, self._judging.rejected(entity, judged)))
        return judged

    def _claims(self, standing: Standing) -> None:
        is_new = not self._lake.exists("silver.claims")
        if is_new:
            good = self._judging.judged(CLAIMS, self._chosen_claims()).rows.where("_good")
            self._lake.append("silver.claims", claim_rows(self._run, good))
        settled = standing.was_complete and standing.is_unchanged(*_REFERRED_TO, QUARANTINE)
        keys = Keys.of(self._run, self._claim_keys(only_new=settled, stale=not is_new and not settled), "_key")
        if keys:
            judged = self._note(CLAIMS, keys)
            if not is_new:
                good = judged.rows.where("_good")
                self._merge_claims(self._changed(good, "silver.claims", [CLAIMS.key], ("_content_hash", "_refs_hash")))

    def _merge_claims(self, fresh: DataFrame) -> None:
        """Merge new claims together with the claims whose deductible and limit they move."""
        fresh = few.computed(self._run, fresh.select(*CLAIMS.columns, *KEPT, *REFERENCE_COLUMNS))
        ids = Keys.of(self._run, fresh, "claim_id", "policy_id")
        if ids:
            whole = claim_rows(self._run, self._with_neighbours(fresh, ids.rows))
            self._write("silver.claims", whole, [CLAIMS.key], ("_row_hash",))

    def _chosen_claims(self) -> Keys | None:
        """The chosen claims, or None for all."""
        if self._run.claim_ids is None:
            return None
        chosen = [(claim_id,) for claim_id in sorted(self._run.claim_ids)]
        return Keys(self._run.spark.createDataFrame(chosen, "_key string"), True)

    def _claim_keys(self, *, only_new: bool, stale: bool) -> DataFrame:
        """Claims to judge: pending, in quarantine, and the stale ones: judged on references that have changed since."""
        keys = pending.keys_to_judge(self._run, self._lake, CLAIMS, refused=not only_new)
        if stale:
            keys = keys.unionAll(pending.stale_claims(self._lake))
        return pending.only_chosen(self._run, keys, "_key")

    def _with_neighbours(self, fresh: DataFrame, ids: DataFrame) -> DataFrame:
        """The fresh claims with all other claims of their policies, new and old: they share deductible and limit."""
        held = self._lake.read("silver.claims")
        moved = held.join(ids.select("claim_id"), "claim_id", "left_semi").select("policy_id")
        touched = ids.select("policy_id").unionAll(moved).distinct()
        others = held.join(touched, "policy_id", "left_semi").join(ids.select("claim_id"), "claim_id", "left_anti")
        base = few.computed(self._run, others.select(*CLAIMS.columns, *KEPT, "_refs_hash"))
        base = base.withColumnRenamed("_refs_hash", "_judged_on")
        columns = (*CLAIMS.columns, *KEPT, *REFERENCE_COLUMNS)
        others = with_references(base, self._lake).drop("_refs_hash").withColumnRenamed("_judged_on", "_refs_hash")
        return fresh.select(*columns).unionAll(others.select(*columns))

    def _changed(self, rows: DataFrame, table: str, keys: list[str], state: tuple[str, ...]) -> DataFrame:
        """Rows that the table does not hold in this state; null equals null."""
        held = self._lake.read(table).select(*keys, state_of(state).alias("_state"))
        rows = rows.withColumn("_state", state_of(state))
        return rows.join(held, [*keys, "_state"], "left_anti").drop("_state")

    def _write(self, table: str, rows: DataFrame, keys: list[str], state: tuple[str, ...]) -> None:
        if not self._lake.exists(table):
            self._lake.append(table, rows)
            return
        self._lake.merge(table, self._changed(rows, table, keys, state), keys)

    def _report(self, *, judged_all: bool) -> None:
        """Counts and rule results of what this run wrote."""
        summary = quality.summarise(self._run, self._lake)
        judged = quality.summarise(self._run, self._lake, judged_all=True) if judged_all else summary
        quality.store(self._run, self._lake, judged)
        self._result.tables = self._lake.finish()
        tables = self._lake.results
        for entity in ENTITIES:
            table, quarantined = tables[f"silver.{entity.table}"], summary.quarantined.get(entity.table, 0)
            table.rows_quarantined = quarantined
            table.rows_in = table.rows_out + quarantined
            self._result.rows_in += table.rows_in
            self._result.rows_out += table.rows_out
            self._result.rows_quarantined += quarantined
        self._result.quality = summary.broken()
        if self._result.rows_quarantined:
            self._result.warnings.append(f"{self._result.rows_quarantined} rows were put into quarantine")

    def _unknown_claim_ids(self) -> list[str]:
        if self._run.claim_ids is None:
            return []
        bronze = pending.bronze_rows(self._run, self._lake, CLAIMS)
        return pending.unknown_claim_ids(self._run, bronze.select("claim_id"))


def run_silver(run: Run) -> Result:
    """Bring silver up to date with bronze. Repeating it changes nothing.

    Raises: TooManyRejected, after everything is written.
    """
    return Silver(run).run()
