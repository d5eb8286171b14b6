"""The states of Databricks runs and tasks: which end a run, which mean success. Unknown values stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TERMINAL_LIFE_CYCLE = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
KNOWN_LIFE_CYCLE = TERMINAL_LIFE_CYCLE | {
    "QUEUED",
    "PENDING",
    "RUNNING",
    "TERMINATING",
    "BLOCKED",
    "WAITING_FOR_RETRY",
}
KNOWN_STATUS = frozenset({"QUEUED", "BLOCKED", "PENDING", "RUNNING", "TERMINATING", "TERMINATED", "WAITING"})
KNOWN_STATES = KNOWN_LIFE_CYCLE | KNOWN_STATUS
SUCCESSES = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
# A task that was left out on purpose: by `only`, by a condition, or because it is disabled.
LEFT_OUT = frozenset({"EXCLUDED", "DISABLED"})
# A task that did not run because another one failed; never the cause.
CONSEQUENCES = LEFT_OUT | {"UPSTREAM_FAILED", "UPSTREAM_CANCELED"}
WAITING_STATES = frozenset({"QUEUED", "BLOCKED", "WAITING", "WAITING_FOR_RETRY"})
EXECUTING_STATES = frozenset({"RUNNING", "TERMINATING"})

# What servers that give only the current form (`status`) mean by a termination code. Of one that is not here nobody
# knows what came of the run: it has ended, and its result stays open.
FAILURE_CODES = frozenset(
    {
        "BREAKING_CHANGE",
        "BUDGET_POLICY_LIMIT_EXCEEDED",
        "CLOUD_FAILURE",
        "CLUSTER_ERROR",
        "CLUSTER_REQUEST_LIMIT_EXCEEDED",
        "CLUSTER_TERMINATED_BY_USER",
        "DRIVER_ERROR",
        "FEATURE_DISABLED",
        "INTERNAL_ERROR",
        "INVALID_CLUSTER_REQUEST",
        "INVALID_RUN_CONFIGURATION",
        "LIBRARY_INSTALLATION_ERROR",
        "MAX_JOB_QUEUE_SIZE_EXCEEDED",
        "MAX_SPARK_CONTEXTS_EXCEEDED",
        "REPOSITORY_CHECKOUT_FAILED",
        "RESOURCE_NOT_FOUND",
        "RUN_EXECUTION_ERROR",
        "STORAGE_ACCESS_ERROR",
        "UNAUTHORIZED_ERROR",
        "WORKSPACE_RUN_LIMIT_EXCEEDED",
    }
)
_RESULT_BY_CODE = dict.fromkeys(FAILURE_CODES, "FAILED") | {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS_WITH_FAILURES",
    "USER_CANCELED": "CANCELED",
    "CANCELED": "CANCELED",
    "MAX_CONCURRENT_RUNS_EXCEEDED": "MAXIMUM_CONCURRENT_RUNS_REACHED",
    "DISABLED": "DISABLED",
}


@dataclass(frozen=True, slots=True)
class SeenState:
    """A state as the workspace told it. `state` and `result` are its own words."""

    state: str | None
    result: str | None
    terminal: bool
    code: str | None
    message: str | None

    @property
    def success(self) -> bool:
        """Ended, and with a result that counts as success."""
        return self.terminal and self.result in SUCCESSES


def read_state(entity: Mapping[str, Any]) -> SeenState:
    """The state of a run or task. `status` is read first, the deprecated `state` is the fallback.

    The old words say more, so they are shown as long as they do not contradict. A value that nobody knows is shown as
    it is and does not end anything, and of what has not ended (or is about to) no result is told.
    """
    status: Mapping[str, Any] = entity.get("status") or {}
    legacy: Mapping[str, Any] = entity.get("state") or {}
    details: Mapping[str, Any] = status.get("termination_details") or {}
    current, life_cycle = _text(status.get("state")), _text(legacy.get("life_cycle_state"))
    code = _text(details.get("code"))
    shown: str | None
    if current is not None:
        terminal = current == "TERMINATED"
        contradicts = life_cycle in TERMINAL_LIFE_CYCLE and not terminal
        shown = current if life_cycle is None or contradicts or current not in KNOWN_STATUS else life_cycle
    else:
        terminal = life_cycle in TERMINAL_LIFE_CYCLE
        shown = life_cycle
    result = _text(legacy.get("result_state")) if terminal or shown == "TERMINATING" else None
    if result is None and terminal and code is not None:
        result = _RESULT_BY_CODE.get(code)
    message = _text(legacy.get("state_message")) or _text(details.get("message"))
    return SeenState(state=shown, result=result, terminal=terminal, code=code, message=message)


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
