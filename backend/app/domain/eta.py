"""How long a run will still take: quantiles of comparable past runs, given how far this one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MIN_RUNS = 5
WARM_SETUP_S = 3.0


@dataclass(frozen=True, slots=True)
class Eta:
    """An interval with its basis; p50_s <= p90_s, both seconds that remain."""

    p50_s: float
    p90_s: float
    n: int

    def as_json(self) -> dict[str, Any]:
        """The form of every answer and event."""
        return {"p50_s": self.p50_s, "p90_s": self.p90_s, "n": self.n}


@dataclass(frozen=True, slots=True)
class PastRun:
    """How long each step took: waiting (queue and cluster start), then each task in order."""

    steps_s: tuple[float, ...]
    warm: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run is: how many steps are behind it and how long the present one has lasted."""

    steps_done: int
    elapsed_s: float


def estimate(past: Sequence[PastRun], standing: Standing, *, warm: bool | None) -> Eta | None:
    """The time that remains, or None below MIN_RUNS comparable runs.

    Only past runs that were still in this step after as long a time count for it; once this run is slower than all of
    them, what remains of the step is unknown and the later steps alone are counted.
    """
    same = [run for run in past if warm is None or run.warm == warm]
    basis = same if len(same) >= MIN_RUNS else list(past)
    basis = [run for run in basis if len(run.steps_s) > standing.steps_done]
    if len(basis) < MIN_RUNS:
        return None
    alike = [run for run in basis if run.steps_s[standing.steps_done] > standing.elapsed_s] or basis
    remaining = sorted(_remaining_s(run, standing) for run in alike)
    return Eta(p50_s=round(quantile(remaining, 0.5), 3), p90_s=round(quantile(remaining, 0.9), 3), n=len(basis))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of an ascending, non-empty sequence lies, interpolated."""
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _remaining_s(run: PastRun, standing: Standing) -> float:
    present = max(0.0, run.steps_s[standing.steps_done] - standing.elapsed_s)
    return present + sum(run.steps_s[standing.steps_done + 1 :])
