"""Cancelling, deleting and repairing runs."""

from __future__ import annotations

from typing import Any

from local_workspace.api.http import ApiError, boolean, integer, invalid
from local_workspace.clock import Clock
from local_workspace.runs.book import next_attempt
from local_workspace.runs.definitions import parameter_values
from local_workspace.runs.graph import Graph
from local_workspace.runs.records import Repair, Run, TaskRun, graph_of, latest_attempts
from local_workspace.runs.scheduler import Scheduler
from local_workspace.store.ids import Ids
from local_workspace.store.jobs import JobStore
from local_workspace.store.runs import RunFilter, RunStore

_DONE = frozenset({"SUCCESS", "EXCLUDED", "DISABLED"})
_EVERYTHING = 1_000_000


class Lifecycle:
    """What can be done to a run that exists."""

    def __init__(self, *, jobs: JobStore, runs: RunStore, scheduler: Scheduler, clock: Clock, ids: Ids) -> None:
        self._jobs = jobs
        self._runs = runs
        self._scheduler = scheduler
        self._clock = clock
        self._ids = ids

    def cancel(self, run_id: int) -> None:
        """Begin to cancel a run or one task run; a run that has ended keeps its outcome. Raises: ApiError."""
        if self._runs.run(run_id) is not None:
            self._scheduler.cancel(run_id)
            return
        task = self._runs.task_run(run_id)
        if task is None:
            raise invalid(f"Run {run_id} does not exist.")
        self._scheduler.cancel_task(task.parent_run_id, run_id)

    def cancel_all(self, job_id: int | None, *, queued_only: bool) -> None:
        """Begin to cancel every active run of a job, or every queued run (of the workspace when no job is named)."""
        if job_id is None and not queued_only:
            raise invalid("job_id is required, unless all_queued_runs is true.")
        for run in self._runs.page(
            RunFilter(job_id, active=True), limit=_EVERYTHING, before=None, after=None, offset=0
        ):
            if not queued_only or run.state.life_cycle == "QUEUED":
                self._scheduler.cancel(run.run_id)

    def delete(self, run_id: int) -> None:
        """Forget a run that has ended. Raises: ApiError."""
        run = self._existing(run_id)
        if not run.state.is_terminal:
            raise ApiError(400, "INVALID_STATE", f"Run {run_id} is active; cancel it before deleting it.")
        self._runs.delete(run_id)

    def repair(self, values: dict[str, Any]) -> int:
        """Reopen a run and run some of its tasks again under the same run_id; returns the repair's id.

        When this returns, the run is not terminal any more. Raises: ApiError.
        """
        run = self._existing(integer(values, "run_id"))
        if not run.state.is_terminal:
            raise ApiError(
                400, "INVALID_STATE", f"Run {run.run_id} is active; only a run that has ended can be repaired."
            )
        history = self._runs.repairs(run.run_id)
        _check_latest(history, values)
        attempts = self._runs.attempts(run.run_id)
        keys = _chosen(attempts, values)
        return self._reopen(run, attempts, keys, history, values)

    def _reopen(
        self, run: Run, attempts: list[TaskRun], keys: list[str], history: list[Repair], values: dict[str, Any]
    ) -> int:
        history = history or [self._original(run, attempts)]
        repair_id = self._ids.next()
        self._override(run, values)
        self._use_current_definitions(run, attempts, keys)
        latest = latest_attempts(attempts)
        new = [next_attempt(latest[key], self._ids, repair_id=repair_id) for key in keys]
        run.repair_count += 1
        run.segment_start, run.end_time = self._clock.now_ms(), 0
        run.state = self._scheduler.initial_state(run)
        if run.state.is_terminal:
            raise ApiError(400, "INVALID_STATE", run.state.message)
        ids = [task.run_id for task in new]
        repair = Repair(repair_id, run.run_id, "REPAIR", run.segment_start, 0, run.state, ids)
        self._runs.repair(run, new, [*history, repair])
        self._scheduler.admit(run, [*attempts, *new], repair)
        return repair_id

    def _existing(self, run_id: int) -> Run:
        run = self._runs.run(run_id)
        if run is None:
            raise invalid(f"Run {run_id} does not exist.")
        return run

    def _original(self, run: Run, attempts: list[TaskRun]) -> Repair:
        task_ids = [task.run_id for task in latest_attempts(attempts).values()]
        return Repair(self._ids.next(), run.run_id, "ORIGINAL", run.start_time, run.end_time, run.state, task_ids)

    def _override(self, run: Run, values: dict[str, Any]) -> None:
        given = parameter_values(values, "job_parameters")
        kept = {item["name"]: item for item in run.job_parameters}
        for name, value in given.items():
            kept[name] = {**kept.get(name, {"name": name, "default": ""}), "value": value}
        run.job_parameters = [kept[name] for name in sorted(kept)]
        run.notebook_params = run.notebook_params | parameter_values(values, "notebook_params")

    def _use_current_definitions(self, run: Run, attempts: list[TaskRun], keys: list[str]) -> None:
        """A repair runs the tasks as the job describes them today, as far as it still has them."""
        job = self._jobs.get(run.job_id)
        current = {task["task_key"]: task for task in job.settings["tasks"]} if job else {}
        for key, task in latest_attempts(attempts).items():
            if (
                key in keys
                and key in current
                and set(_upstream(current[key])) <= {other.task_key for other in attempts}
            ):
                task.definition = current[key]


def _upstream(definition: dict[str, Any]) -> list[str]:
    return [item["task_key"] for item in definition.get("depends_on", ())]


def _check_latest(history: list[Repair], values: dict[str, Any]) -> None:
    """From the second repair on the caller must name the latest one: two callers never repair past each other."""
    if not history:
        return
    latest = history[-1].repair_id
    if values.get("latest_repair_id") in (None, "", 0) or integer(values, "latest_repair_id") != latest:
        raise invalid(f"latest_repair_id must be the id of the latest repair of this run, {latest}.")


def _chosen(attempts: list[TaskRun], values: dict[str, Any]) -> list[str]:
    """The keys of the tasks to run again, in their declared order. Raises: ApiError."""
    named, all_failed = values.get("rerun_tasks"), boolean(values, "rerun_all_failed_tasks", False)
    if bool(named) == all_failed:
        raise invalid("Give either rerun_tasks or rerun_all_failed_tasks.")
    latest, graph = latest_attempts(attempts), graph_of(attempts)
    keys = _failed(latest, graph) if all_failed else _named(named, latest)
    if boolean(values, "rerun_dependent_tasks", False):
        keys |= {key for key in graph.downstream(keys) if latest[key].state.result != "DISABLED"}
    if not keys:
        raise invalid("The run has no failed task to repair.")
    return [key for key in latest if key in keys]


def _named(named: Any, latest: dict[str, TaskRun]) -> set[str]:
    if not isinstance(named, list) or not all(isinstance(key, str) for key in named):
        raise invalid("rerun_tasks must be a list of task keys.")
    for key in named:
        if key not in latest:
            raise invalid(f"Task {key!r} is not a task of this run.")
    return set(named)


def _failed(latest: dict[str, TaskRun], graph: Graph) -> set[str]:
    """Tasks that did not succeed, and those left out because of them, whose condition may now be another."""
    failed = {key for key, task in latest.items() if task.state.result not in _DONE}
    left_out = {key for key, task in latest.items() if task.state.result == "EXCLUDED"}
    return failed | (graph.downstream(failed) & left_out)
