"""The poller: one for all runs and viewers.

A tick reads everything it needs, then writes one transaction, then publishes once. Between ticks it sleeps: briefly
while something runs, long when nothing does; a click, a webhook or a cancellation wakes it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from app.domain.errors import WorkspaceError, WorkspaceRejected
from app.domain.observation import SeenRun
from app.domain.runs import RunRecord
from app.domain.submissions import Submission
from app.services.adoption import Adoption
from app.services.current_workspace import CurrentWorkspace
from app.services.journal import Journal
from app.services.loops import Loops
from app.services.metrics import Metrics
from app.services.pace import Pace
from app.services.recording import RunRecorder, could_be
from app.services.run_listing import RunListing
from app.services.targets import JobTarget, Targets
from app.store import runs, submissions

log = structlog.get_logger()

LEAST_GAP_S = 1.0
EXPECTED_WITHIN_S = 600.0

OnRunFinished = Callable[[RunRecord], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pulse:
    """How long ago a round ended (None: none yet in this process) and how long after it the next was to begin."""

    ended_ago_s: float | None
    pause_s: float


class Tracker:
    """Keeps the store in step with the workspace."""

    def __init__(
        self,
        *,
        journal: Journal,
        current: CurrentWorkspace,
        targets: Targets,
        listing: RunListing,
        recorder: RunRecorder,
        adoption: Adoption,
        pace: Pace,
        metrics: Metrics,
    ) -> None:
        self._journal = journal
        self._clock = journal.clock
        self._current = current
        self._targets = targets
        self._listing = listing
        self._recorder = recorder
        self._adoption = adoption
        self._alone_with: str | None = None
        self._pace = pace
        self._metrics = metrics
        self._tracing = journal.tracing
        self._awake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._active = False
        self._round_ended_at: float | None = None
        self._planned_s = 0.0

    # Outside -------------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Tick now rather than at the end of the pause."""
        self._awake.set()

    def pulse(self) -> Pulse:
        """When a round of reading last ended, well or not, and when the next was due."""
        ended_at = self._round_ended_at
        return Pulse(None if ended_at is None else self._clock.monotonic() - ended_at, self._planned_s)

    def expect_attempt(self, run_id: int) -> None:
        """A repair was accepted: follow the ended run until its new attempt shows."""
        self._recorder.expected[run_id] = self._clock.monotonic() + EXPECTED_WITHIN_S
        self.wake()

    async def run(self, loops: Loops) -> None:
        """Tick for ever. Nothing that the workspace does ends this loop."""
        await loops.for_ever("tracker", self._round)

    async def _round(self) -> None:
        self._awake.clear()
        began_at = self._clock.monotonic()
        with self._tracing.span("poll"):
            pause_s = await self._guarded_tick()
        self._round_ended_at, self._planned_s = self._clock.monotonic(), pause_s
        if await self._clock.wait(self._awake, pause_s):
            # However many notifications come, and whoever sends them: they cannot make us ask more often than this.
            left_s = began_at + min(LEAST_GAP_S, self._pace.interval_s) - self._clock.monotonic()
            if left_s > 0:
                await self._clock.sleep(left_s)

    async def run_hooks(self, loops: Loops, hooks: Sequence[OnRunFinished]) -> None:
        """Tell the hooks about ended runs, one after the other, beside the ticks."""
        await loops.for_ever("run_finished_hooks", lambda: self._hooks_round(hooks))

    async def _hooks_round(self, hooks: Sequence[OnRunFinished]) -> None:
        record = await self._recorder.finished.get()
        for hook in hooks:
            try:
                await hook(record)
            except Exception:
                log.exception("run_finished_hook_failed", run_id=record.run_id)

    async def tick(self) -> None:
        """One round: read, write, publish. Raises WorkspaceError when the workspace could not be read."""
        async with self._looking:
            workspace_id = await self._current.ensure()
            if workspace_id != self._alone_with:
                await self._recorder.leave_others(workspace_id)
                self._alone_with = workspace_id
            target = await self._targets.for_poll()
            wanted, waiting = await self._wanted(workspace_id)
            seen, gone = await self._listing.read(target, wanted)
            job_id = target.job_id if isinstance(target, JobTarget) else None
            if job_id is not None and self._current.first_seen_at is not None and not waiting:
                ours = [run for run in seen.values() if run.job_id == job_id]
                await self._adoption.take(workspace_id, self._current.first_seen_at, ours)
            matters = [run for run in seen.values() if self._matters(run, wanted, waiting, job_id)]
            news = await self._recorder.news(workspace_id, matters)
            relevant = [await self._listing.whole(run) for run in news]
            if await self._current.ensure() != workspace_id:
                return  # another workspace has begun to answer at this address: what was read is of both
            self._current.answered()
            self._recorder.looked_at(seen.keys())
            busy = await self._recorder.record(workspace_id, relevant, gone)
            self._active = busy or any(one.attempts for one in waiting.values())

    async def look(self, run_id: int, *, read_within_s: float | None = None) -> None:
        """Read one run now and record what it shows. Raises TimeoutError when it cannot be read within that time.

        Recording has no such limit: who gave up in the middle of it would not know what is stored.
        """
        async with self._looking:
            async with asyncio.timeout(read_within_s):
                workspace_id = await self._current.ensure()
                run = await self._listing.one(run_id)
            if run is not None:
                self._current.showed_runs()
                self._active = await self._recorder.record(workspace_id, [run], frozenset())
        self.wake()

    # The pause -----------------------------------------------------------------------------------------------------

    async def _guarded_tick(self) -> float:
        self._current.calling()
        try:
            await self.tick()
        except WorkspaceError as fault:
            return self._after_failure(fault)
        except Exception:
            log.exception("poll_failed")
            self._metrics.polled("error")
            return self._pace.after_failure()
        self._metrics.polled("ok")
        if not self._active:
            return self._pace.idle()
        return self._pace.active(await self._recorder.expected_changes_s())

    def _after_failure(self, fault: WorkspaceError) -> float:
        self._current.failed(fault.message)
        if isinstance(fault, WorkspaceRejected):
            self._targets.forget()  # the job may have been deleted or made anew
        self._metrics.polled(fault.code)
        log.info("poll_unanswered", code=fault.code, reason=fault.message)
        return self._pace.after_failure(getattr(fault, "retry_after_s", None))

    # Reading -------------------------------------------------------------------------------------------------------

    async def _wanted(self, workspace_id: str) -> tuple[frozenset[int], dict[str, Submission]]:
        async with self._journal.read(brief=True) as db:
            active = {record.run_id for record in await runs.active(db, workspace_id)}
            waiting = {one.submission_id: one for one in await submissions.open_ones(db)}
        return frozenset(active | self._recorder.expected.keys()), waiting

    def _matters(
        self, run: SeenRun, wanted: frozenset[int], waiting: dict[str, Submission], job_id: int | None
    ) -> bool:
        """Whether a listed run is to be recorded: ours, or one of our job that somebody else started."""
        if run.run_id in wanted or (run.submission_id or "") in waiting:
            return True
        if job_id is None or run.job_id != job_id:
            return False
        first_seen_at = self._current.first_seen_at
        recent = run.started_at is not None and first_seen_at is not None and run.started_at >= first_seen_at
        if run.status.terminal and not recent:
            return False
        # While a click is in doubt, an unknown run may be its own; it is taken in once that is decided.
        return not any(could_be(run, submission) for submission in waiting.values())
