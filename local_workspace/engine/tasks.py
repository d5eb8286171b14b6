"""What the scheduler hands to a worker pool, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


class NoWorker(Exception):
    """A pool has no worker for a task and can start none; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Who and what a notebook runs for; notebooks read it through `dbutils.notebook.getContext()`."""

    job_id: int
    run_id: int
    task_run_id: int
    task_key: str
    cluster_id: str
    user_name: str
    workspace_id: str
    workspace_url: str


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """One notebook run. Parameters are resolved and win over widget defaults."""

    task_run_id: int
    notebook_path: str
    parameters: dict[str, str]
    context: TaskContext
    task_values: dict[str, dict[str, Any]]
    output_dir: Path


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """How a notebook ended; `crashed` means that its worker died."""

    status: Literal["success", "failed", "crashed"]
    result: str | None = None
    truncated: bool = False
    error: str | None = None
    error_trace: str | None = None
    task_values: dict[str, Any] = field(default_factory=dict)
