"""How long a run will still take: quantiles of comparable past runs, given how far this one is.

A run is a row of phases: the queue, the cluster's start, each task in order, and the ending. What remains of the
present phase and of those that follow is taken, jointly, from past runs of the same tasks that were still in this phase
after as long a time. Newer runs count more, a cold start is compared with cold starts, and where durations grow with
the number of claims they are brought to this run's number first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.eta_model import START, Model
from app.domain.quantiles import weighted_quantile

MIN_RUNS = 5
# A run unlike any before it: as likely as one past run, and with a long tail.
TAIL_EXPONENT = 1.5
NEARLY_ALL = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Eta:
    """An interval with its basis; p50_s <= p90_s, both seconds that remain, resting on `n` past runs."""

    p50_s: float
    p90_s: float
    n: int

    def as_json(self) -> dict[str, Any]:
        """The form of every answer and event."""
        return {"p50_s": round(self.p50_s, 3), "p90_s": round(self.p90_s, 3), "n": self.n}

    def after(self, passed_s: float) -> Eta:
        """The same estimate, `passed_s` later and with nothing new known."""
        passed_s = max(0.0, passed_s)
        return replace(self, p50_s=max(0.0, self.p50_s - passed_s), p90_s=max(0.0, self.p90_s - passed_s))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run is: the phases behind it, and how long the present one has lasted.

    `warm` is the cluster's state where it is known before the start; a start that is over speaks for itself.
    """

    behind_s: tuple[float, ...] = (0.0,)
    elapsed_s: float = 0.0
    claims: int | None = None
    warm: bool | None = None

    @property
    def phase(self) -> int:
        """The present phase's place among the phases."""
        return len(self.behind_s)


def estimate(model: Model, standing: Standing) -> Eta | None:
    """The time that remains, or None below MIN_RUNS comparable runs."""
    if standing.warm is not None and model.never_seen(cold=not standing.warm):
        return None
    phase = standing.phase
    basis = model.comparable(phase, cold=_is_cold(model, standing), at_least=MIN_RUNS)
    if len(basis) < MIN_RUNS:
        return None
    phases_s = model.at_size(basis, standing.claims)
    present = [one[phase] for one in phases_s]
    later = [sum(one[phase + 1 :]) for one in phases_s]
    weights = [run.weight for run in basis]
    samples = [
        (took_s - standing.elapsed_s + rest_s, weight)
        for took_s, rest_s, weight in zip(present, later, weights, strict=True)
        if took_s > standing.elapsed_s or standing.elapsed_s == 0
    ]
    unheard_of = _unheard_of(present, later, weights, standing.elapsed_s)
    p50_s, p90_s = (_quantile(samples, unheard_of, share) for share in (0.5, 0.9))
    return Eta(p50_s=p50_s, p90_s=max(p50_s, p90_s), n=len(basis))


def _is_cold(model: Model, standing: Standing) -> bool | None:
    if standing.phase > START:
        return model.is_cold(standing.behind_s[START])
    if standing.phase == START and model.is_cold(standing.elapsed_s):
        return True
    return None if standing.warm is None else not standing.warm


@dataclass(frozen=True, slots=True)
class _Tail:
    """A Pareto distribution of what remains, cut at the time already spent: `weight` as much as runs weigh."""

    weight: float
    begins_s: float
    less_s: float  # from how long the phase lasts to what remains

    def below(self, left_s: float) -> float:
        """The share of it that remains at most so long."""
        lasts_s = left_s + self.less_s
        return 0.0 if lasts_s <= self.begins_s else 1.0 - (self.begins_s / lasts_s) ** TAIL_EXPONENT

    def at(self, share: float) -> float:
        """What remains at most in this share of it."""
        lasts_s: float = self.begins_s * (1.0 - share) ** (-1.0 / TAIL_EXPONENT)
        return lasts_s - self.less_s


def _unheard_of(present: Sequence[float], later: Sequence[float], weights: Sequence[float], elapsed_s: float) -> _Tail:
    """What remains if the present phase lasts longer than ever."""
    least_s = weighted_quantile(list(zip(present, weights, strict=True)), 0.9)
    rest_s = weighted_quantile(list(zip(later, weights, strict=True)), 0.5)
    mean_weight = sum(weights) / len(weights)
    share = 1.0 if elapsed_s <= least_s else (least_s / elapsed_s) ** TAIL_EXPONENT
    # However long it takes, this stays the one explanation that is left; it must not vanish by rounding.
    return _Tail(mean_weight * max(share, 1e-6), max(least_s, elapsed_s), elapsed_s - rest_s)


def _quantile(samples: Sequence[tuple[float, float]], tail: _Tail, share: float) -> float:
    """The least that remains with `share` of all weight at or below it: that of past runs, and of one like none."""
    wanted = share * (sum(weight for _, weight in samples) + tail.weight)
    passed = 0.0
    for left_s, weight in sorted(samples):
        missing = wanted - passed - tail.weight * tail.below(left_s)
        if missing <= 0:
            break
        if missing <= weight:
            return left_s
        passed += weight
    return tail.at(min(max(wanted - passed, 0.0) / tail.weight, NEARLY_ALL))
