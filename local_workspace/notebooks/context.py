"""`dbutils.notebook.getContext()`: who and what a notebook runs for, in the form that notebooks pick apart."""

from __future__ import annotations

import json
from typing import Any

from local_workspace.engine.tasks import TaskContext


class Option:
    """Scala's Option as notebooks see it: `.get()`, `.getOrElse(x)`, `.isDefined()`."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def get(self) -> str:
        if self._value is None:
            raise LookupError("None.get")
        return self._value

    def getOrElse(self, default: Any) -> Any:
        return default if self._value is None else self._value

    def isDefined(self) -> bool:
        return self._value is not None


class Tags:
    def __init__(self, tags: dict[str, str]) -> None:
        self._tags = tags

    def get(self, name: str) -> Option:
        return Option(self._tags.get(name))

    def apply(self, name: str) -> str:
        return self._tags[name]


class NotebookContext:
    """Gives no token of the workspace away: `apiToken()` is None."""

    def __init__(self, context: TaskContext, notebook_path: str) -> None:
        self._context = context
        self._path = notebook_path
        self._tags = {
            "jobId": str(context.job_id),
            "runId": str(context.task_run_id),
            "multitaskParentRunId": str(context.run_id),
            "taskKey": context.task_key,
            "orgId": context.workspace_id,
            "clusterId": context.cluster_id,
            "user": context.user_name,
        }

    def toJson(self) -> str:
        """The JSON text whose `tags` and `extraContext` are widely read."""
        run = {"id": self._context.task_run_id}
        document = {
            "rootRunId": run,
            "currentRunId": run,
            "jobGroup": None,
            "tags": self._tags,
            "extraContext": {"notebook_path": self._path, "api_url": self._context.workspace_url},
        }
        return json.dumps(document)

    safeToJson = toJson

    def tags(self) -> Tags:
        return Tags(self._tags)

    def notebookPath(self) -> Option:
        return Option(self._path)

    def clusterId(self) -> Option:
        return Option(self._context.cluster_id)

    def jobId(self) -> Option:
        return Option(str(self._context.job_id))

    def currentRunId(self) -> Option:
        return Option(str(self._context.task_run_id))

    def userName(self) -> Option:
        return Option(self._context.user_name)

    def workspaceId(self) -> Option:
        return Option(self._context.workspace_id)

    def apiUrl(self) -> Option:
        return Option(self._context.workspace_url)

    def browserHostName(self) -> Option:
        return Option(self._context.workspace_url.partition("://")[2] or None)

    def apiToken(self) -> Option:
        return Option(None)
