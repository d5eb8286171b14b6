"""The records of one active run: every change is in the store before anything else happens."""

from __future__ import annotations

import structlog

from local_workspace.clock import Clock
from local_workspace.compute.cluster import Lease
from local_workspace.runs import states
from local_workspace.runs.records import Output, Repair, Run, TaskRun, graph_of, latest_attempts
from local_workspace.runs.references import UpstreamTask
from local_workspace.runs.states import State
from local_workspace.runs.task_runner import Upstream, is_shown
from local_workspace.store.ids import Ids
from local_workspace.store.runs import RunStore

log = structlog.get_logger(__name__)


class RunBook:
    """A run, the latest attempt of each of its tasks, and what those left for each other."""

    def __init__(
        self, run: Run, attempts: list[TaskRun], *, store: RunStore, clock: Clock, ids: Ids, repair: Repair | None
    ) -> None:
        self.run = run
        self.tasks = latest_attempts(attempts)
        self.graph = graph_of(attempts)
        self._all = attempts
        self._store = store
        self._clock = clock
        self._ids = ids
        self._repair = repair
        self._executing: set[int] = set()
        self._values = {key: self._kept_values(task) for key, task in self.tasks.items() if task.state.is_terminal}

    # The run.

    def begin(self) -> None:
        """The run is PENDING from now on; if it was in the queue, it has waited until now."""
        if self.run.state.life_cycle == "QUEUED":
            self.run.queue_duration += self._clock.now_ms() - self.run.segment_start
        self.enter(states.PENDING)

    def set_parameters(self, values: dict[str, str]) -> None:
        """From now on readers see the values that the notebooks get."""
        for item in self.run.job_parameters:
            item["value"] = values[item["name"]]

    def enter(self, state: State) -> None:
        self.run.state = state
        self._store.save(self.run)

    def close(self, final: State, at_ms: int | None = None) -> None:
        """End the run, and with it whatever of it has not ended. Again, after the store refused: at the same time."""
        now = max(self.run.segment_start, at_ms or self._clock.now_ms())
        for task in (task for task in self.tasks.values() if not task.state.is_terminal):
            task.state = _abandoned(task, final)
            task.end_time = max(now, task.start_time) if task.start_time else 0
        if not self.run.state.is_terminal:
            self.run.run_duration += now - self.run.segment_start
            self.run.end_time = now
        self.run.state = final
        self._store.save(self.run, *self.tasks.values())
        if self._repair is not None:
            self._store.save_repair(_closed(self._repair, self.run))
        log.info("run_ended", run_id=self.run.run_id, result=final.result, life_cycle_state=final.life_cycle)

    # The tasks.

    def began(self, task: TaskRun) -> None:
        """An attempt wants compute."""
        task.start_time = self._clock.now_ms()
        self.record(task, states.WAITING_FOR_CLUSTER)

    def executes(self, task: TaskRun, lease: Lease) -> None:
        """A worker has been found: what came before was set-up, what comes now is execution."""
        self._executing.add(task.run_id)
        task.setup_duration = self._clock.now_ms() - task.start_time
        task.cluster_id = lease.cluster_id if is_shown(lease.cluster_id) else None
        if self.run.state.life_cycle == "PENDING":
            self.run.state = states.RUNNING
        self.record(task, states.RUNNING)

    def record(self, task: TaskRun, state: State, output: Output | None = None) -> None:
        """A task's new state; a terminal one ends its clock and keeps its output."""
        task.state = state
        if state.is_terminal:
            self._values[task.task_key] = output.task_values if output else {}
            self._stop_clock(task)
        self._store.save(self.run, task, output=(task.run_id, output) if output else None)

    def again(self, task: TaskRun) -> TaskRun:
        """The next attempt at a task, waiting for its time."""
        following = next_attempt(task, self._ids, repair_id=task.repair_id)
        self._all.append(following)
        self.tasks[task.task_key] = following
        self.record(following, states.WAITING_FOR_RETRY)
        return following

    def attempts_of_this_stretch(self, task: TaskRun) -> int:
        """Attempts at a task since the run began or was last repaired."""
        return sum(other.task_key == task.task_key and other.repair_id == task.repair_id for other in self._all)

    def upstream(self) -> Upstream:
        """What the finished tasks tell the others."""
        return Upstream({key: self._seen(key, task) for key, task in self.tasks.items() if task.state.is_terminal})

    def results(self) -> dict[str, str]:
        return {key: task.state.result or "" for key, task in self.tasks.items()}

    def _stop_clock(self, task: TaskRun) -> None:
        if not task.start_time:
            return
        task.end_time = self._clock.now_ms()
        whole = max(0, task.end_time - task.start_time)
        if task.run_id in self._executing:
            task.execution_duration = max(0, whole - task.setup_duration)
        else:
            task.setup_duration = whole

    def _seen(self, key: str, task: TaskRun) -> UpstreamTask:
        code = task.state.code if task.state.result == "FAILED" else None
        return UpstreamTask(task.run_id, task.state.result, code, task.attempt_number + 1, self._values.get(key, {}))

    def _kept_values(self, task: TaskRun) -> dict[str, object]:
        output = self._store.output(task.run_id)
        return output.task_values if output else {}


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


def _closed(repair: Repair, run: Run) -> Repair:
    """The item of the repair history once its stretch of the run has ended."""
    return Repair(
        repair.repair_id, repair.run_id, repair.kind, repair.start_time, run.end_time, run.state, repair.task_run_ids
    )


def _abandoned(task: TaskRun, final: State) -> State:
    """Blocked tasks of a stopped run were never tried; those of a canceled one are canceled with it."""
    if final.result == "CANCELED" or task.state.life_cycle != "BLOCKED":
        return final
    return states.UPSTREAM_FAILED if task.depends_on else final
