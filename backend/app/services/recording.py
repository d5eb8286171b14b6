"""Writing what was seen of runs: state rows and events in one transaction, published once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fold import changes, started
from app.domain.layers import layer_of_tasks
from app.domain.lost_runs import DELETED, WORKSPACE_REPLACED, lost
from app.domain.observation import SeenRun
from app.domain.run_states import LEFT_OUT
from app.domain.runs import RunRecord, TaskRecord, to_millis
from app.domain.submissions import Submission
from app.services.acceptance import Acceptance
from app.services.eta import EtaService
from app.services.journal import Journal, Transaction
from app.services.metrics import Metrics
from app.services.pace import Pace
from app.services.task_details import OutputsPending, TaskDetails
from app.store import predictions, runs, submissions

log = structlog.get_logger()

# A workspace may need a moment until a run it has just taken is shown by its other calls.
VANISHES_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """One run as seen in this tick, with the details of its tasks."""

    run: SeenRun
    tasks: tuple[TaskRecord, ...]


class RunRecorder:
    """Turns looks at runs into events and rows.

    `expected`: ended runs whose repair was accepted but not yet seen, and (monotonic) until when to look for it.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        details: TaskDetails,
        acceptance: Acceptance,
        eta: EtaService,
        metrics: Metrics,
        on_run_ended: Callable[[], None],
        pace: Pace,
    ) -> None:
        self._journal = journal
        self._clock = journal.clock
        self._details = details
        self._acceptance = acceptance
        self._eta = eta
        self._metrics = metrics
        self._tracing = journal.tracing
        self._on_run_ended = on_run_ended
        self._changed: set[datetime] = set()  # instants that this tick's events were the first to tell
        self._pace = pace
        self._missing_since: dict[int, float] = {}
        self.expected: dict[int, float] = {}
        self.finished: asyncio.Queue[RunRecord] = asyncio.Queue()
        self.changed_at = self._clock.monotonic()

    async def news(self, workspace_id: str, found: Sequence[SeenRun]) -> list[SeenRun]:
        """Those of the runs that may tell something that is not recorded yet."""
        async with self._journal.read(brief=True) as db:
            known = await runs.load_many(db, workspace_id, [run.run_id for run in found])
        return [run for run in found if run.run_id not in known or _may_be_news(known[run.run_id], run)]

    async def expected_changes_s(self) -> list[float]:
        """Seconds until the active runs will likely have ended, by the estimates of their last change."""
        async with self._journal.read(brief=True) as db:
            active = await runs.active(db)
        since_s = self._clock.monotonic() - self.changed_at
        return [float(record.eta["p50_s"]) - since_s for record in active if record.eta]

    async def record(self, workspace_id: str, found: Sequence[SeenRun], gone: Collection[int]) -> bool:
        """Write one tick: read the details of what changed, then one transaction. True while anything is active."""
        async with self._journal.read(brief=True) as db:
            known = await runs.load_many(db, workspace_id, [run.run_id for run in found])
            wished = {run.run_id: await _submission_of(db, run) for run in found if run.run_id not in known}
        looks = []
        for run in found:
            before = known.get(run.run_id) or first_record(workspace_id, run, wished.get(run.run_id), self._clock.now())
            if before.active or _has_new_attempt(before, run):
                looks.append(await self._look(run, before))
        vanished = self._vanished([run.run_id for run in found], gone)
        for run_id in vanished:
            self.expected.pop(run_id, None)
        if not looks and not vanished:
            return await self._anything_active(workspace_id)
        finished: list[RunRecord] = []
        async with self._journal.transaction(brief=True) as transaction:
            for look in looks:
                if look is not None:
                    finished += await self._record_one(transaction, workspace_id, look, wished.get(look.run.run_id))
            for run_id in vanished:
                finished += await _record_gone(transaction, workspace_id, run_id)
            transaction.then(lambda: self._after_commit(transaction, finished))
        for run_id in vanished:
            self._missing_since.pop(run_id, None)
        return await self._anything_active(workspace_id)

    async def leave_others(self, workspace_id: str) -> None:
        """End the active runs of other workspaces: nobody follows them, so they are not shown as active for ever."""
        async with self._journal.read(brief=True) as db:
            if all(record.workspace_id == workspace_id for record in await runs.active(db)):
                return
        async with self._journal.transaction(brief=True) as transaction:
            left = [record for record in await runs.active(transaction.db) if record.workspace_id != workspace_id]
            for record in left:
                await transaction.record_run(record, lost(record, WORKSPACE_REPLACED, ended_at=None))
                log.warning("run_of_another_workspace_left", run_id=record.run_id, workspace_id=record.workspace_id)
            transaction.then(self._on_run_ended)

    def _vanished(self, seen: Collection[int], gone: Collection[int]) -> list[int]:
        """Those that the workspace has not had for VANISHES_AFTER_S, whenever it was asked."""
        now = self._clock.monotonic()
        self._missing_since = {run_id: self._missing_since.get(run_id, now) for run_id in gone} | {
            run_id: since for run_id, since in self._missing_since.items() if run_id not in seen
        }
        return [run_id for run_id in gone if now - self._missing_since[run_id] >= VANISHES_AFTER_S]

    def looked_at(self, run_ids: Collection[int]) -> None:
        """Expect no new attempt any more of a run that was looked at for long enough without showing one."""
        now = self._clock.monotonic()
        for run_id in [one for one, until in self.expected.items() if until < now and one in run_ids]:
            del self.expected[run_id]

    async def _anything_active(self, workspace_id: str) -> bool:
        async with self._journal.read(brief=True) as db:
            return bool(self.expected) or bool(await runs.active(db, workspace_id))

    async def _look(self, run: SeenRun, before: RunRecord) -> Look | None:
        try:
            with structlog.contextvars.bound_contextvars(run_id=run.run_id):
                return Look(run, await self._details.read(run, before))
        except OutputsPending:
            return None

    async def _record_one(
        self, transaction: Transaction, workspace_id: str, look: Look, submission: Submission | None
    ) -> list[RunRecord]:
        """Append what the look shows; returns the record if the run ended by it."""
        run = look.run
        record = await runs.load(transaction.db, workspace_id, run.run_id)
        if record is None:
            record = await self._begin(transaction, workspace_id, run, submission)
        elif _has_new_attempt(record, run):
            record = await self._begin_attempt(transaction, record)
        if record is None or not record.active:
            return []
        now = transaction.now
        # The look may be older than the click's acceptance, which says what the run was asked for.
        tasks = tuple(task for task in look.tasks if record.shows(task.task_key))
        eta = await self._eta.for_run(transaction.db, record, run, tasks, now=now)
        drafts = changes(record, run, tasks, eta=eta)
        if not drafts:
            return []
        after = await transaction.record_run(record, drafts)
        self._changed |= _instants(after) - _instants(record)
        if after.active:
            if eta is not None and (eta.cause is not None or _moved_on(record, after)):
                await predictions.record(transaction.db, after, eta)
            return []
        if after.ended_at is not None and after.result == "SUCCESS":
            await predictions.resolve(transaction.db, after, ended_at=after.ended_at)
        return [after]

    async def _begin(
        self, transaction: Transaction, workspace_id: str, run: SeenRun, submission: Submission | None
    ) -> RunRecord | None:
        """A run met for the first time: our own submission's (before its answer), or one started elsewhere."""
        first = first_record(workspace_id, run, submission, transaction.now)
        present = await submissions.get(transaction.db, submission.submission_id) if submission else None
        if present is not None and present.state.open:
            return await self._acceptance.accept(
                transaction,
                present,
                workspace_id=workspace_id,
                run_id=run.run_id,
                job_id=run.job_id,
                job_url=run.job_url,
                task_keys=first.task_keys,
            )
        if present is None and any(could_be(run, one) for one in await submissions.open_ones(transaction.db)):
            return None  # a click was made since the listing was asked for; its answer will tell
        if present is not None and present.run_id != run.run_id:
            first = replace(first, submission_id=None)  # the token's other run, which cannot be; shown, not joined
        log.info("run_adopted", run_id=run.run_id, job_id=run.job_id, creator=run.creator)
        return await self._acceptance.begin(transaction, first, reason=None)

    async def _begin_attempt(self, transaction: Transaction, record: RunRecord) -> RunRecord:
        self.expected.pop(record.run_id, None)
        again = replace(
            record, attempt=record.attempt + 1, attempt_since=record.ended_at, active=True, progress_seen=False
        )
        log.info("run_attempt_started", run_id=record.run_id, attempt=again.attempt)
        return await transaction.record_run(record, [started(again, eta=None)])

    def _after_commit(self, transaction: Transaction, finished: Sequence[RunRecord]) -> None:
        if transaction.envelopes:
            self.changed_at = self._clock.monotonic()
            self._pace.changed()
            for envelope in transaction.envelopes:
                self._metrics.event_published(envelope.type)
        now, changed, self._changed = self._clock.now(), self._changed, set()
        for at in changed:
            self._metrics.event_lagged((now - at).total_seconds())
        for record in finished:
            self._trace(record)
            self._details.forget(record)
            self._eta.ended(record)
            self.finished.put_nowait(record)
            log.info("run_ended", run_id=record.run_id, result=record.result, duration_s=record.duration_s)
        if transaction.envelopes:
            for submission_id in _submissions_of(transaction):
                self._acceptance.notify(submission_id)
        if finished:
            self._on_run_ended()

    def _trace(self, record: RunRecord) -> None:
        """A span for each task of the ended attempt, with the times that the workspace told."""
        for task in record.latest_tasks():
            if task.started_at is not None and task.ended_at is not None:
                result = task.result or "unknown"
                ids: dict[str, str | int] = {"run_id": record.run_id, "task_key": task.task_key, "result": result}
                self._tracing.past("task", task.started_at, task.ended_at, **ids)


