"""Runs and task runs in the words of the Jobs API."""

from __future__ import annotations

from typing import Any

from local_workspace.runs.links import RunLinks
from local_workspace.runs.records import Repair, Run, TaskRun, latest_attempts

PAGE = 100  # tasks, clusters and parameters per answer, as in the Jobs API 2.2


def run_json(run: Run, attempts: list[TaskRun], links: RunLinks) -> dict[str, Any]:
    """A run without its tasks. `attempts` are those of the run; a single-task run shows its task's durations."""
    told: dict[str, Any] = {
        "job_id": run.job_id,
        "run_id": run.run_id,
        "job_run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "attempt_number": 0,
        "creator_user_name": run.creator,
        "run_name": run.run_name,
        "run_type": run.run_type,
        "format": "SINGLE_TASK" if run.single_task else "MULTI_TASK",
        "trigger": run.trigger,
        "trigger_info": {},
        "run_page_url": links.page_url(run.job_id, run.run_id),
        "run_view_url": links.url(run.run_id),
        "start_time": run.start_time,
        "end_time": run.end_time,
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "run_duration": run.run_duration,
        "queue_duration": run.queue_duration,
        "state": run.state.legacy(),
        "status": run.state.status(),
    }
    told |= {"description": run.description} if run.description else {}
    told |= {"overriding_parameters": {"notebook_params": run.notebook_params}} if run.notebook_params else {}
    if run.single_task and attempts:
        task = next(iter(latest_attempts(attempts).values()))
        told |= _durations(task)
        told |= {"cluster_instance": {"cluster_id": task.cluster_id}} if task.cluster_id else {}
    return told


def with_tasks(
    run: Run, attempts: list[TaskRun], links: RunLinks, *, first: int = 0, resolved: bool = False
) -> dict[str, Any]:
    """A run with a page of its arrays; the token of the next page is left out on the last, as SDKs demand."""
    told = run_json(run, attempts, links)
    page = attempts[first : first + PAGE]
    told["tasks"] = [task_json(run, attempt, links, resolved=resolved) for attempt in page]
    if first == 0:
        told |= {"job_clusters": run.job_clusters[:PAGE]} if run.job_clusters else {}
        told |= {"job_parameters": run.job_parameters[:PAGE]} if run.job_parameters else {}
    if len(attempts) > first + PAGE:
        told["next_page_token"] = str(first + PAGE)
    return told


def task_json(run: Run, attempt: TaskRun, links: RunLinks, *, resolved: bool = False) -> dict[str, Any]:
    """An entry of `tasks[]`: the task's definition and what became of this attempt."""
    told: dict[str, Any] = {name: value for name, value in attempt.definition.items() if name != "email_notifications"}
    told |= {
        "run_id": attempt.run_id,
        "attempt_number": attempt.attempt_number,
        "start_time": attempt.start_time,
        "end_time": attempt.end_time,
        "queue_duration": 0,
        "run_page_url": links.page_url(run.job_id, attempt.run_id),
        "state": attempt.state.legacy(),
        "status": attempt.state.status(),
    } | _durations(attempt)
    if attempt.cluster_id:
        told["cluster_instance"] = {"cluster_id": attempt.cluster_id}
    if resolved:
        told["resolved_values"] = {"notebook_task": {"base_parameters": attempt.parameters}}
    return told


def task_run_json(run: Run, attempt: TaskRun, links: RunLinks) -> dict[str, Any]:
    """What runs/get answers for the id of a task run."""
    told = run_json(run, [], links)
    told |= {
        "run_id": attempt.run_id,
        "number_in_job": attempt.run_id,
        "original_attempt_run_id": attempt.original_attempt_run_id or attempt.run_id,
        "parent_run_id": run.run_id,
        "task_key": attempt.task_key,
        "run_name": attempt.task_key,
        "tasks": [task_json(run, attempt, links)],
        "attempt_number": attempt.attempt_number,
        "run_page_url": links.page_url(run.job_id, attempt.run_id),
        "start_time": attempt.start_time,
        "end_time": attempt.end_time,
        "run_duration": _total(attempt),
        "queue_duration": 0,
        "state": attempt.state.legacy(),
        "status": attempt.state.status(),
    } | _durations(attempt)
    return told


def repair_json(item: Repair, run: Run, *, is_latest: bool) -> dict[str, Any]:
    """An item of the repair history; the latest shows the run's present state."""
    state, end_time = (run.state, run.end_time) if is_latest else (item.state, item.end_time)
    told = {
        "type": item.kind,
        "start_time": item.start_time,
        "end_time": end_time,
        "state": state.legacy(),
        "status": state.status(),
        "task_run_ids": item.task_run_ids,
    }
    return told if item.kind == "ORIGINAL" else told | {"id": item.repair_id}


def original_json(run: Run, attempts: list[TaskRun]) -> dict[str, Any]:
    """The only item of the history of a run that was never repaired."""
    task_ids = [task.run_id for task in latest_attempts(attempts).values()]
    item = Repair(0, run.run_id, "ORIGINAL", run.start_time, run.end_time, run.state, task_ids)
    return repair_json(item, run, is_latest=True)


def _durations(attempt: TaskRun) -> dict[str, int]:
    return {
        "setup_duration": attempt.setup_duration,
        "execution_duration": attempt.execution_duration,
        "cleanup_duration": attempt.cleanup_duration,
    }


def _total(attempt: TaskRun) -> int:
    return attempt.setup_duration + attempt.execution_duration + attempt.cleanup_duration
