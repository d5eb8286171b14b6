"""The order of tasks, and what the end of some means for the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

Verdict = Literal["run", "excluded", "upstream_failed", "upstream_canceled"]
RUN_IF = ("ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED")
HANDLES_FAILURE = frozenset({"ALL_DONE", "ALL_FAILED", "AT_LEAST_ONE_FAILED"})
_GOOD = frozenset({"SUCCESS", "EXCLUDED"})
_CANCELED = frozenset({"CANCELED", "UPSTREAM_CANCELED"})
_UPSTREAM = frozenset({"UPSTREAM_FAILED", "UPSTREAM_CANCELED"})


class BadGraph(ValueError):
    """Tasks that cannot be put in an order, or a selection of tasks that do not exist."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks by key with the keys they depend on."""

    depends_on: Mapping[str, tuple[str, ...]]

    def order(self) -> list[str]:
        """Every key after those it depends on.

        Raises: BadGraph for an unknown key or a cycle.
        """
        for key, upstream in self.depends_on.items():
            for other in upstream:
                if other not in self.depends_on:
                    raise BadGraph(f"Task {key!r} depends on {other!r}, which is not a task of this job.")
        try:
            return list(TopologicalSorter(self.depends_on).static_order())
        except CycleError as fault:
            raise BadGraph(f"The tasks depend on each other in a circle: {' -> '.join(fault.args[1])}.") from fault

    def upstream(self, keys: Iterable[str]) -> set[str]:
        """`keys` and everything they depend on, directly or not."""
        found: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += self.depends_on[key]
        return found

    def downstream(self, keys: Iterable[str]) -> set[str]:
        """`keys` and everything that depends on them, directly or not."""
        wanted = set(keys)
        return {key for key in self.depends_on if not self.upstream([key]).isdisjoint(wanted)}

    def select(self, only: Iterable[str]) -> set[str]:
        """The keys that a run-now's `only` names: `key`, `+key` with its upstream, `key+` with its downstream."""
        chosen: set[str] = set()
        for pattern in only:
            key = pattern.removeprefix("+").removesuffix("+")
            if key not in self.depends_on:
                raise BadGraph(f"Task {key!r} of 'only' is not a task of this job.")
            chosen.add(key)
            chosen |= self.upstream([key]) if pattern.startswith("+") else set()
            chosen |= self.downstream([key]) if pattern.endswith("+") else set()
        return chosen

    def leaves(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` on which none of `keys` depends."""
        kept = list(keys)
        needed = {upstream for key in kept for upstream in self.depends_on[key]}
        return [key for key in kept if key not in needed]


def decide(run_if: str, results: Iterable[str]) -> Verdict:
    """Whether a task runs, given the results of the tasks it depends on. Disabled ones are as if not there."""
    known = [result for result in results if result != "DISABLED"]
    if known and all(result == "EXCLUDED" for result in known):
        return "excluded"
    bad = [result for result in known if result not in _GOOD]
    if _met(run_if, known, bad):
        return "run"
    if run_if in HANDLES_FAILURE:
        return "excluded"
    return "upstream_canceled" if bad and all(result in _CANCELED for result in bad) else "upstream_failed"


def _met(run_if: str, known: list[str], bad: list[str]) -> bool:
    if not known or run_if == "ALL_DONE":
        return True
    if run_if == "AT_LEAST_ONE_SUCCESS":
        return "SUCCESS" in known
    if run_if == "AT_LEAST_ONE_FAILED":
        return bool(bad)
    if run_if == "ALL_FAILED":
        return len(bad) == len(known)
    return not bad  # ALL_SUCCESS, NONE_FAILED


def outcome(graph: Graph, results: Mapping[str, str]) -> str:
    """The result of a run from the results of its tasks: its leaves decide."""
    active = {key: result for key, result in results.items() if result != "DISABLED"}
    if all(result in _GOOD for result in active.values()):
        return "SUCCESS"
    if all(active[key] in _GOOD for key in graph.leaves(active)):
        return "SUCCESS_WITH_FAILURES"
    causes = {result for result in active.values() if result not in _GOOD | _UPSTREAM}
    if len(causes) == 1 and causes <= {"CANCELED", "TIMEDOUT"}:
        return causes.pop()
    return "FAILED"
