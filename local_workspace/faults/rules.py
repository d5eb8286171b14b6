"""Rules: what goes wrong, at which call, how often. They are data; whoever has the token sets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from local_workspace.faults.calls import METHODS, NAMES, is_call
from local_workspace.faults.kinds import KINDS, Kind

MAX_RULES = 50
_FIELDS = ("kind", "call", "count", "skip", "for_s", "probability", "seed", "parameters")
# What a listing tells of a rule besides; taken back without a word, so that a listing may be set again.
_COUNTED = ("id", "seen", "hits", "active")
_MANY = 1_000_000


class BadRules(ValueError):
    """The rules cannot be used; the text lists every fault and what is allowed instead."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`count` None means without limit, `for_s` None without end; the first `skip` matching calls pass untouched."""

    kind: str
    call: str = "any"
    count: int | None = 1
    skip: int = 0
    for_s: float | None = None
    probability: float = 1.0
    seed: int = 0
    parameters: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)


def parse_rules(given: Any) -> list[Rule]:
    """The rules of a request's `rules`. Raises: BadRules."""
    if not isinstance(given, list) or len(given) > MAX_RULES:
        raise BadRules(f"rules must be a list of at most {MAX_RULES} rules.")
    faults: list[str] = []
    rules = [_parse(item, f"rules[{place}]", faults) for place, item in enumerate(given)]
    if faults:
        raise BadRules(" ".join(faults))
    return [rule for rule in rules if rule is not None]


def _parse(given: Any, name: str, faults: list[str]) -> Rule | None:
    """The rule, or None with at least one line more in `faults`."""
    kind = KINDS.get(str(given.get("kind"))) if isinstance(given, dict) else None
    if kind is None:
        faults.append(f"{name} must be an object whose kind is one of {', '.join(KINDS)}.")
        return None
    before = len(faults)
    given = {name: value for name, value in given.items() if name not in _COUNTED}
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        faults.append(f"{name} has unknown fields: {', '.join(unknown)}; allowed are {', '.join(_FIELDS)}.")
    if kind.place != "call" and given.setdefault("call", kind.place) != kind.place:
        faults.append(f"{name} has a call, but {given['kind']} strikes a {kind.place} and not a call.")
    for field, (accepts, allowed) in _CHECKS.items():
        if field in given and not accepts(given[field]) and (field, kind.place) not in _FIXED:
            faults.append(f"{name}.{field} must be {allowed}.")
    parameters = _parameters(given, kind, name, faults)
    if len(faults) > before:
        return None
    return Rule(**{**given, "parameters": parameters})


def _parameters(given: dict[str, Any], kind: Kind, name: str, faults: list[str]) -> dict[str, Any]:
    chosen = given.get("parameters") or {}
    if not isinstance(chosen, dict):
        faults.append(f"{name}.parameters must be an object.")
        return {}
    unknown = sorted(set(chosen) - set(kind.parameters))
    if unknown:
        allowed = ", ".join(kind.parameters) or "none"
        faults.append(f"{name}.parameters has unknown names: {', '.join(unknown)}; {given['kind']} has: {allowed}.")
    for key, parameter in kind.parameters.items():
        if key in chosen and not parameter.accepts(chosen[key]):
            faults.append(f"{name}.parameters.{key} must be {parameter.allowed}.")
    return {key: chosen.get(key, parameter.default) for key, parameter in kind.parameters.items()}


def _whole(lowest: int, highest: int = _MANY) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _number(lowest: float, highest: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest


_FIXED = frozenset({("call", "cluster"), ("call", "task")})
_CALLS = (
    f"one of {', '.join(NAMES)}, or a method ({', '.join(sorted(METHODS))}), a blank and a path in which * stands for "
    "anything"
)
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "call": (lambda value: isinstance(value, str) and is_call(value), _CALLS),
    "count": (
        lambda value: value is None or _whole(1)(value),
        f"a whole number from 1 to {_MANY}, or null for no limit",
    ),
    "skip": (_whole(0), f"a whole number from 0 to {_MANY}"),
    "for_s": (lambda value: value is None or _number(0.001, 86_400)(value), "seconds up to 86400, or null for no end"),
    "probability": (_number(0, 1), "a number from 0 to 1"),
    "seed": (_whole(0, 2**53), "a whole number from 0 to 2^53"),
}
