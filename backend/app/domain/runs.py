"""Runs and tasks as we keep them: values that events carry and state rows repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

from app.domain.clock import iso

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One attempt of one task of a run."""

    task_run_id: int
    task_key: str
    attempt_number: int
    position: int
    layer: str | None = None
    notebook_path: str | None = None
    state: str | None = None
    result: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    setup_s: float | None = None
    queue_s: float | None = None
    progress: Json | None = None
    records: Json | None = None
    tables: list[Any] | None = None
    error: Json | None = None
    output_read: bool = False

    def as_json(self) -> dict[str, Any]:
        """The form events carry; `from_json` reads it back unchanged."""
        body = {name: getattr(self, name) for name in _TASK_FIELDS}
        body["started_at"], body["ended_at"] = _wire(self.started_at), _wire(self.ended_at)
        return body

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """The record that `as_json` wrote."""
        known = {field.name: body[field.name] for field in fields(cls) if field.name in body}
        for name in ("started_at", "ended_at"):
            known[name] = parse_instant(known.get(name))
        return cls(**known)


_TASK_FIELDS = tuple(field.name for field in fields(TaskRecord))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: the fold of its events. `tasks` holds every attempt; `task_keys` the keys in order."""

    workspace_id: str
    run_id: int
    submission_id: str | None
    job_id: int | None
    layer: str | None
    task_keys: tuple[str, ...]
    task_set: str | None
    claim_ids: tuple[str, ...]
    job_url: str | None
    requested_by: str | None
    requested_at: datetime
    attempt: int = 0
    attempt_since: datetime | None = None
    active: bool = True
    state: str | None = None
    result: str | None = None
    phase: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    queue_s: float | None = None
    setup_s: float | None = None
    progress: Json | None = None
    records: Json | None = None
    tables: list[Any] | None = None
    eta: Json | None = None
    eta_at: datetime | None = None
    eta_cause: Json | None = None
    error: Json | None = None
    retryable: bool | None = None
    progress_seen: bool = False
    adopted: bool = False  # it had ended before this store first met its workspace
    seq: int = 0
    tasks: tuple[TaskRecord, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Everything but the place in the log; `from_json` reads it back unchanged."""
        body = {field.name: _wire(getattr(self, field.name)) for field in fields(self) if field.name != "seq"}
        return body | {"tasks": [task.as_json() for task in self.tasks]}

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """The record that `as_json` wrote."""
        known = {field.name: body[field.name] for field in fields(cls) if field.name in body}
        for name in ("requested_at", "attempt_since", "started_at", "ended_at", "eta_at"):
            known[name] = parse_instant(known.get(name))
        known["tasks"] = tuple(TaskRecord.from_json(task) for task in body["tasks"])
        return cls(**known | {name: tuple(body[name]) for name in ("task_keys", "claim_ids")})

    def shows(self, task_key: str) -> bool:
        """Whether a task of the job belongs to this run; all do where nobody chose."""
        return not self.task_keys or task_key in self.task_keys

    def latest_tasks(self) -> tuple[TaskRecord, ...]:
        """The newest attempt of each task, in order."""
        newest: dict[str, TaskRecord] = {}
        for task in sorted(self.tasks, key=lambda one: (one.position, one.attempt_number, one.task_run_id)):
            newest[task.task_key] = task
        return tuple(newest.values())

    def task(self, task_key: str) -> TaskRecord | None:
        """The newest attempt of the task, or None."""
        return next((one for one in self.latest_tasks() if one.task_key == task_key), None)

    def at(self, seq: int) -> RunRecord:
        """The same record, said to be as of event `seq`."""
        return replace(self, seq=seq)


def parse_instant(value: Any) -> datetime | None:
    """An instant from its wire form (or one already parsed)."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value)


def to_millis(at: datetime) -> datetime:
    """The instant as the wire carries it, so that what is stored equals what was sent."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _wire(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value
