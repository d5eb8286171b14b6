"""Reading the workspace's raw answers into what one look at a run showed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.layers import TASK_KEYS, TASK_LAYER, task_of_notebook
from app.domain.run_states import SeenState, read_state

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
RUN_NAME_PREFIX = "PetInsure360 "


@dataclass(frozen=True, slots=True)
class SeenTask:
    """One attempt of one task, as the workspace told it. Times are UTC, durations seconds."""

    task_run_id: int
    task_key: str
    attempt_number: int
    position: int
    our_task: str | None
    notebook_path: str | None
    status: SeenState
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    setup_s: float | None
    queue_s: float | None

    @property
    def layer(self) -> str | None:
        """The layer of our task that this is, if it is one."""
        return TASK_LAYER[self.our_task].value if self.our_task else None


@dataclass(frozen=True, slots=True)
class SeenRun:
    """One look at a run."""

    run_id: int
    job_id: int | None
    run_name: str | None
    job_url: str | None
    creator: str | None
    status: SeenState
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    queue_s: float | None
    tasks: tuple[SeenTask, ...]
    parameters: Mapping[str, str]
    incomplete: bool  # the listing held back some tasks; runs/get has them

    @property
    def submission_id(self) -> str | None:
        """The ledger's id that travelled with the run, when we started it."""
        given = self.parameters.get("submission_id", "")
        if _UUID.fullmatch(given):
            return given
        name = self.run_name or ""
        found = _UUID.search(name) if name.startswith(RUN_NAME_PREFIX) else None
        return found.group() if found else None

    @property
    def claim_ids(self) -> tuple[str, ...]:
        """The claims the run was limited to, as far as its parameters tell."""
        return tuple(part for part in self.parameters.get("claim_ids", "").split(",") if part)

    def latest_tasks(self) -> tuple[SeenTask, ...]:
        """The newest attempt of each task, in order."""
        newest: dict[str, SeenTask] = {}
        for task in self.tasks:
            newest[task.task_key] = task  # tasks are ordered, attempts of one task by age
        return tuple(newest.values())


def read_run(raw: Mapping[str, Any]) -> SeenRun:
    """A run of runs/get or of runs/list with its tasks. Missing fields are None, never guessed."""
    return SeenRun(
        run_id=int(raw["run_id"]),
        job_id=_int(raw.get("job_id")),
        run_name=raw.get("run_name"),
        job_url=raw.get("run_view_url") or raw.get("run_page_url"),
        creator=raw.get("creator_user_name"),
        status=read_state(raw),
        started_at=_instant(raw.get("start_time")),
        ended_at=_instant(raw.get("end_time")),
        duration_s=_seconds(raw.get("run_duration")),
        queue_s=_seconds(raw.get("queue_duration")),
        tasks=_read_tasks(raw),
        parameters=_read_parameters(raw),
        incomplete=bool(raw.get("has_more")) or bool(raw.get("next_page_token")),
    )


def _read_tasks(raw: Mapping[str, Any]) -> tuple[SeenTask, ...]:
    entries: Sequence[Mapping[str, Any]] = raw.get("tasks") or ([raw] if raw.get("notebook_task") else [])
    order = {key: place for place, key in enumerate(_in_order(entries))}
    seen = [_read_task(entry, order[_task_key(entry)]) for entry in entries]
    return tuple(sorted(seen, key=lambda task: (task.position, task.attempt_number, task.task_run_id)))


def _read_task(entry: Mapping[str, Any], position: int) -> SeenTask:
    notebook_path = (entry.get("notebook_task") or {}).get("notebook_path")
    task_key = _task_key(entry)
    started_at, ended_at = _instant(entry.get("start_time")), _instant(entry.get("end_time"))
    parts = [_seconds(entry.get(f"{part}_duration")) for part in ("setup", "execution", "cleanup")]
    known = [part for part in parts if part is not None]
    duration_s = sum(known) if any(known) else None
    if duration_s is None and started_at and ended_at:
        duration_s = (ended_at - started_at).total_seconds()
    our_task = task_of_notebook(notebook_path) or (
        task_key if notebook_path is None and task_key in TASK_KEYS else None
    )
    return SeenTask(
        task_run_id=int(entry["run_id"]),
        task_key=task_key,
        attempt_number=_int(entry.get("attempt_number")) or 0,
        position=position,
        our_task=our_task,
        notebook_path=notebook_path,
        status=read_state(entry),
        started_at=started_at,
        ended_at=ended_at,
        duration_s=duration_s if ended_at else None,
        setup_s=parts[0],
        queue_s=_seconds(entry.get("queue_duration")),
    )


def _task_key(entry: Mapping[str, Any]) -> str:
    """A run without tasks (the old single-task shape) is its own only task."""
    return str(entry.get("task_key") or "main")


def _in_order(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Task keys so that each follows what it depends on; otherwise as listed."""
    upstream: dict[str, set[str]] = {}
    for entry in entries:
        needed = {str(one.get("task_key")) for one in entry.get("depends_on") or []}
        upstream.setdefault(_task_key(entry), set()).update(needed)
    ordered: list[str] = []
    waiting = list(upstream)
    while waiting:
        ready = [key for key in waiting if upstream[key] <= set(ordered) or not upstream[key] & set(waiting)]
        for key in ready or waiting:  # a circle cannot be, but must not hang us
            ordered.append(key)
        waiting = [key for key in waiting if key not in ordered]
    return ordered


def _read_parameters(raw: Mapping[str, Any]) -> dict[str, str]:
    named: dict[str, str] = {}
    for one in raw.get("job_parameters") or []:
        named[str(one.get("name"))] = str(one.get("value") if one.get("value") is not None else one.get("default", ""))
    overriding = (raw.get("overriding_parameters") or {}).get("notebook_params") or {}
    return named | {str(name): str(value) for name, value in overriding.items()}


def _instant(epoch_ms: object) -> datetime | None:
    """Epoch milliseconds as UTC; 0 means "not yet"."""
    value = _int(epoch_ms)
    if not value:
        return None
    seconds, millis = divmod(value, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=millis * 1000)


def _seconds(milliseconds: object) -> float | None:
    value = _int(milliseconds)
    return None if value is None else value / 1000


def _int(value: object) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError:
        return None
