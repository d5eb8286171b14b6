"""The poller: one for all runs and viewers.

A tick reads everything it needs, then writes one transaction, then publishes once. Between ticks it sleeps: briefly
while something runs, long when nothing does; a click, a webhook or a cancellation wakes it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from app.domain.errors import WorkspaceError, WorkspaceRejected, WorkspaceThrottled
from app.domain.observation import SeenRun
from app.domain.runs import RunRecord
from app.domain.submissions import Submission
from app.services.adoption import Adoption
from app.services.current_workspace import CurrentWorkspace
from app.services.journal import Journal
from app.services.metrics import Metrics
from app.services.recording import RunRecorder, could_be
from app.services.run_listing import RunListing
from app.services.targets import JobTarget, Targets
from app.store import runs, submissions

log = structlog.get_logger()

IDLE_FACTOR = 10.0
STEADY_AFTER_S = 60.0
STEADY_FACTOR = 2.0
MAX_BACKOFF_S = 60.0
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
        interval_s: float,
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
        self._interval_s = interval_s
        self._metrics = metrics
        self._tracing = journal.tracing
        self._awake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._active = False
        self._failures = 0
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

    async def run(self) -> None:
        """Tick for ever. Nothing that the workspace does ends this loop."""
        while True:
            self._awake.clear()
            with self._tracing.span("poll"):
                pause_s = await self._guarded_tick()
            self._round_ended_at, self._planned_s = self._clock.monotonic(), pause_s
            try:
                async with asyncio.timeout(pause_s):
                    await self._awake.wait()
            except TimeoutError:
                continue

    async def run_hooks(self, hooks: Sequence[OnRunFinished]) -> None:
        """Tell the hooks about ended runs, one after the other, beside the ticks."""
        while True:
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
            relevant = [await self._listing.whole(run) for run in matters]
            busy = await self._recorder.record(workspace_id, relevant, gone)
            self._active = busy or any(one.attempts for one in waiting.values())

    async def look(self, run_id: int) -> None:
        """Read one run now and record what it shows."""
        async with self._looking:
            workspace_id = await self._current.ensure()
            run = await self._listing.one(run_id)
            if run is not None:
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
            return self._backoff_s()
        self._failures = 0
        self._current.answered()
        self._metrics.polled("ok")
        return self._pause_s()

    def _after_failure(self, fault: WorkspaceError) -> float:
        self._current.failed(fault.message)
        if isinstance(fault, WorkspaceRejected):
            self._targets.forget()  # the job may have been deleted or made anew
        self._metrics.polled(fault.code)
        log.info("poll_unanswered", code=fault.code, reason=fault.message)
        asked = fault.retry_after_s if isinstance(fault, WorkspaceThrottled) else None
        return max(asked or 0.0, self._backoff_s())

    def _backoff_s(self) -> float:
        self._failures += 1
        return float(min(MAX_BACKOFF_S, max(self._interval_s, 0.5) * 2 ** min(self._failures - 1, 6)))

    def _pause_s(self) -> float:
        """Fast while something may change, a little slower in long stretches, slow when nothing runs."""
        if not self._active:
            return self._interval_s * IDLE_FACTOR
        steady = self._clock.monotonic() - self._recorder.changed_at > STEADY_AFTER_S
        return self._interval_s * (STEADY_FACTOR if steady else 1.0)

    # Reading -------------------------------------------------------------------------------------------------------

    async def _wanted(self, workspace_id: str) -> tuple[frozenset[int], dict[str, Submission]]:
        async with self._journal.read() as db:
            active = {record.run_id for record in await runs.active(db, workspace_id)}
            waiting = {one.submission_id: one for one in await submissions.open_ones(db)}
        expected, now = self._recorder.expected, self._clock.monotonic()
        for run_id in [one for one, until in expected.items() if until < now]:
            del expected[run_id]
        return frozenset(active | expected.keys()), waiting

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
        # While a click is on its way, an unknown run may be its own; it is taken in once that is decided.
        return not any(could_be(run, submission) for submission in waiting.values())
