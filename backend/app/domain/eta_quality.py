"""How good the estimates were: how often they held, what they missed by, and what two simple guesses would have."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LAST_RUNS = 20
P90_OF_NORMAL = 1.2816
MEAN_OF_LAST, ELAPSED_FRACTION = "mean_of_last", "elapsed_fraction"


@dataclass(frozen=True, slots=True)
class Guess:
    """The time that remains, as (p50, p90) in seconds."""

    p50_s: float
    p90_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prediction, the simple guesses of the same moment, and what came true."""

    eta: Guess
    actual_s: float
    baselines: Mapping[str, Guess] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quality:
    """Of `n` predictions: the share that ended before p50 and before p90, and the mean pinball loss in seconds.

    `baselines_s`: the loss of each simple guess over the same predictions.
    """

    n: int
    p50_coverage: float
    p90_coverage: float
    pinball_s: float
    baselines_s: dict[str, float]

    @property
    def better_s(self) -> float | None:
        """The loss of the better guess."""
        return min(self.baselines_s.values(), default=None)

    @property
    def gain(self) -> float | None:
        """How far the loss lies below that of the better guess, as a share of it."""
        better_s = self.better_s
        return 1 - self.pinball_s / better_s if better_s else None


def pinball_s(predicted_s: float, actual_s: float, share: float) -> float:
    """The loss of a predicted quantile: missing above costs 1 - share a second, missing below costs share."""
    missed_s = actual_s - predicted_s
    return share * missed_s if missed_s >= 0 else (share - 1) * missed_s


def quality(outcomes: Iterable[Outcome]) -> Quality | None:
    """The measures over these outcomes; None without any. A guess counts only if it was made at every one of them."""
    seen = list(outcomes)
    if not seen:
        return None
    names = [name for name in (MEAN_OF_LAST, ELAPSED_FRACTION) if all(name in one.baselines for one in seen)]
    return Quality(
        n=len(seen),
        p50_coverage=statistics.fmean(one.actual_s <= one.eta.p50_s for one in seen),
        p90_coverage=statistics.fmean(one.actual_s <= one.eta.p90_s for one in seen),
        pinball_s=statistics.fmean(_loss_s(one.eta, one.actual_s) for one in seen),
        baselines_s={
            name: statistics.fmean(_loss_s(one.baselines[name], one.actual_s) for one in seen) for name in names
        },
    )


def baselines(past_s: Sequence[float], elapsed_s: float, fraction: float) -> dict[str, Guess]:
    """What two simple programs would say: the mean of the last runs less the time spent; the time spent, extended.

    `past_s`: whole durations, oldest first, at least one. `fraction`: how much of the run's tasks and steps is done.
    Both are given the upper end that the last runs' spread suggests; where nothing is done yet, both are the mean.
    """
    last_s = past_s[-LAST_RUNS:]
    mean_s = sum(last_s) / len(last_s)
    spread_s = P90_OF_NORMAL * math.sqrt(sum((one - mean_s) ** 2 for one in last_s) / len(last_s))
    left_s = max(0.0, mean_s - elapsed_s)
    extended_s = elapsed_s * (1 - fraction) / fraction if fraction > 0 else left_s
    return {
        MEAN_OF_LAST: Guess(left_s, max(0.0, mean_s + spread_s - elapsed_s)),
        ELAPSED_FRACTION: Guess(extended_s, extended_s + spread_s * (1 - fraction)),
    }


def _loss_s(guess: Guess, actual_s: float) -> float:
    return (pinball_s(guess.p50_s, actual_s, 0.5) + pinball_s(guess.p90_s, actual_s, 0.9)) / 2
