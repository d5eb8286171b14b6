"""Dynamic value references: `{{job.run_id}}`, `{{tasks.bronze.values.rows}}` and the rest, in parameters and paths.

Source: the documentation of dynamic value references. There are no expressions; all times are UTC. What is in no known
namespace stays as it is written; what is unknown inside one is an error when the job is created.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_REFERENCE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"`([^`]+)`|([^.`]+)")
_START_TIME = (
    "iso_date", "iso_datetime", "year", "month", "day", "hour", "minute", "second", "timestamp_ms",
    "iso_weekday", "is_weekday",
)  # fmt: skip
_LEGACY = {
    "job_id": "job.id", "run_id": "task.run_id", "parent_run_id": "job.run_id", "task_key": "task.name",
    "start_date": "job.start_time.iso_date", "start_time": "job.start_time.timestamp_ms",
    "task_retry_count": "task.retry_count",
}  # fmt: skip
_KNOWN = {
    "job": [
        r"id", r"name", r"run_id", r"repair_count", rf"start_time\.({'|'.join(_START_TIME)})", r"parameters\..+",
        r"trigger\.type", r"trigger\.file_arrival\.location", rf"trigger\.time\.({'|'.join(_START_TIME)})",
    ],
    "task": [r"name", r"run_id", r"execution_count", r"notebook_path"],
    "tasks": [r".+\.(run_id|result_state|error_code|execution_count)", r".+\.values\..+", r".+\.output\..+"],
    "workspace": [r"id", r"url"],
    "input": [r".*"],
}  # fmt: skip


class BadReference(ValueError):
    """A reference inside a known namespace that means nothing, or whose value does not exist."""


@dataclass(frozen=True, slots=True)
class UpstreamTask:
    """What a reference may ask about another task of the run."""

    run_id: int
    result: str | None
    error_code: str | None
    execution_count: int
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a reference can reach. Without a task (job parameters) the task names do not exist."""

    job_id: int
    job_name: str
    run_id: int
    start_time_ms: int
    repair_count: int
    trigger: str
    workspace_id: str
    workspace_url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    task: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, UpstreamTask] = field(default_factory=dict)


def check(text: str) -> None:
    """Raises BadReference when `text` holds an unknown name inside a known namespace."""
    for match in _REFERENCE.finditer(text):
        name = match[1]
        root, _, rest = name.partition(".")
        if root in _KNOWN and not any(re.fullmatch(known, rest) for known in _KNOWN[root]):
            raise BadReference(f"The dynamic value reference '{{{{{name}}}}}' is unknown.")


def resolve(text: str, scope: Scope) -> str:
    """`text` with every known reference replaced.

    Raises: BadReference when a referenced task value was never set.
    """
    return _REFERENCE.sub(lambda match: _value(match, scope), text)


def _value(match: re.Match[str], scope: Scope) -> str:
    parts = [quoted or plain for quoted, plain in _PART.findall(_LEGACY.get(match[1], match[1]))]
    found = _lookup(parts, scope)
    return match[0] if found is None else found


def _lookup(parts: list[str], scope: Scope) -> str | None:
    match parts:
        case ["job", *rest]:
            return _job(rest, scope)
        case ["task", name]:
            return scope.task.get(name)
        case ["tasks", key, *rest]:
            return _task(key, rest, scope)
        case ["workspace", "id"]:
            return scope.workspace_id
        case ["workspace", "url"]:
            return scope.workspace_url
    return None


def _job(parts: list[str], scope: Scope) -> str | None:
    match parts:
        case ["start_time", form]:
            return start_time(scope.start_time_ms, form)
        case ["parameters", *name]:
            return scope.parameters.get(".".join(name))
        case ["trigger", "type"]:
            return scope.trigger.lower()
        case [name]:
            plain = {"id": scope.job_id, "name": scope.job_name, "run_id": scope.run_id}
            plain["repair_count"] = scope.repair_count
            return str(plain[name]) if name in plain else None
    return None


def start_time(start_time_ms: int, form: str) -> str | None:
    """One of the documented forms of a run's start, in UTC."""
    at = datetime.fromtimestamp(start_time_ms / 1000, UTC)
    forms = {
        "iso_date": at.date().isoformat(),
        "iso_datetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timestamp_ms": str(start_time_ms),
        "iso_weekday": str(at.isoweekday()),
        "is_weekday": str(at.isoweekday() < 6).lower(),
    }
    for part in ("year", "month", "day", "hour", "minute", "second"):
        forms[part] = str(getattr(at, part))
    return forms.get(form)


def _task(key: str, parts: list[str], scope: Scope) -> str | None:
    task = scope.tasks.get(key)
    if task is None:
        return None
    match parts:
        case ["values", *name]:
            return _task_value(key, ".".join(name), task)
        case ["run_id"]:
            return str(task.run_id)
        case ["result_state"]:
            return (task.result or "").lower()
        case ["error_code"]:
            return task.error_code or ""
        case ["execution_count"]:
            return str(task.execution_count)
    return None


def _task_value(key: str, name: str, task: UpstreamTask) -> str:
    if name not in task.values:
        raise BadReference(f"Task {key!r} has set no task value {name!r}.")
    value = task.values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