def could_be(run: SeenRun, submission: Submission) -> bool:
    """Whether an unknown run may be the answer we have not got. Clocks may differ, so times decide nothing here."""
    return run.submission_id is None and submission.in_doubt and submission.job_id in (None, run.job_id)


def _has_new_attempt(record: RunRecord, run: SeenRun) -> bool:
    """Whether an ended run was repaired: it has task runs that we never met. A stale answer has none."""
    if record.active:
        return False
    known = {task.task_run_id for task in record.tasks}
    return any(task.task_run_id not in known for task in run.tasks if record.shows(task.task_key))


def _may_be_news(record: RunRecord, run: SeenRun) -> bool:
    """Whether the listing may differ from the record; of a run with many tasks it shows only some."""
    if record.active or _has_new_attempt(record, run):
        return True
    return run.incomplete and (not run.status.terminal or run.ended_at != record.ended_at)


def first_record(workspace_id: str, run: SeenRun, submission: Submission | None, now: datetime) -> RunRecord:
    """The record a run begins with when the poller meets it first."""
    tasks = [task for task in run.latest_tasks() if task.status.result not in LEFT_OUT]
    if submission is not None:
        asked = [task for task in tasks if task.our_task in submission.tasks]
        tasks = asked or tasks
    ours = [task.our_task for task in tasks if task.our_task]
    layer = layer_of_tasks(ours)
    return RunRecord(
        workspace_id=workspace_id,
        run_id=run.run_id,
        submission_id=submission.submission_id if submission else None,
        job_id=run.job_id,
        layer=submission.layer if submission else layer.value if layer else None,
        task_keys=tuple(task.task_key for task in tasks),
        task_set=",".join(ours) or None,
        claim_ids=submission.claim_ids if submission else run.claim_ids,
        job_url=run.job_url,
        requested_by=submission.requested_by if submission else run.creator,
        requested_at=to_millis(submission.requested_at if submission else run.started_at or now),
    )


async def _record_gone(transaction: Transaction, workspace_id: str, run_id: int) -> list[RunRecord]:
    """The workspace no longer has an active run of ours: somebody deleted it. What came of it is not known."""
    record = await runs.load(transaction.db, workspace_id, run_id)
    if record is None or not record.active:
        return []
    return [await transaction.record_run(record, lost(record, DELETED, ended_at=transaction.now))]


async def _submission_of(db: AsyncConnection, run: SeenRun) -> Submission | None:
    return await submissions.get(db, run.submission_id) if run.submission_id else None


def _instants(record: RunRecord) -> set[datetime]:
    """When something of the run changed in the workspace, as far as told."""
    told = [record.ended_at, *(at for task in record.tasks for at in (task.started_at, task.ended_at))]
    return {at for at in told if at is not None}


def _moved_on(before: RunRecord, after: RunRecord) -> bool:
    """Whether the run is in another phase or has another task behind it."""
    ended = [sum(task.ended_at is not None for task in one.tasks) for one in (before, after)]
    return before.phase != after.phase or ended[0] != ended[1]


def _submissions_of(transaction: Transaction) -> set[str]:
    ids = {envelope.data.get("submission_id") for envelope in transaction.envelopes}
    return {one for one in ids if isinstance(one, str)}
