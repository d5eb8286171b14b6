"""The rules in force, and how often each has fired."""

from __future__ import annotations

import itertools
import random
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local_workspace.clock import Clock
from local_workspace.faults.calls import matches
from local_workspace.faults.kinds import KINDS
from local_workspace.faults.rules import MAX_RULES, BadRules, Rule

_KEPT_ANSWERS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class ArmedRule:
    """A rule with its counters.

    `seen` counts the matching calls, `hits` the faults that have taken effect: one that strikes after the work was done
    counts from then on, so that a watcher knows from it that the work is done.
    """

    def __init__(self, rule_id: str, rule: Rule, clock: Clock) -> None:
        self.rule_id = rule_id
        self.rule = rule
        self.hits = 0
        self._clock = clock
        self._since_ms = clock.now_ms()
        self._dice = random.Random(rule.seed)
        self._seen = 0
        self._taken = 0
        self._earlier: OrderedDict[str, Answer] = OrderedDict()

    @property
    def active(self) -> bool:
        """Whether it may fire yet."""
        rule = self.rule
        exhausted = rule.count is not None and self._taken >= rule.count
        over = rule.for_s is not None and self._clock.now_ms() - self._since_ms >= rule.for_s * 1000
        return not exhausted and not over

    @property
    def parameters(self) -> dict[str, Any]:
        return self.rule.parameters or {}

    def fires(self) -> bool:
        """Whether it fires at this call, which it matches; each is counted."""
        if not self.active:
            return False
        self._seen += 1
        if self._seen <= self.rule.skip or self._dice.random() >= self.rule.probability:
            return False
        self._taken += 1
        return True

    def struck(self) -> None:
        """The fault takes effect now."""
        self.hits += 1

    def keep(self, read: str, answer: Answer) -> None:
        """Remember how a read was answered, for the next time."""
        self._earlier[read] = answer
        self._earlier.move_to_end(read)
        if len(self._earlier) > _KEPT_ANSWERS:
            self._earlier.popitem(last=False)

    def earlier(self, read: str) -> Answer | None:
        """How the read was answered last."""
        return self._earlier.get(read)

    def document(self) -> dict[str, Any]:
        counted = {"seen": self._seen, "hits": self.hits, "active": self.active}
        return {"id": self.rule_id, **self.rule.document(), **counted}


class Switchboard:
    """All rules, in the order in which they were set; the first that fires at a call decides."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rules: list[ArmedRule] = []
        self._ids = itertools.count(1)

    @property
    def rules(self) -> list[ArmedRule]:
        return list(self._rules)

    def replace(self, rules: Iterable[Rule]) -> None:
        self._rules = self._armed(rules)

    def add(self, rules: Iterable[Rule]) -> list[ArmedRule]:
        """Raises: BadRules when there would be too many."""
        more = self._armed(rules)
        if len(self._rules) + len(more) > MAX_RULES:
            raise BadRules(f"At most {MAX_RULES} rules are kept; remove some first.")
        self._rules += more
        return more

    def remove(self, rule_id: str) -> bool:
        """Whether there was such a rule."""
        left = [armed for armed in self._rules if armed.rule_id != rule_id]
        found, self._rules = len(left) < len(self._rules), left
        return found

    def for_call(self, method: str, path: str, read: str) -> ArmedRule | None:
        """The rule that fires at this call. A stale read needs an earlier answer of the same `read`."""
        for armed in self._rules:
            if not _strikes(armed, "call") or not matches(armed.rule.call, method, path):
                continue
            if armed.rule.kind == "stale_read" and armed.earlier(read) is None:
                continue
            if armed.fires():
                return armed
        return None

    def keepers(self, method: str, path: str) -> list[ArmedRule]:
        """The rules that want to know how this call is answered."""
        if method != "GET":
            return []
        return [
            armed
            for armed in self._rules
            if armed.rule.kind == "stale_read" and armed.active and matches(armed.rule.call, method, path)
        ]

    def for_cluster(self) -> ArmedRule | None:
        """The rule that fires at this start of a cluster."""
        return next((armed for armed in self._rules if _strikes(armed, "cluster") and armed.fires()), None)

    def for_task(self, task_key: str) -> ArmedRule | None:
        """The rule that fires at this attempt of a task."""
        for armed in self._rules:
            chosen = _strikes(armed, "task") and fnmatchcase(task_key, armed.parameters["task_key"])
            if chosen and armed.fires():
                return armed
        return None

    def _armed(self, rules: Iterable[Rule]) -> list[ArmedRule]:
        return [ArmedRule(f"fault-{next(self._ids)}", rule, self._clock) for rule in rules]


def _strikes(armed: ArmedRule, place: str) -> bool:
    return KINDS[armed.rule.kind].place == place
