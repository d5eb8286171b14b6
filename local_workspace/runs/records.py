"""A run and its task attempts as they are kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from local_workspace.runs.graph import Graph
from local_workspace.runs.states import BLOCKED, State


@dataclass(slots=True)
class TaskRun:
    """One attempt at a task. Times are epoch milliseconds, 0 = not yet; durations are milliseconds."""

    run_id: int
    parent_run_id: int
    task_key: str
    definition: dict[str, Any]
    attempt_number: int = 0
    original_attempt_run_id: int = 0
    repair_id: int | None = None
    state: State = BLOCKED
    start_time: int = 0
    end_time: int = 0
    setup_duration: int = 0
    execution_duration: int = 0
    cleanup_duration: int = 0
    cluster_id: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def depends_on(self) -> tuple[str, ...]:
        return tuple(item["task_key"] for item in self.definition.get("depends_on", ()))

    def document(self) -> dict[str, Any]:
        return _document(self)


@dataclass(slots=True)
class Run:
    """One execution of a job, or of tasks that were submitted without one.

    `segment_start` is when the current stretch of activity began: the start of the run or of its latest repair.
    """

    run_id: int
    job_id: int
    job_name: str
    run_name: str
    run_type: str
    creator: str
    start_time: int
    state: State
    end_time: int = 0
    segment_start: int = 0
    run_duration: int = 0
    queue_duration: int = 0
    timeout_seconds: int = 0
    max_concurrent_runs: int = 1
    queue_enabled: bool = False
    single_task: bool = False
    repair_count: int = 0
    trigger: str = "ONE_TIME"
    description: str | None = None
    job_clusters: list[dict[str, Any]] = field(default_factory=list)
    job_parameters: list[dict[str, Any]] = field(default_factory=list)
    notebook_params: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return _document(self)


@dataclass(frozen=True, slots=True)
class Repair:
    """An item of a run's repair history. The first is the original run, which has no id of its own to show."""

    repair_id: int
    run_id: int
    kind: str
    start_time: int
    end_time: int
    state: State
    task_run_ids: list[int]

    def document(self) -> dict[str, Any]:
        return _document(self)


@dataclass(frozen=True, slots=True)
class Output:
    """What a task left behind: the notebook's exit value, or why it failed."""

    result: str | None = None
    truncated: bool = False
    error: str | None = None
    error_trace: str | None = None
    task_values: dict[str, Any] = field(default_factory=dict)


def _document(record: TaskRun | Run | Repair) -> dict[str, Any]:
    values = {item.name: getattr(record, item.name) for item in fields(record)}
    return values | {"state": record.state.document()}


def task_run_of(document: dict[str, Any]) -> TaskRun:
    return TaskRun(**document | {"state": State(**document["state"])})


def run_of(document: dict[str, Any]) -> Run:
    return Run(**document | {"state": State(**document["state"])})


def repair_of(document: dict[str, Any]) -> Repair:
    return Repair(**document | {"state": State(**document["state"])})


def output_document(output: Output) -> dict[str, Any]:
    return asdict(output)


def latest_attempts(attempts: list[TaskRun]) -> dict[str, TaskRun]:
    """The highest attempt of each task, in the order in which the tasks were declared."""
    latest: dict[str, TaskRun] = {}
    for attempt in attempts:
        known = latest.get(attempt.task_key)
        if known is None or attempt.attempt_number > known.attempt_number:
            latest[attempt.task_key] = attempt
    return latest


def graph_of(attempts: list[TaskRun]) -> Graph:
    return Graph({key: attempt.depends_on for key, attempt in latest_attempts(attempts).items()})
