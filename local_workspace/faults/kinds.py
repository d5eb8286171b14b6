"""What can go wrong, and what may be chosen about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Place = Literal["call", "cluster", "task"]
LONGEST_S = 600.0
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two others, both allowed."""

    default: float
    lowest: float = 0
    highest: float = LONGEST_S

    @property
    def allowed(self) -> str:
        return f"a number from {self.lowest:g} to {self.highest:g}"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.lowest <= value <= self.highest


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some texts or numbers."""

    default: Any
    options: tuple[Any, ...]

    @property
    def allowed(self) -> str:
        return f"one of {', '.join(str(option) for option in self.options)}"

    def accepts(self, value: Any) -> bool:
        return not isinstance(value, bool) and value in self.options


@dataclass(frozen=True, slots=True)
class Text:
    """A short text."""

    default: str

    @property
    def allowed(self) -> str:
        return f"a text of 1 to {MAX_TEXT} characters"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


Parameter = Number | Choice | Text


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: what it does, where it strikes, and its parameters."""

    meaning: str
    place: Place
    parameters: dict[str, Parameter]

    def document(self) -> dict[str, Any]:
        told = {
            name: {"default": parameter.default, "allowed": parameter.allowed}
            for name, parameter in self.parameters.items()
        }
        return {"meaning": self.meaning, "place": self.place, "parameters": told}


KINDS: dict[str, Kind] = {
    "throttled": Kind("429 with Retry-After; nothing is done", "call", {"retry_after_s": Number(1)}),
    "unavailable": Kind("503; nothing is done", "call", {"retry_after_s": Number(0)}),
    "unavailable_after_work": Kind("503, although the work was done", "call", {"retry_after_s": Number(0)}),
    "lost_reply": Kind("the work is done, then the connection is closed without an answer", "call", {}),
    "stall": Kind(
        "the answer comes late; `when` says whether the work is done before or after the wait",
        "call",
        {"seconds": Number(5), "when": Choice("before_work", ("before_work", "after_work"))},
    ),
    "truncated_body": Kind(
        "only half of the answer arrives; `cut` breaks the connection, `whole` looks complete and is not",
        "call",
        {"framing": Choice("cut", ("cut", "whole"))},
    ),
    "stale_read": Kind("a read that was answered before is answered as it was then", "call", {}),
    "unknown_state": Kind(
        "states of runs and tasks have a value that nobody knows",
        "call",
        {
            "field": Choice("life_cycle_state", ("life_cycle_state", "result_state")),
            "value": Text("HIBERNATING"),
        },
    ),
    "expired_token": Kind("the token is refused; nothing is done", "call", {"status": Choice(401, (401, 403))}),
    "slow_cluster_start": Kind("a cluster takes longer to start", "cluster", {"seconds": Number(20)}),
    "failed_cluster_start": Kind(
        "a cluster does not start", "cluster", {"message": Text("No capacity (a fault that was asked for).")}
    ),
    "worker_kill": Kind(
        "the worker process of a running task is killed; `task_key` chooses the task",
        "task",
        {"after_s": Number(0), "task_key": Text("*")},
    ),
}
