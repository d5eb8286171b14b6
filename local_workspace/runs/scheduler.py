"""Which runs are active, which wait in the queue, and what becomes of both when the workspace stops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from local_workspace.clock import Clock
from local_workspace.runs import states
from local_workspace.runs.book import RunBook
from local_workspace.runs.driver import RunDriver
from local_workspace.runs.records import Repair, Run, TaskRun
from local_workspace.runs.states import State
from local_workspace.runs.task_runner import TaskRunner
from local_workspace.store.ids import Ids
from local_workspace.store.runs import RunStore

log = structlog.get_logger(__name__)

_RECORD_AGAIN_S = 0.5


class Scheduler:
    """Admits runs, at most `max_concurrent_runs` of a job at once, the others first in, first out."""

    def __init__(self, store: RunStore, runner: TaskRunner, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._runner = runner
        self._clock = clock
        self._ids = ids
        self._group: asyncio.TaskGroup | None = None
        self._active: dict[int, RunDriver] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._queues: dict[int, deque[RunDriver]] = {}

    @asynccontextmanager
    async def running(self, *, last_written_ms: int) -> AsyncIterator[None]:
        """Runs are driven inside; leaving stops those that are active, and they say so.

        `last_written_ms` is the last sign of life of a workspace that died: its runs ended no earlier.
        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._recover(last_written_ms)
            try:
                yield
            finally:
                self._queues.clear()
                for work in self._work:
                    work.cancel()

    def admit(self, run: Run, attempts: list[TaskRun], repair: Repair | None = None) -> None:
        """Start a stored run, or leave it in the queue when it is QUEUED."""
        driver = self._driver(run, attempts, repair)
        if run.state.life_cycle == "QUEUED":
            self._queues.setdefault(run.job_id, deque()).append(driver)
        else:
            self._begin(driver)

    def initial_state(self, run: Run) -> State:
        """The first state of a new or reopened run: PENDING, QUEUED or, without a queue, SKIPPED."""
        limit = run.max_concurrent_runs
        if run.run_type != "JOB_RUN" or self._active_runs(run.job_id) < limit:
            return states.PENDING
        return states.queued(limit) if run.queue_enabled and limit > 0 else states.over_limit(limit)

    def cancel(self, run_id: int) -> None:
        """Begin to cancel a run; nothing when it has ended."""
        driver = self._active.get(run_id)
        if driver is not None:
            driver.cancel()
            return
        for queue in self._queues.values():
            for waiting in [driver for driver in queue if driver.run.run_id == run_id]:
                queue.remove(waiting)
                waiting.abandon(states.CANCELED)

    def cancel_task(self, run_id: int, task_run_id: int) -> None:
        """Begin to cancel one task of a run; nothing when it is not active."""
        driver = self._active.get(run_id)
        if driver is not None:
            driver.cancel_task(task_run_id)

    def _driver(self, run: Run, attempts: list[TaskRun], repair: Repair | None) -> RunDriver:
        book = RunBook(run, attempts, store=self._store, clock=self._clock, ids=self._ids, repair=repair)
        return RunDriver(book, runner=self._runner, clock=self._clock)

    def _active_runs(self, job_id: int) -> int:
        return sum(driver.run.job_id == job_id for driver in self._active.values())

    def _begin(self, driver: RunDriver) -> None:
        assert self._group is not None, "runs are admitted inside running()"
        self._active[driver.run.run_id] = driver
        work = self._group.create_task(self._drive(driver))
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    async def _drive(self, driver: RunDriver) -> None:
        try:
            await driver.drive()
        except asyncio.CancelledError:
            driver.abandon(states.STOPPED)
            raise
        except Exception:  # the top of a run: the others go on
            log.exception("run_drive_failed", run_id=driver.run.run_id)
            await self._break(driver)
        finally:
            del self._active[driver.run.run_id]
            self._next_of(driver.run.job_id)

    async def _break(self, driver: RunDriver) -> None:
        """End a run that cannot go on, as soon as the store takes it: a full disk may be what broke it."""
        final = states.broken("INTERNAL_ERROR", "The local workspace failed to drive this run.")
        while True:
            try:
                driver.abandon(final)
                return
            except SQLAlchemyError as fault:
                log.error("run_not_recorded", run_id=driver.run.run_id, fault=str(fault.__cause__))
                await self._clock.sleep(_RECORD_AGAIN_S)

    def _next_of(self, job_id: int) -> None:
        queue = self._queues.get(job_id)
        while queue and self._active_runs(job_id) < queue[0].run.max_concurrent_runs:
            self._begin(queue.popleft())

    def _recover(self, last_written_ms: int) -> None:
        """Queued runs of an earlier life go on; active ones ended with it."""
        waiting = []
        for run in self._store.active():
            repair = next((item for item in self._store.repairs(run.run_id) if not item.state.is_terminal), None)
            driver = self._driver(run, self._store.attempts(run.run_id), repair)
            if run.state.life_cycle == "QUEUED":
                waiting.append(driver)
            else:
                driver.abandon(states.STOPPED, last_written_ms)
        for driver in waiting:
            self._queues.setdefault(driver.run.job_id, deque()).append(driver)
        for job_id in list(self._queues):
            self._next_of(job_id)
