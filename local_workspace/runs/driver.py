"""One active run, driven to its end: every task starts the moment its upstream has ended."""

from __future__ import annotations

import asyncio
from typing import Any

from local_workspace.clock import Clock
from local_workspace.runs import graph, states
from local_workspace.runs.book import RunBook
from local_workspace.runs.records import Output, Run, TaskRun
from local_workspace.runs.states import State
from local_workspace.runs.task_runner import Ending, TaskRunner


class RunDriver:
    """Decides what a run does next.

    There is no loop: each task waits for the ends of those it depends on, then decides, runs, and announces its own.
    """

    def __init__(self, book: RunBook, *, runner: TaskRunner, clock: Clock) -> None:
        self._book = book
        self._runner = runner
        self._clock = clock
        self._ended = {key: asyncio.Event() for key in book.tasks}
        self._stops: dict[str, asyncio.Future[State]] = {}
        self._stopping: State | None = None
        self._insisted = False

    @property
    def run(self) -> Run:
        return self._book.run

    async def drive(self) -> None:
        """Leave the queue, if there was one; run every task that has not ended and return when the run has."""
        if self._stopping is None:
            self._book.begin()
        self._book.set_parameters(self._runner.job_parameters(self.run))
        timer = self._start_timer()
        try:
            async with asyncio.TaskGroup() as group:
                for key in self._book.graph.order():
                    group.create_task(self._live(group, key))
        finally:
            if timer is not None:
                timer.cancel()
        await self._finish()

    def cancel(self, final: State = states.CANCELED) -> None:
        """Stop what runs; tasks that handle failures still run, unless asked a second time."""
        self._insisted = self._stopping is not None
        if self._stopping is None:
            self._stopping = final
            self._book.enter(states.terminating(final))
        for stop in self._stops.values():
            _set(stop, self._stopping)

    def cancel_task(self, task_run_id: int) -> None:
        """Stop one attempt; nothing when it is not active."""
        for key, stop in self._stops.items():
            if self._book.tasks[key].run_id == task_run_id:
                _set(stop, states.CANCELED)

    def abandon(self, final: State, at_ms: int | None = None) -> None:
        """End everything that has not ended, without waiting: the run was never begun, or its workspace stopped."""
        self._book.close(final, at_ms)

    # The life of a task.

    async def _live(self, group: asyncio.TaskGroup, key: str) -> None:
        for upstream in self._book.graph.depends_on[key]:
            await self._ended[upstream].wait()
        if not self._book.tasks[key].state.is_terminal:
            verdict = self._verdict(key)
            if verdict is None:
                await self._attempts(group, key)
            else:
                self._book.record(self._book.tasks[key], verdict)
        self._ended[key].set()

    def _verdict(self, key: str) -> State | None:
        """The state of a task that does not run, None for one that does."""
        upstream = self._book.graph.depends_on[key]
        run_if = self._book.tasks[key].definition.get("run_if", "ALL_SUCCESS")
        if self._stopping is not None and (self._insisted or run_if not in graph.HANDLES_FAILURE):
            return states.UPSTREAM_CANCELED if upstream else self._stopping
        results = self._book.results()
        return _VERDICTS[graph.decide(run_if, [results[other] for other in upstream])]

    async def _attempts(self, group: asyncio.TaskGroup, key: str) -> None:
        """Attempt a task until it has succeeded, may not be retried, or was stopped."""
        stop = self._stops[key] = asyncio.get_running_loop().create_future()
        task = self._book.tasks[key]
        try:
            while True:
                await self._attempt(group, task, stop)
                if not self._retries(task):
                    return
                started_at, task = task.start_time, self._book.again(task)
                if not await self._retry_is_due(group, task, started_at, stop):
                    return
        finally:
            del self._stops[key]

    async def _attempt(self, group: asyncio.TaskGroup, task: TaskRun, stop: asyncio.Future[State]) -> None:
        book = self._book
        book.began(task)
        work = group.create_task(
            self._runner.run(self.run, task, book.upstream(), lambda lease: book.executes(task, lease))
        )
        seconds = int(task.definition.get("timeout_seconds") or 0)
        first: list[asyncio.Future[Any]] = [work, stop]
        await asyncio.wait(first, timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            ending = work.result()
        else:
            ending = await self._stop(task, work, stop.result() if stop.done() else states.timed_out(seconds))
        book.record(task, ending.state, ending.output)

    async def _stop(self, task: TaskRun, work: asyncio.Task[Ending], final: State) -> Ending:
        """TERMINATING until the worker is really dead."""
        self._book.record(task, states.terminating(final))
        work.cancel()
        await asyncio.wait({work})
        return Ending(final, Output(error=final.message.removesuffix(".")))

    def _retries(self, task: TaskRun) -> bool:
        limit = int(task.definition.get("max_retries") or 0)
        allowed = limit < 0 or self._book.attempts_of_this_stretch(task) <= limit
        if task.state.result == "TIMEDOUT":
            allowed = allowed and bool(task.definition.get("retry_on_timeout"))
        return allowed and self._stopping is None and task.state.result in ("FAILED", "TIMEDOUT")

    async def _retry_is_due(
        self, group: asyncio.TaskGroup, task: TaskRun, started_at: int, stop: asyncio.Future[State]
    ) -> bool:
        """Wait until the interval between the starts of two attempts has passed; False when stopped before."""
        interval_ms = int(task.definition.get("min_retry_interval_millis") or 0)
        wait_s = max(0, started_at + interval_ms - self._clock.now_ms()) / 1000
        sleep = group.create_task(self._clock.sleep(wait_s))
        first: list[asyncio.Future[Any]] = [sleep, stop]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            return True
        sleep.cancel()
        self._book.record(task, stop.result())
        return False

    # The end of the run.

    async def _finish(self) -> None:
        final = self._final_state()
        if self._runner.has_job_clusters(self.run):
            self._book.enter(states.terminating(final))
            await self._runner.release(self.run)
        self._book.close(final)

    def _final_state(self) -> State:
        tasks, results = self._book.tasks, self._book.results()
        if self._stopping is not None:
            return self._stopping
        if self.run.single_task:
            return _single_task_state(next(iter(tasks.values())).state)
        result = graph.outcome(self._book.graph, results)
        if result in _SIMPLE:
            return _SIMPLE[result]
        key = next(key for key in self._book.graph.order() if results[key] in _CAUSES)
        cause = tasks[key].state
        return cause if result == "TIMEDOUT" else states.run_failed(key, cause.message)

    def _start_timer(self) -> asyncio.TimerHandle | None:
        seconds = self.run.timeout_seconds
        if not seconds:
            return None
        return asyncio.get_running_loop().call_later(seconds, self._time_out, seconds)

    def _time_out(self, seconds: int) -> None:
        """Unlike a cancel, a timeout leaves no time for tasks that handle failures."""
        self.cancel(states.timed_out(seconds))
        self._insisted = True


_CAUSES = frozenset({"FAILED", "TIMEDOUT", "CANCELED"})
_VERDICTS: dict[graph.Verdict, State | None] = {
    "run": None,
    "excluded": states.EXCLUDED,
    "upstream_failed": states.UPSTREAM_FAILED,
    "upstream_canceled": states.UPSTREAM_CANCELED,
}
_SIMPLE = {
    "SUCCESS": states.SUCCEEDED,
    "SUCCESS_WITH_FAILURES": states.SUCCEEDED_WITH_FAILURES,
    "CANCELED": states.CANCELED,
}


def _set(stop: asyncio.Future[State], final: State) -> None:
    if not stop.done():
        stop.set_result(final)


def _single_task_state(task: State) -> State:
    """A run of the single-task form shows its task's state, a failure as INTERNAL_ERROR."""
    if task.result != "FAILED":
        return task
    return State("INTERNAL_ERROR", task.message, task.result, task.code, task.kind)
