"""Faults that people ask for most, ready to be set: for demonstrations and training."""

from __future__ import annotations

from typing import Any

from local_workspace.faults.rules import Rule, parse_rules

_PRESETS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "throttling",
        "429 storm",
        "For 20 seconds three of four calls are refused with 429 and Retry-After.",
        {"kind": "throttled", "count": None, "for_s": 20, "probability": 0.75, "parameters": {"retry_after_s": 1}},
    ),
    (
        "lost-reply",
        "Lost reply of the next run-now",
        "The run starts, but its answer never arrives: the click is in doubt until it was sent again.",
        {"kind": "lost_reply", "call": "run-now"},
    ),
    (
        "unavailable-after-work",
        "503 after the next run-now",
        "The run starts, and the caller is told 503.",
        {"kind": "unavailable_after_work", "call": "run-now"},
    ),
    (
        "slow-answers",
        "Slow answers",
        "For 30 seconds every answer takes 2 seconds more.",
        {"kind": "stall", "count": None, "for_s": 30, "parameters": {"seconds": 2, "when": "before_work"}},
    ),
    (
        "outage",
        "Outage of 30 seconds",
        "Every call is answered with 503.",
        {"kind": "unavailable", "count": None, "for_s": 30},
    ),
    (
        "expired-token",
        "Token expired for 30 seconds",
        "Every call is refused with 401.",
        {"kind": "expired_token", "count": None, "for_s": 30},
    ),
    (
        "slow-cluster",
        "Slow cluster start",
        "The next start of a stopped cluster takes 30 seconds more.",
        {"kind": "slow_cluster_start", "parameters": {"seconds": 30}},
    ),
    (
        "failed-cluster",
        "Failed cluster start",
        "The next start of a stopped cluster fails.",
        {"kind": "failed_cluster_start"},
    ),
    (
        "worker-kill",
        "Kill the worker",
        "The worker process of the next task is killed; its run fails and can be repaired.",
        {"kind": "worker_kill"},
    ),
    (
        "unknown-state",
        "A state that nobody knows",
        "The next ten reads of runs tell a state that is in no documentation.",
        {"kind": "unknown_state", "call": "runs", "count": 10},
    ),
)


def presets() -> list[dict[str, Any]]:
    """Each with its name, title, meaning and the rule it sets."""
    return [
        {"name": name, "title": title, "meaning": meaning, "rule": _rule(given).document()}
        for name, title, meaning, given in _PRESETS
    ]


def _rule(given: dict[str, Any]) -> Rule:
    [rule] = parse_rules([given])
    return rule
