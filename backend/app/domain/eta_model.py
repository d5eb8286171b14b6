"""What past runs of one set of tasks teach: recency, warm and cold starts, the effect of size. Learned once a run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.quantiles import median, weighted_quantile

QUEUE, START, FIRST_TASK = 0, 1, 2
HALF_LIFE_RUNS = 12.0
# Two kinds of start are told apart when they are this many times, and this share of a run, away from each other.
KINDS_RATIO = 3.0
KINDS_SHARE = 0.05
# Where there is one kind only, its share of a run says which.
SURELY_WARM, SURELY_COLD = 0.1, 0.5
LEVEL_RUNS = 7
CHANCE = 1.6
MIN_SIZED_RUNS = 8
GROWS_SHARE = 0.65
LEAST_OF_TYPICAL = 0.05


@dataclass(frozen=True, slots=True)
class PastRun:
    """How long each phase of a finished run took, seconds: queue, cluster start, each task in order, the ending."""

    phases_s: tuple[float, ...]
    claims: int | None = None


@dataclass(frozen=True, slots=True)
class SizeEffect:
    """How a task's seconds grow with the claims: base + slope x claims, never below a share of the typical."""

    base_s: float
    slope_s: float
    least_s: float

    def at(self, claims: int) -> float:
        """The usual seconds at this number of claims."""
        return max(self.least_s, self.base_s + self.slope_s * claims)


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A past run: its phases as they would be at today's level, and its weight (half after HALF_LIFE_RUNS).

    `usual_s`: what its number of claims alone makes usual for each phase, 1 where size has no effect or is not known.
    """

    phases_s: tuple[float, ...]
    usual_s: tuple[float, ...] | None
    weight: float
    cold: bool | None


@dataclass(frozen=True, slots=True)
class Model:
    """The past runs, oldest first, and what they have in common.

    `cold_above_s` None: starts are all of one kind, and nobody can say which.
    """

    runs: tuple[KnownRun, ...] = ()
    effects: tuple[SizeEffect | None, ...] = ()
    cold_above_s: float | None = None

    def is_cold(self, start_s: float) -> bool | None:
        """Whether a start of this length was that of a stopped cluster; None where that cannot be told."""
        return None if self.cold_above_s is None else start_s > self.cold_above_s

    def comparable(self, phase: int, *, cold: bool | None, at_least: int) -> list[KnownRun]:
        """Past runs to compare with in this phase.

        A queued run is compared with queued runs; a cold start (or a warm one) with its kind where `at_least` so many
        of it are known, else with all.
        """
        candidates = [one for one in self.runs if phase != QUEUE or one.phases_s[QUEUE] > 0]
        same = [one for one in candidates if cold is None or one.cold == cold]
        return same if len(same) >= at_least else candidates

    def never_seen(self, *, cold: bool) -> bool:
        """Whether every known start was surely of the other kind."""
        return self.cold_above_s is not None and all(one.cold != cold for one in self.runs)

    def at_size(self, runs: Sequence[KnownRun], claims: int | None) -> list[tuple[float, ...]]:
        """The phases of each run as they would be for this number of claims."""
        if claims is None or not any(self.effects):
            return [one.phases_s for one in runs]
        now_s = [1.0 if effect is None else effect.at(claims) for effect in self.effects]
        return [
            one.phases_s
            if one.usual_s is None
            else tuple(took * now / then for took, now, then in zip(one.phases_s, now_s, one.usual_s, strict=True))
            for one in runs
        ]

    def usual_s(self, phase: int, claims: int | None, cold: bool | None, share: float = 0.5) -> float | None:
        """How long the phase usually takes at most, in `share` of the runs; None without a history."""
        basis = self.comparable(phase, cold=cold, at_least=1)
        if not basis:
            return None
        phases_s = self.at_size(basis, claims)
        return weighted_quantile([(of[phase], one.weight) for of, one in zip(phases_s, basis, strict=True)], share)


def learn(past: Sequence[PastRun]) -> Model:
    """The model of these runs, oldest first. Runs with another number of phases than the newest are left out."""
    runs = [one for one in past if len(one.phases_s) == len(past[-1].phases_s)]
    if not runs:
        return Model()
    cold_above_s = _cold_above_s(runs)
    tasks = range(FIRST_TASK, len(runs[0].phases_s) - 1)
    effects = tuple(_size_effect(runs, phase) if phase in tasks else None for phase in range(len(runs[0].phases_s)))
    drifts = _drifts(runs, effects)
    known = tuple(
        KnownRun(
            phases_s=tuple(took * (drifts[place] if n in tasks else 1.0) for n, took in enumerate(one.phases_s)),
            usual_s=None
            if one.claims is None
            else tuple(1.0 if effect is None else effect.at(one.claims) for effect in effects),
            weight=0.5 ** ((len(runs) - 1 - place) / HALF_LIFE_RUNS),
            cold=None if cold_above_s is None else one.phases_s[START] > cold_above_s,
        )
        for place, one in enumerate(runs)
    )
    return Model(known, effects, cold_above_s)


def _growth(effect: SizeEffect | None, then: int | None, now: int | None) -> float:
    """By how much the task takes longer for `now` claims than for `then`; 1 where either is not known."""
    return 1.0 if effect is None or then is None or now is None else effect.at(now) / effect.at(then)


def _drifts(runs: Sequence[PastRun], effects: Sequence[SizeEffect | None]) -> list[float]:
    """How the level of the newest runs stands to the level just before each run: the error of one step ahead.

    A level is the median of LEVEL_RUNS runs' tasks, at one size, so that an outlier does not move it.
    """
    sizes = [one.claims for one in runs if one.claims is not None]
    usual = round(median(sizes)) if sizes else None
    tasks = range(FIRST_TASK, len(effects) - 1)
    whole_s = [sum(one.phases_s[t] * _growth(effects[t], one.claims, usual) for t in tasks) for one in runs]
    now_s = median(whole_s[-LEVEL_RUNS:])
    before_s = [median(whole_s[max(0, place - LEVEL_RUNS) : max(place, LEVEL_RUNS)]) for place in range(len(runs))]
    if now_s <= 0 or min(before_s) <= 0:
        return [1.0] * len(runs)
    # What seven runs differ by anyway is no drift.
    chance = median(abs(math.log(one / level)) for one, level in zip(whole_s, before_s, strict=True) if one > 0)
    moved = [math.log(now_s / level_s) for level_s in before_s]
    return [math.exp(one) if abs(one) > CHANCE * chance else 1.0 for one in moved]


def _cold_above_s(runs: Sequence[PastRun]) -> float | None:
    """The start time that parts warm from cold: between the two groups that differ most, by ratio."""
    whole_s = median(sum(one.phases_s[START:]) for one in runs)
    starts = sorted(max(one.phases_s[START], 0.01 * whole_s) for one in runs)
    if starts[0] <= 0:
        return None
    cut = max(range(1, len(starts)), key=lambda place: _between(starts, place), default=0)
    if cut and _differ(median(starts[:cut]), median(starts[cut:]), whole_s):
        return math.sqrt(starts[cut - 1] * starts[cut])
    usual = median(starts) / whole_s
    if usual <= SURELY_WARM:
        return KINDS_RATIO * max(starts[-1], KINDS_SHARE * whole_s)
    return starts[0] / KINDS_RATIO if usual >= SURELY_COLD else None


def _between(starts: Sequence[float], cut: int) -> float:
    """The variance between the two groups, of logarithms (Otsu's criterion)."""
    low, high = [[math.log(start) for start in group] for group in (starts[:cut], starts[cut:])]
    return len(low) * len(high) * (sum(high) / len(high) - sum(low) / len(low)) ** 2


def _differ(low_s: float, high_s: float, whole_s: float) -> bool:
    return high_s >= KINDS_RATIO * low_s and high_s - low_s >= KINDS_SHARE * whole_s


def _size_effect(runs: Sequence[PastRun], phase: int) -> SizeEffect | None:
    """A line through the median of all slopes (Theil and Sen), which outliers do not move; None where nothing grows."""
    points = [(one.claims, one.phases_s[phase]) for one in runs if one.claims is not None]
    pairs = [(a, b) for a, b in itertools.combinations(points, 2) if a[0] != b[0]]
    if len(points) < MIN_SIZED_RUNS or not pairs:
        return None
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs]
    if sum(slope > 0 for slope in slopes) < GROWS_SHARE * len(slopes):
        return None
    typical_s = median(took_s for _, took_s in points)
    slope_s = median(slopes)
    base_s = median(took_s - slope_s * claims for claims, took_s in points)
    least_s = LEAST_OF_TYPICAL * typical_s
    return SizeEffect(base_s, slope_s, least_s) if least_s > 0 else None
