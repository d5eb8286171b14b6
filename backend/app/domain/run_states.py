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
SUCCESSES = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
# A task that was left out on purpose: by `only`, by a condition, or because it is disabled.
LEFT_OUT = frozenset({"EXCLUDED", "DISABLED"})
# A task that did not run because another one failed; never the cause.
CONSEQUENCES = LEFT_OUT | {"UPSTREAM_FAILED", "UPSTREAM_CANCELED"}
WAITING_STATES = frozenset({"QUEUED", "BLOCKED", "WAITING", "WAITING_FOR_RETRY"})
EXECUTING_STATES = frozenset({"RUNNING", "TERMINATING"})

# Results for servers that give only the current form (`status`), by termination code. Others are failures.
_RESULT_BY_CODE: dict[str, str | None] = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS_WITH_FAILURES",
    "USER_CANCELED": "CANCELED",
    "CANCELED": "CANCELED",
    "SKIPPED": None,
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

    A value that nobody knows is shown as it is and does not end anything.
    """
    status: Mapping[str, Any] = entity.get("status") or {}
    legacy: Mapping[str, Any] = entity.get("state") or {}
    details: Mapping[str, Any] = status.get("termination_details") or {}
    current, life_cycle = _text(status.get("state")), _text(legacy.get("life_cycle_state"))
    code = _text(details.get("code"))
    shown: str | None
    if current is not None:
        terminal = current == "TERMINATED"
        shown = life_cycle if life_cycle is not None and current in KNOWN_STATUS else current
    else:
        terminal = life_cycle in TERMINAL_LIFE_CYCLE
        shown = life_cycle
    result = _text(legacy.get("result_state"))
    if result is None and terminal and code is not None:
        result = _RESULT_BY_CODE.get(code, "FAILED")
    message = _text(legacy.get("state_message")) or _text(details.get("message"))
    return SeenState(state=shown, result=result, terminal=terminal, code=code, message=message)


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
