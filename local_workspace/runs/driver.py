"""One active run, driven to its end: every task starts the moment its upstream has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from local_workspace.clock import Clock
from local_workspace.compute.cluster import Lease
from local_workspace.runs import graph, states
from local_workspace.runs.records import Output, Repair, Run, TaskRun, graph_of, latest_attempts
from local_workspace.runs.references import UpstreamTask
from local_workspace.runs.states import State
from local_workspace.runs.task_runner import Ending, TaskRunner, Upstream, is_shown
from local_workspace.store.ids import Ids
from local_workspace.store.runs import RunStore

log = structlog.get_logger(__name__)


class RunDriver:
    """Owns the records of an active run. Each change is in the store before anything else happens.

    There is no loop: each task waits for the ends of those it depends on, then decides, runs, and announces its own.
    """

    def __init__(
        self,
        run: Run,
        attempts: list[TaskRun],
        *,
        store: RunStore,
        runner: TaskRunner,
        clock: Clock,
        ids: Ids,
        repair: Repair | None = None,
    ) -> None:
        self.run = run
        self._all = attempts
        self._tasks = latest_attempts(attempts)
        self._graph = graph_of(attempts)
        self._store = store
        self._runner = runner
        self._clock = clock
        self._ids = ids
        self._repair = repair
        self._ended = {key: asyncio.Event() for key in self._tasks}
        self._stops: dict[str, asyncio.Future[State]] = {}
        self._stopping: State | None = None
        self._insisted = False
        self._executing: set[int] = set()
        self._values = {key: self._kept_values(task) for key, task in self._tasks.items() if task.state.is_terminal}

    # The life of the run.

    def begin(self) -> None:
        """Leave the queue, if there was one: the run is PENDING from now on."""
        now = self._clock.now_ms()
        if self.run.state.life_cycle == "QUEUED":
            self.run.queue_duration += now - self.run.segment_start
        self._enter(states.PENDING)

    async def drive(self) -> None:
        """Run every task that has not ended and return when the run has."""
        self._resolve_parameters()
        timer = self._start_timer()
        try:
            async with asyncio.TaskGroup() as group:
                for key in self._graph.order():
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
            self._enter(states.terminating(final))
        for stop in self._stops.values():
            _set(stop, self._stopping)

    def cancel_task(self, task_run_id: int) -> None:
        """Stop one attempt; nothing when it is not active."""
        for key, stop in self._stops.items():
            if self._tasks[key].run_id == task_run_id:
                _set(stop, states.CANCELED)

    def abandon(self, final: State, at_ms: int | None = None) -> None:
        """End everything that has not ended, without waiting: the run was never begun, or its workspace stopped."""
        now = max(self.run.segment_start, at_ms or self._clock.now_ms())
        open_tasks = [task for task in self._tasks.values() if not task.state.is_terminal]
        for task in open_tasks:
            task.state = _abandoned(task, final)
            task.end_time = max(now, task.start_time) if task.start_time else 0
        self._close(final, now, open_tasks)

    # The life of a task.

    async def _live(self, group: asyncio.TaskGroup, key: str) -> None:
        for upstream in self._graph.depends_on[key]:
            await self._ended[upstream].wait()
        if not self._tasks[key].state.is_terminal:
            verdict = self._verdict(key)
            if verdict is None:
                await self._attempts(group, key)
            else:
                self._record(self._tasks[key], verdict)
        self._ended[key].set()

    def _verdict(self, key: str) -> State | None:
        """The state of a task that does not run, None for one that does."""
        run_if = self._tasks[key].definition.get("run_if", "ALL_SUCCESS")
        if self._stopping is not None and (self._insisted or run_if not in graph.HANDLES_FAILURE):
            return states.UPSTREAM_CANCELED if self._graph.depends_on[key] else self._stopping
        results = [self._tasks[upstream].state.result or "" for upstream in self._graph.depends_on[key]]
        return _VERDICTS[graph.decide(run_if, results)]

    async def _attempts(self, group: asyncio.TaskGroup, key: str) -> None:
        """Attempt a task until it has succeeded, may not be retried, or was stopped."""
        self._stops[key] = asyncio.get_running_loop().create_future()
        try:
            while True:
                started_at = self._clock.now_ms()
                await self._attempt(group, self._tasks[key], self._stops[key])
                if not self._retries(self._tasks[key]):
                    return
                self._tasks[key] = self._next_attempt(self._tasks[key])
                if not await self._retry_is_due(group, self._tasks[key], started_at):
                    return
        finally:
            del self._stops[key]

    async def _attempt(self, group: asyncio.TaskGroup, task: TaskRun, stop: asyncio.Future[State]) -> None:
        task.start_time = self._clock.now_ms()
        self._record(task, states.WAITING_FOR_CLUSTER)
        work = group.create_task(
            self._runner.run(self.run, task, self._upstream(), lambda lease: self._on(task, lease))
        )
        seconds = int(task.definition.get("timeout_seconds") or 0)
        first: list[asyncio.Future[Any]] = [work, stop]
        await asyncio.wait(first, timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            ending = work.result()
        else:
            ending = await self._stop(task, work, stop.result() if stop.done() else states.timed_out(seconds))
        self._values[task.task_key] = ending.output.task_values if ending.output else {}
        self._record(task, ending.state, ending.output)

    async def _stop(self, task: TaskRun, work: asyncio.Task[Ending], final: State) -> Ending:
        """TERMINATING until the worker is really dead."""
        self._record(task, states.terminating(final))
        work.cancel()
        await asyncio.wait({work})
        message = final.message.removesuffix(".")
        return Ending(final, Output(error=message))

    def _on(self, task: TaskRun, lease: Lease) -> None:
        """A worker has been found: what came before was set-up, what comes now is execution."""
        self._executing.add(task.run_id)
        task.setup_duration = self._clock.now_ms() - task.start_time
        task.cluster_id = lease.cluster_id if is_shown(lease.cluster_id) else None
        if self.run.state.life_cycle == "PENDING":
            self.run.state = states.RUNNING
        self._record(task, states.RUNNING)

    def _retries(self, task: TaskRun) -> bool:
        limit = int(task.definition.get("max_retries") or 0)
        allowed = limit < 0 or self._attempts_of_this_stretch(task) <= limit
        if task.state.result == "TIMEDOUT":
            allowed = allowed and bool(task.definition.get("retry_on_timeout"))
        return allowed and self._stopping is None and task.state.result in ("FAILED", "TIMEDOUT")

    def _attempts_of_this_stretch(self, task: TaskRun) -> int:
        """Attempts since the run began or was last repaired."""
        return sum(other.task_key == task.task_key and other.repair_id == task.repair_id for other in self._all)

    def _next_attempt(self, task: TaskRun) -> TaskRun:
        following = next_attempt(task, self._ids, repair_id=task.repair_id)
        self._all.append(following)
        self._tasks[task.task_key] = following
        self._record(following, states.WAITING_FOR_RETRY)
        return following

    async def _retry_is_due(self, group: asyncio.TaskGroup, task: TaskRun, started_at: int) -> bool:
        """Wait until the interval between the starts of two attempts has passed; False when stopped before."""
        interval_ms = int(task.definition.get("min_retry_interval_millis") or 0)
        wait_s = max(0, started_at + interval_ms - self._clock.now_ms()) / 1000
        sleep = group.create_task(self._clock.sleep(wait_s))
        stop = self._stops[task.task_key]
        first: list[asyncio.Future[Any]] = [sleep, stop]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            return True
        sleep.cancel()
        self._record(task, stop.result())
        return False

    def _upstream(self) -> Upstream:
        return Upstream({key: self._seen(key, task) for key, task in self._tasks.items() if task.state.is_terminal})

    def _seen(self, key: str, task: TaskRun) -> UpstreamTask:
        code = task.state.code if task.state.result == "FAILED" else None
        return UpstreamTask(task.run_id, task.state.result, code, task.attempt_number + 1, self._values.get(key, {}))

    def _kept_values(self, task: TaskRun) -> dict[str, object]:
        output = self._store.output(task.run_id)
        return output.task_values if output else {}

    # The end of the run.

    async def _finish(self) -> None:
        final = self._final_state()
        if self._runner.has_job_clusters(self.run):
            self._enter(states.terminating(final))
            await self._runner.release(self.run)
        self._close(final, self._clock.now_ms(), [])

    def _final_state(self) -> State:
        if self._stopping is not None:
            return self._stopping
        if self.run.single_task:
            return _single_task_state(next(iter(self._tasks.values())).state)
        results = {key: task.state.result or "" for key, task in self._tasks.items()}
        result = graph.outcome(self._graph, results)
        if result in _SIMPLE:
            return _SIMPLE[result]
        key = next(key for key in self._graph.order() if results[key] in _CAUSES)
        cause = self._tasks[key].state
        return cause if result == "TIMEDOUT" else states.run_failed(key, cause.message)

    def _close(self, final: State, now: int, changed: Iterable[TaskRun]) -> None:
        self.run.state = final
        self.run.end_time = now
        self.run.run_duration += now - self.run.segment_start
        self._store.save(self.run, *changed)
        if self._repair is not None:
            self._store.save_repair(closed(self._repair, self.run))
        log.info("run_ended", run_id=self.run.run_id, result=final.result, life_cycle_state=final.life_cycle)

    def _enter(self, state: State) -> None:
        self.run.state = state
        self._store.save(self.run)

    def _record(self, task: TaskRun, state: State, output: Output | None = None) -> None:
        task.state = state
        if state.is_terminal and task.start_time:
            task.end_time = self._clock.now_ms()
            if task.run_id in self._executing:
                task.execution_duration = max(0, task.end_time - task.start_time - task.setup_duration)
            else:
                task.setup_duration = max(0, task.end_time - task.start_time)
        self._store.save(self.run, task, output=(task.run_id, output) if output else None)

    def _resolve_parameters(self) -> None:
        """From the start of the run on, readers see the values that the notebooks get."""
        values = self._runner.job_parameters(self.run)
        for item in self.run.job_parameters:
            item["value"] = values[item["name"]]

    def _start_timer(self) -> asyncio.TimerHandle | None:
        seconds = self.run.timeout_seconds
        if not seconds:
            return None
        return asyncio.get_running_loop().call_later(seconds, self._time_out, seconds)

    def _time_out(self, seconds: int) -> None:
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


def next_attempt(task: TaskRun, ids: Ids, *, repair_id: int | None) -> TaskRun:
    """A further attempt at a task: a run_id of its own, and a link to the first."""
    return TaskRun(
        run_id=ids.next(),
        parent_run_id=task.parent_run_id,
        task_key=task.task_key,
        definition=task.definition,
        attempt_number=task.attempt_number + 1,
        original_attempt_run_id=task.original_attempt_run_id or task.run_id,
        repair_id=repair_id,
    )


def closed(repair: Repair, run: Run) -> Repair:
    """The item of the repair history once its stretch of the run has ended."""
    return Repair(
        repair.repair_id, repair.run_id, repair.kind, repair.start_time, run.end_time, run.state, repair.task_run_ids
    )


def _set(stop: asyncio.Future[State], final: State) -> None:
    if not stop.done():
        stop.set_result(final)


def _abandoned(task: TaskRun, final: State) -> State:
    """Blocked tasks of a stopped run were never tried; those of a canceled one are canceled with it."""
    if final.result == "CANCELED" or task.state.life_cycle != "BLOCKED":
        return final
    return states.UPSTREAM_FAILED if task.depends_on else final


def _single_task_state(task: State) -> State:
    """A run of the single-task form shows its task's state, a failure as INTERNAL_ERROR."""
    if task.result != "FAILED":
        return task
    return State("INTERNAL_ERROR", task.message, task.result, task.code, task.kind)
