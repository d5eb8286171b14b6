"""`dbutils` as notebooks know it, on the local workspace."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_workspace.engine.tasks import TaskRequest
from local_workspace.notebooks.context import NotebookContext
from local_workspace.notebooks.fs import FileSystem
from local_workspace.notebooks.recording import Recording
from local_workspace.notebooks.widgets import Widgets
from local_workspace.storage import Storage

MAX_TASK_VALUE_BYTES = 48 * 1024
MAX_TASK_VALUES = 250
RunChild = Callable[[str, float, dict[str, str]], str]


class NotebookExit(BaseException):
    """Ends a notebook with a value. Not an Exception, so that `except Exception` around it does not hold it back."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class WorkflowException(Exception):
    """A child notebook failed or took too long."""


@dataclass
class SecretMetadata:
    key: str


@dataclass
class SecretScope:
    name: str

    def getName(self) -> str:
        return self.name


class NotebookUtils:
    def __init__(self, context: NotebookContext, run_child: RunChild) -> None:
        self._context = context
        self._run_child = run_child
        self.entry_point = EntryPoint(self)

    def exit(self, value: Any = "") -> None:
        """End the notebook as a success with this value."""
        raise NotebookExit(str(value))

    def run(self, path: str, timeout_seconds: float = 0, arguments: dict[str, Any] | None = None) -> str:
        """Run a notebook in a namespace of its own and return its exit value. Raises: WorkflowException."""
        return self._run_child(path, timeout_seconds, {key: str(value) for key, value in (arguments or {}).items()})

    def getContext(self) -> NotebookContext:
        return self._context


class EntryPoint:
    """The way of older notebooks to the context: `entry_point.getDbutils().notebook().getContext()`."""

    def __init__(self, notebook: NotebookUtils) -> None:
        self._notebook = notebook

    def getDbutils(self) -> EntryPoint:
        return self

    def notebook(self) -> NotebookUtils:
        return self._notebook


@dataclass
class TaskValues:
    """`dbutils.jobs.taskValues`: small JSON values for the tasks that follow."""

    upstream: dict[str, dict[str, Any]]
    own: dict[str, Any] = field(default_factory=dict)

    def set(self, key: str, value: Any) -> None:
        """Raises: ValueError beyond 48 KiB or 250 keys, TypeError when the value has no JSON form."""
        if len(json.dumps(value).encode()) > MAX_TASK_VALUE_BYTES:
            raise ValueError(f"The value of task value {key!r} is larger than 48 KiB.")
        if key not in self.own and len(self.own) >= MAX_TASK_VALUES:
            raise ValueError(f"A run cannot have more than {MAX_TASK_VALUES} task values.")
        self.own[key] = value

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:
        """Inside a job `debugValue` is not used; without a default a missing value raises ValueError."""
        values = self.upstream.get(taskKey, {})
        if key in values:
            return values[key]
        if default is None:
            raise ValueError(f"Task value {key!r} of task {taskKey!r} is not set, and no default was given.")
        return default


@dataclass
class Jobs:
    taskValues: TaskValues


class Secrets:
    """Scopes from `secrets.json` of the workspace: `{"scope": {"key": "value"}}`. Values are never printed."""

    def __init__(self, storage: Storage, recording: Recording) -> None:
        self._path = storage.root / "secrets.json"
        self._recording = recording

    def get(self, scope: str, key: str) -> str:
        keys = self._scope(scope)
        if key not in keys:
            raise LookupError(f"Secret does not exist with scope: {scope} and key: {key}")
        self._recording.hide([keys[key]])
        return keys[key]

    def getBytes(self, scope: str, key: str) -> bytes:
        return self.get(scope, key).encode()

    def list(self, scope: str) -> Sequence[SecretMetadata]:
        return [SecretMetadata(key) for key in self._scope(scope)]

    def listScopes(self) -> Sequence[SecretScope]:
        return [SecretScope(name) for name in self._scopes()]

    def _scope(self, scope: str) -> dict[str, str]:
        scopes = self._scopes()
        if scope not in scopes:
            raise LookupError(
                f"Secret scope {scope!r} does not exist; the local workspace reads scopes from {self._path}."
            )
        return scopes[scope]

    def _scopes(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        scopes: dict[str, dict[str, str]] = json.loads(self._path.read_text())
        return scopes


class Library:
    def restartPython(self) -> None:
        """Libraries come with the workspace, so a restart would change nothing; variables stay."""


class DBUtils:
    """What the name `dbutils` means in a notebook."""

    def __init__(
        self, request: TaskRequest, storage: Storage, recording: Recording, task_values: TaskValues, run_child: RunChild
    ) -> None:
        self.widgets = Widgets(request.parameters)
        self.notebook = NotebookUtils(NotebookContext(request.context, request.notebook_path), run_child)
        self.jobs = Jobs(task_values)
        self.fs = FileSystem(storage)
        self.secrets = Secrets(storage, recording)
        self.library = Library()
