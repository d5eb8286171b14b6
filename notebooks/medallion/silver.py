"""Silver: typed and conformed records, one per key, each judged by named rules; what breaks one waits in quarantine.

The latest valid version of a key is in silver; its newest version is in quarantine when that one is invalid. Each table
is one commit, and what has to be done is found by comparing tables, so a run that died is completed by the next one.
"""

from functools import partial

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion import gate, pending, quality, quarantine
from medallion.conform import Judged, judge, newest_first, placed, typed
from medallion.lake import Lake
from medallion.parallel import at_once
from medallion.pending import Keys
from medallion.progress import Progress
from medallion.quarantine import QUARANTINE, Verdicts, rejected_rows, update
from medallion.references import REFERENCE_COLUMNS, with_pet, with_references
from medallion.result import Result
from medallion.rules import checked
from medallion.run import Run
from medallion.schemas import CLAIMS, CUSTOMERS, ENTITIES, PETS, POLICIES, VET_PROVIDERS, Entity
from medallion.standing import Standing
from medallion.terms import TERM_COLUMNS, with_terms

HISTORY = "silver.policies_history"
TABLES = (
    *("silver.customers", "silver.pets", HISTORY, "silver.policies", "silver.vet_providers"),
    *("silver.claims", QUARANTINE, quality.TABLE),
)
"""In the order in which they are written."""
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
        standing = Standing(self._run, self._lake, "silver", [f"bronze.{entity.table}" for entity in ENTITIES])
        if standing.holds():
            self._result.tables = list(self._lake.results.values())
        else:
            anew = standing.is_of_other_code and any(map(self._lake.exists, TABLES))
            (self._make_anew if anew else self._build)()
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

    def _make_anew(self) -> None:
        """The tables as this code makes them of bronze; what they hold already is not written again."""
        rejected = [self._anew(CUSTOMERS), self._anew(PETS), self._policies_anew(), self._anew(VET_PROVIDERS)]
        judged = self._judged(CLAIMS, self._held_or_chosen())
        self._lake.replace("silver.claims", self._shaped(with_terms(judged.rows.where("_good"))), [CLAIMS.key])
        self._progress.did("silver.claims")
        quarantine.replace(self._run, self._lake, [*rejected, self._rejected(CLAIMS, judged)])
        self._progress.did(QUARANTINE)

    def _anew(self, entity: Entity) -> DataFrame:
        """Make the table; answers the rows for quarantine."""
        judged = self._judged(entity, None)
        table = f"silver.{entity.table}"
        self._lake.replace(table, self._record(entity, judged.rows.where("_good")), [entity.key])
        self._progress.did(table)
        return self._rejected(entity, judged)

    def _policies_anew(self) -> DataFrame:
        judged = self._judged(POLICIES, None)
        self._lake.replace(HISTORY, self._history(judged), ["policy_id", "valid_from"])
        self._progress.did(HISTORY)
        self._lake.replace("silver.policies", self._current_policies(), [POLICIES.key])
        self._progress.did("silver.policies")
        return self._rejected(POLICIES, judged)

    def _held_or_chosen(self) -> Keys | None:
        """None for all claims; a run for chosen ones makes only these anew, and those that the tables hold."""
        if self._run.claim_ids is None:
            return None
        keys = self._run.spark.createDataFrame([(i,) for i in sorted(self._run.claim_ids)], "_key string")
        if self._lake.exists("silver.claims"):
            keys = keys.unionAll(self._lake.read("silver.claims").select("claim_id"))
        if self._lake.exists(QUARANTINE):
            refused = self._lake.read(QUARANTINE).where("table_name = 'claims'")
            keys = keys.unionAll(refused.select("key"))
        return Keys.of(self._run, keys, "_key")

    def _build(self) -> None:
        at_once([partial(self._records, CUSTOMERS), self._pets_and_policies, partial(self._records, VET_PROVIDERS)])
        self._claims()
        self._progress.did("silver.claims")
        update(self._run, self._lake, self._verdicts)
        self._progress.did(QUARANTINE)

    def _pets_and_policies(self) -> None:
        """In this order: a policy needs its pet."""
        self._records(PETS)
        self._policies()

    def _records(self, entity: Entity) -> None:
        table = f"silver.{entity.table}"
        if not self._lake.exists(table):
            self._lake.append(table, self._record(entity, self._judged(entity, None).rows.where("_good")))
            self._refuse(entity)
        elif keys := self._refuse(entity):
            good = self._judged(entity, keys).rows.where("_good")
            self._write(table, self._record(entity, good), [entity.key], ["_content_hash"])
        self._progress.did(table)

    def _record(self, entity: Entity, rows: DataFrame) -> DataFrame:
        return rows.select(*entity.columns, *_KEPT, self._stamp())

    def _policies(self) -> None:
        """The history first; the current row of each policy is its version without an end."""
        if not self._lake.exists(HISTORY):
            self._lake.append(HISTORY, self._history(self._judged(POLICIES, None)))
            self._refuse(POLICIES)
        elif keys := self._refuse(POLICIES):
            history = self._history(self._judged(POLICIES, keys))
            self._write(HISTORY, history, ["policy_id", "valid_from"], ["valid_to", "_content_hash"])
        self._progress.did(HISTORY)
        self._write("silver.policies", self._current_policies(), [POLICIES.key], ["_content_hash"])
        self._progress.did("silver.policies")

    def _current_policies(self) -> DataFrame:
        current = self._lake.read(HISTORY).where("valid_to IS NULL")
        return current.select(*POLICIES.columns, *_KEPT, self._stamp())

    def _refuse(self, entity: Entity) -> Keys | None:
        """Note what the table refuses; the keys that were looked at, None when nothing is pending.

        Pending are also the newest versions that silver does not hold because they are bad, so after a first write
        only those are judged again.
        """
        pending_keys = pending.keys_to_judge(self._run, self._lake, entity, every_version=entity is POLICIES)
        keys = Keys.of(self._run, pending_keys, "_key")
        if keys:
            self._note(entity, keys)
        return keys

    def _note(self, entity: Entity, keys: Keys) -> None:
        rejected = self._rejected(entity, self._judged(entity, keys))
        self._verdicts.append(Verdicts(entity.table, keys.rows, rejected))

    def _rejected(self, entity: Entity, judged: Judged) -> DataFrame:
        return rejected_rows(judged.rows, entity.table, self._run.batch_id)

    def _raw(self, entity: Entity, keys: Keys | None) -> DataFrame:
        """The raw rows of the keys (None: of every key) with `_key`."""
        raw = pending.keyed(pending.bronze_rows(self._run, self._lake, entity), entity)
        return raw if keys is None else raw.join(keys.rows, "_key", "left_semi")

    def _judged(self, entity: Entity, keys: Keys | None) -> Judged:
        """All versions of the keys (None: of every key), typed and judged."""
        raw = self._raw(entity, keys)
        evaluate = partial(self._evaluated, entity=entity)
        if keys is not None and keys.few:
            return judge(evaluate, None, placed(raw, several=True))
        several = pending.repeated(self._run, raw)
        if several is None:
            return judge(evaluate, placed(raw, several=False), None)
        single = placed(raw.join(several.rows, "_key", "left_anti"), several=False)
        return judge(evaluate, single, placed(raw.join(several.rows, "_key", "left_semi"), several=True))

    def _evaluated(self, raw: DataFrame, entity: Entity) -> DataFrame:
        rows = typed(raw, entity)
        if entity is CLAIMS:
            rows = with_references(rows, self._lake)
        elif entity is POLICIES:
            rows = with_pet(rows, self._lake)
        return checked(rows, entity.table, self._run.as_of)

    def _history(self, judged: Judged) -> DataFrame:
        """Every valid version of a policy with the time it counted from and to; the current one has no end."""
        parts = []
        if judged.single is not None:
            parts.append(_valid(judged.single).withColumn("valid_to", F.lit(None).cast("timestamp")))
        if judged.several is not None:
            same_start = Window.partitionBy("policy_id", "valid_from").orderBy(*newest_first())
            last = _valid(judged.several).withColumn("_n", F.row_number().over(same_start)).where("_n = 1").drop("_n")
            end = F.lead("valid_from").over(Window.partitionBy("policy_id").orderBy("valid_from"))
            parts.append(last.withColumn("valid_to", end))
        columns = [*POLICIES.columns, "valid_from", "valid_to", *_KEPT]
        versions = [part.select(*columns, self._stamp()) for part in parts]
        return versions[0] if len(versions) == 1 else versions[0].unionAll(versions[1])

    def _claims(self) -> None:
        is_new = not self._lake.exists("silver.claims")
        if is_new:
            good = self._judged(CLAIMS, self._chosen_claims()).rows.where("_good")
            self._lake.append("silver.claims", self._shaped(with_terms(good)))
        keys = Keys.of(self._run, self._claim_keys(stale=not is_new), "_key")
        if keys:
            self._note(CLAIMS, keys)
        if keys and not is_new:
            good = self._judged(CLAIMS, keys).rows.where("_good")
            self._merge_claims(self._changed(good, "silver.claims", [CLAIMS.key], ["_content_hash", "_refs_hash"]))

    def _merge_claims(self, fresh: DataFrame) -> None:
        """Merge new claims together with the claims whose deductible and limit they move."""
        ids = Keys.of(self._run, fresh, "claim_id", "policy_id")
        if ids:
            whole = with_terms(self._with_neighbours(fresh, ids.rows))
            self._write("silver.claims", self._shaped(whole), [CLAIMS.key], ["_row_hash"])

    def _chosen_claims(self) -> Keys | None:
        """The chosen claims, or None for all."""
        if self._run.claim_ids is None:
            return None
        chosen = [(claim_id,) for claim_id in sorted(self._run.claim_ids)]
        return Keys(self._run.spark.createDataFrame(chosen, "_key string"), True)

    def _claim_keys(self, *, stale: bool) -> DataFrame:
        """Claims to judge: pending, in quarantine, and the stale ones: judged on references that have changed since."""
        keys = pending.keys_to_judge(self._run, self._lake, CLAIMS)
        if stale:
            keys = keys.unionAll(pending.stale_claims(self._lake))
        return pending.only_chosen(self._run, keys, "_key")

    def _with_neighbours(self, fresh: DataFrame, ids: DataFrame) -> DataFrame:
        """The fresh claims with all other claims of their policies, new and old: they share deductible and limit."""
        held = self._lake.read("silver.claims")
        moved = held.join(ids.select("claim_id"), "claim_id", "left_semi").select("policy_id")
        touched = ids.select("policy_id").unionAll(moved).distinct()
        others = held.join(touched, "policy_id", "left_semi").join(ids.select("claim_id"), "claim_id", "left_anti")
        base = others.select(*CLAIMS.columns, *_KEPT, F.col("_refs_hash").alias("_judged_on"))
        columns = (*CLAIMS.columns, *_KEPT, *REFERENCE_COLUMNS)
        others = with_references(base, self._lake).withColumn("_refs_hash", F.col("_judged_on"))
        return fresh.select(*columns).unionAll(others.select(*columns))

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
        self._lake.merge(table, self._changed(rows, table, keys, state), keys)

    def _stamp(self) -> Column:
        return F.lit(self._run.batch_id).alias("_run_id")

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


def _state_of(columns: list[str]) -> Column:
    return F.concat_ws("|", *[F.coalesce(F.col(column).cast("string"), F.lit("")) for column in columns])


def _valid(versions: DataFrame) -> DataFrame:
    return versions.where("size(_rejects) = 0").withColumn("valid_from", F.col("_since"))


def run_silver(run: Run) -> Result:
    """Bring silver up to date with bronze. Repeating it changes nothing.

    Raises: TooManyRejected, after everything is written.
    """
    return Silver(run).run()
