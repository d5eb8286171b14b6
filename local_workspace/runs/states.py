"""The states of runs and tasks, each with everything that the Jobs API says about it.

Source: the mapping of life_cycle_state, result_state, status.state and termination_details of the Jobs API 2.2.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TERMINAL = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
WORKLOAD_FAILED = "Workload failed, see run output for details"
_STATUS = {"SKIPPED": "TERMINATED", "INTERNAL_ERROR": "TERMINATED", "WAITING_FOR_RETRY": "WAITING"}


@dataclass(frozen=True, slots=True)
class State:
    """A state in both forms of the API: `state` (deprecated, polled by every client) and `status`."""

    life_cycle: str
    message: str = ""
    result: str | None = None
    code: str | None = None
    kind: str | None = None
    cancelled_or_timedout: bool = False
    queue_code: str | None = None

    @property
    def is_terminal(self) -> bool:
        return self.life_cycle in TERMINAL

    def document(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    def legacy(self) -> dict[str, Any]:
        """The `state` object."""
        told: dict[str, Any] = {"life_cycle_state": self.life_cycle, "state_message": self.message}
        told["user_cancelled_or_timedout"] = self.cancelled_or_timedout
        if self.result is not None:
            told["result_state"] = self.result
        if self.queue_code is not None:
            told["queue_reason"] = self.message
        return told

    def status(self) -> dict[str, Any]:
        """The `status` object, whose only terminal state is TERMINATED."""
        told: dict[str, Any] = {"state": _STATUS.get(self.life_cycle, self.life_cycle)}
        if self.code is not None:
            told["termination_details"] = {"code": self.code, "type": self.kind, "message": self.message}
        if self.queue_code is not None:
            told["queue_details"] = {"code": self.queue_code, "message": self.message}
        return told


BLOCKED = State("BLOCKED")
PENDING = State("PENDING")
WAITING_FOR_CLUSTER = State("PENDING", "Waiting for cluster")
RUNNING = State("RUNNING", "In run")
WAITING_FOR_RETRY = State("WAITING_FOR_RETRY", "Waiting for retry")
SUCCEEDED = State("TERMINATED", "", "SUCCESS", "SUCCESS", "SUCCESS")
SUCCEEDED_WITH_FAILURES = State(
    "TERMINATED", "Some tasks failed, but every leaf task succeeded.", "SUCCESS_WITH_FAILURES",
    "SUCCESS_WITH_FAILURES", "SUCCESS",
)  # fmt: skip
TASK_FAILED = State("TERMINATED", WORKLOAD_FAILED, "FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR")
CANCELED = State("TERMINATED", "Run cancelled.", "CANCELED", "USER_CANCELED", "SUCCESS", cancelled_or_timedout=True)
UPSTREAM_FAILED = State("SKIPPED", "An upstream task failed.", "UPSTREAM_FAILED", "SKIPPED", "CLIENT_ERROR")
UPSTREAM_CANCELED = State("SKIPPED", "An upstream task was canceled.", "UPSTREAM_CANCELED", "SKIPPED", "CLIENT_ERROR")
EXCLUDED = State("SKIPPED", "The run-if condition of the task was not met.", "EXCLUDED", "SKIPPED", "SUCCESS")
DISABLED = State("SKIPPED", "The task is not part of this run.", "DISABLED", "DISABLED", "SUCCESS")
STOPPED = State(
    "INTERNAL_ERROR", "The local workspace stopped while this run was active.", "FAILED",
    "INTERNAL_ERROR", "INTERNAL_ERROR",
)  # fmt: skip


def queued(limit: int) -> State:
    reason = f"Queued due to reaching maximum concurrent runs of {limit}."
    return State("QUEUED", reason, queue_code="MAX_CONCURRENT_RUNS_REACHED")


def over_limit(limit: int) -> State:
    """A run that was not queued. The message is the one that clients match."""
    reason = f"Skipping this run because the limit of {limit} maximum concurrent runs has been reached."
    result, code = "MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED"
    return State("SKIPPED", reason, result, code, "CLIENT_ERROR")


def timed_out(seconds: int) -> State:
    message = f"Run timed out after {seconds} seconds."
    return State("TERMINATED", message, "TIMEDOUT", "CANCELED", "CLIENT_ERROR", cancelled_or_timedout=True)


def not_started(code: str, message: str) -> State:
    """A task that failed before its notebook's first line: no notebook, no cluster, an unresolved reference."""
    return State("INTERNAL_ERROR", message, "FAILED", code, "CLIENT_ERROR")


def broken(code: str, message: str) -> State:
    """A task that ended through a fault of the workspace or of its compute, not of the notebook."""
    return State("INTERNAL_ERROR", message, "FAILED", code, "INTERNAL_ERROR")


def run_failed(task_key: str, message: str) -> State:
    """A run with a failed leaf: INTERNAL_ERROR although nothing internal failed, as on Databricks."""
    text = f"Task {task_key} failed with message: {message.removesuffix('.')}."
    return State("INTERNAL_ERROR", text, "FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR")


def terminating(final: State) -> State:
    """On the way to `final`; carries its result, because some clients take TERMINATING for the end."""
    kept = (final.result, final.code, final.kind, final.cancelled_or_timedout)
    return State("TERMINATING", final.message, *kept)
