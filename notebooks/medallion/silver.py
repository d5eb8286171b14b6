"""Silver: typed and conformed records, one per key, each judged by named rules; what breaks one waits in quarantine.

The latest valid version of a key is in silver; its newest version is in quarantine when that one is invalid. Each table
is one commit, and what has to be done is found by comparing tables, so a run that died is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pyspark.sql import DataFrame

from medallion import claims, few, gate, landed, pending, quality
from medallion.anew import Anew
from medallion.conform import Judged
from medallion.few import Keys
from medallion.lake import Lake
from medallion.landed import Landed
from medallion.parallel import at_once, both, nothing
from medallion.progress import Progress
from medallion.quarantine import QUARANTINE, update
from medallion.records import HISTORY, KEPT, all_claim_rows, changed, current_policies, history_rows, record_rows
from medallion.references import REFERENCE_COLUMNS
from medallion.result import Result
from medallion.review import Review
from medallion.run import Run
from medallion.schemas import CLAIMS, CUSTOMERS, ENTITIES, PETS, POLICIES, VET_PROVIDERS, Entity
from medallion.standing import Standing

TABLES = (
    *("silver.customers", "silver.pets", HISTORY, "silver.policies", "silver.vet_providers"),
    *("silver.claims", QUARANTINE, quality.TABLE),
)
"""In the order in which they are written."""
_REFERRED_TO = ("silver.customers", "silver.pets", "silver.policies", "silver.vet_providers")


@dataclass(frozen=True, slots=True)
class _Died:
    """Batches of runs that died: those that are to be told of yet, and those that this run finishes."""

    untold: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()

    @staticmethod
    def found(lake: Lake, run_id: str) -> _Died:
        """To be asked before this run writes."""
        others = (batch for batch in quality.unfinished(lake) if batch != run_id)
        return _Died(tuple(quality.untold(lake)), tuple(others))


class Silver:
    """One run of the layer."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = Lake(run, book="bronze.claims")
        self._progress = Progress(run, TABLES)
        self._result = Result("silver")
        self._written: quality.Summary | None = None

    def run(self) -> Result:
        self._lake.ensure_schema("silver")
        self._lake.track(TABLES)
        sources = [*(f"bronze.{entity.table}" for entity in ENTITIES), landed.MANIFEST]
        standing = Standing(self._run, self._lake, "silver", sources)
        if standing.holds():
            self._result.tables = list(self._lake.results.values())
        else:
            anew = standing.is_to_be_made_anew and any(map(self._lake.exists, TABLES))
            died = _Died() if standing.is_unchanged(*TABLES) else _Died.found(self._lake, self._run.batch_id)
            if anew:
                Anew(self._run, self._lake, self._progress).make()
            else:
                self._build(standing)
            self._report(died, judged_all=anew)
            self._pass_gate(standing)
        landed_ids = partial(pending.landed_claim_ids, self._run, self._lake)
        self._result.unknown_claim_ids = pending.unknown_claim_ids(self._run, landed_ids)
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
        review = Review(self._run, self._lake, standing)
        records = partial(self._records, review)
        referred_to = [
            partial(self._pets_and_policies, review, standing),  # first, as it takes longest
            partial(records, CUSTOMERS),
            partial(records, VET_PROVIDERS),
        ]
        if self._lake.exists(claims.TABLE):
            at_once(referred_to)
            write_claims = self._claims(review, standing)
        else:
            at_once([*referred_to, partial(review.look_ahead, CLAIMS)])
            write_claims = self._first_claims(review)
        _, write_verdicts = both(write_claims, partial(update, self._run, self._lake, review.verdicts))
        self._progress.did("silver.claims")
        at_once([write_verdicts, self._look_back])
        self._progress.did(QUARANTINE)

    def _look_back(self) -> None:
        """What there is to tell of the tables need not wait for quarantine."""
        if any(map(self._lake.touched, TABLES)):
            count = partial(self._lake.finish, [table for table in TABLES if table not in (QUARANTINE, quality.TABLE)])
            _, self._written = both(count, partial(quality.written, self._lake, self._run.batch_id))

    def _pets_and_policies(self, review: Review, standing: Standing) -> None:
        """In this order: a policy needs its pet."""
        self._records(review, PETS)
        self._policies(review, standing)
        self._progress.did(HISTORY)
        self._progress.did("silver.policies")

    def _records(self, review: Review, entity: Entity) -> None:
        table = f"silver.{entity.table}"
        if not self._lake.exists(table):
            self._lake.append(table, record_rows(self._run, entity, review.everything(entity)))
            review.rest(entity)
        elif judged := review.due(entity):
            self._write(table, record_rows(self._run, entity, judged), [entity.key], ("_content_hash",))
        self._progress.did(table)

    def _policies(self, review: Review, standing: Standing) -> None:
        """The history first; the current row of each policy is its version without an end."""
        if not self._lake.exists(HISTORY):
            self._lake.append(HISTORY, history_rows(self._run, review.everything(POLICIES)))
            review.rest(POLICIES)
        elif judged := review.due(POLICIES, "silver.pets"):
            versions = history_rows(self._run, judged)
            self._write(HISTORY, versions, ["policy_id", "valid_from"], ("valid_to", "_content_hash"))
        if not standing.is_unchanged(HISTORY, "silver.policies"):
            self._write("silver.policies", current_policies(self._run, self._lake), [POLICIES.key], ("_content_hash",))

    def _first_claims(self, review: Review) -> Callable[[], None]:
        """Make the table; answers the writing that is left.

        The claims of a small book are judged twice at the same time, for the table and for quarantine, but for those
        that have several versions. Of a large one those are judged again that the table has refused.
        """
        judged = review.everything(CLAIMS, self._chosen_claims())
        if self._lake.is_small_book:
            if judged.single is not None and judged.several is not None:
                judged = Judged(judged.single, few.computed(self._run, judged.several))
            review.note(CLAIMS, judged)
            return self._appending_claims(judged)
        self._appending_claims(judged)()
        keys = Keys.of(self._run, self._claim_keys(None, "all", stale=False), "_key")
        if keys:
            review.of_keys(CLAIMS, keys, None)
        return nothing

    def _appending_claims(self, judged: Judged) -> Callable[[], None]:
        return partial(self._lake.append, claims.TABLE, all_claim_rows(self._run, self._lake, judged))

    def _claims(self, review: Review, standing: Standing) -> Callable[[], None]:
        """Judge what is pending. Answers the writing that is left: of few claims, which do not need all the memory."""
        settled = standing.was_complete and standing.is_unchanged(*_REFERRED_TO)
        refused = review.refused(CLAIMS) if settled else "all"
        new = review.new(CLAIMS)
        keys = Keys.of(self._run, self._claim_keys(new, refused, stale=not settled), "_key")
        if not keys:
            return nothing
        judge = partial(review.of_keys, CLAIMS, keys, new)
        judged, held = both(judge, partial(claims.as_held, self._run, self._lake, keys, new))
        good = judged.rows.where("_good").select(*CLAIMS.columns, *KEPT, "_refs_hash", *REFERENCE_COLUMNS)
        merge = partial(claims.merge, self._run, self._lake, good, held)
        if keys.few:
            return merge
        merge()
        return nothing

    def _chosen_claims(self) -> Keys | None:
        """The chosen claims, or None for all."""
        if self._run.claim_ids is None:
            return None
        return Keys(few.column(self._run, "_key", self._run.claim_ids), True)

    def _claim_keys(self, new: Landed | None, refused: pending.Refused, *, stale: bool) -> DataFrame:
        """Claims to judge: pending, in quarantine, and the stale ones: judged on references that have changed since."""
        keys = pending.keys_to_judge(self._run, self._lake, CLAIMS, new.rows if new else None, refused=refused)
        if stale:
            keys = keys.unionAll(pending.stale_claims(self._lake))
        return pending.only_chosen(self._run, keys, "_key")

    def _write(self, table: str, rows: DataFrame, keys: list[str], state: tuple[str, ...]) -> None:
        if not self._lake.exists(table):
            self._lake.append(table, rows)
            return
        self._lake.merge(table, changed(rows, self._lake.read(table), keys, state), keys)

    def _report(self, died: _Died, *, judged_all: bool) -> None:
        """Counts and rule results of what this run wrote, and results of the batches that died before they told any."""
        lake = self._lake
        tell = partial(self._tell_quality, died, judged_all=judged_all)
        summary, _ = both(tell, partial(lake.finish, [table for table in TABLES if table != quality.TABLE]))
        self._result.tables = lake.finish()
        tables = self._lake.results
        for entity in ENTITIES:
            table, quarantined = tables[f"silver.{entity.table}"], summary.quarantined[entity.table]
            table.rows_quarantined = quarantined
            table.rows_in = table.rows_out + quarantined
            self._result.rows_in += table.rows_in
            self._result.rows_out += table.rows_out
            self._result.rows_quarantined += quarantined
        self._result.quality = summary.broken()
        if self._result.rows_quarantined:
            self._result.warnings.append(f"{self._result.rows_quarantined} rows were put into quarantine")

    def _tell_quality(self, died: _Died, *, judged_all: bool) -> quality.Summary:
        """Write rule results; answers those of what this run wrote."""
        lake, run_id = self._lake, self._run.batch_id
        has_written = any(map(lake.touched, TABLES))
        summary = quality.Summary()
        if has_written:
            summary = (self._written or quality.written(lake, run_id)) + quality.quarantined(lake, run_id)
        if has_written and judged_all:
            quality.store(lake, run_id, quality.summarise_all(lake))
        elif has_written and died.unfinished:
            quality.store(lake, run_id, quality.summarise(lake, run_id, *died.unfinished), died.unfinished)
        else:
            quality.store(lake, run_id, summary)
        for batch in died.untold:
            quality.store(lake, batch, quality.summarise(lake, batch))
        return summary


def run_silver(run: Run) -> Result:
    """Bring silver up to date with bronze. Repeating it changes nothing.

    Raises: TooManyRejected, after everything is written.
    """
    return Silver(run).run()
