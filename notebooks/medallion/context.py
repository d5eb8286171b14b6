"""What the workspace says about the notebook's run, for jobs that do not pass our parameters."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

RUN_TAGS = ("multitaskParentRunId", "jobRunId", "runId", "currentRunId")
"""Names of the run in the notebook's context; the job run comes before the task run, so that all tasks agree."""
TASK_TAGS = ("taskKey",)


def is_told(text: str) -> bool:
    """Whether a parameter says something: not empty, and not a dynamic value reference that nobody resolved."""
    return bool(text) and "{{" not in text


def tags(dbutils: Any) -> dict[str, str]:
    """The tags of the notebook's context; none where the workspace has no context or does not show it."""
    try:
        context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
    except Exception:  # noqa: BLE001 - a workspace that refuses has its own errors, and the answer is the same
        return {}
    return _of(context, "toJson") or _of(context, "safeToJson")


def _of(context: Any, method: str) -> dict[str, str]:
    """Compute with fine-grained access control refuses `toJson` and offers `safeToJson` with `attributes`."""
    try:
        document = json.loads(getattr(context, method)())
    except Exception:  # noqa: BLE001 - see above
        return {}
    return _texts(document.get("tags")) | _texts(document.get("attributes"))


def _texts(values: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in values.items() if value} if isinstance(values, Mapping) else {}


def first(values: Mapping[str, str], names: Sequence[str]) -> str:
    """The first of the named values that is there; empty when none is."""
    return next((values[name] for name in names if values.get(name)), "")
