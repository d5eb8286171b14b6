"""Quantiles of weighted values."""

from __future__ import annotations

from collections.abc import Iterable


def weighted_quantile(samples: Iterable[tuple[float, float]], share: float) -> float:
    """The value below which `share` of the weight lies, interpolated between the middles of neighbours.

    `samples`: (value, weight), at least one, weights above 0. Never outside the values; never falls as `share` grows.
    """
    ordered = sorted(samples)
    wanted = share * sum(weight for _, weight in ordered)
    passed, middle, value = 0.0, 0.0, ordered[0][0]
    for following, weight in ordered:
        reached = passed + weight / 2
        if reached >= wanted:
            if reached == middle or wanted <= middle:
                return following if passed else value
            return min(following, value + (following - value) * (wanted - middle) / (reached - middle))
        passed, middle, value = passed + weight, reached, following
    return value


def median(values: Iterable[float]) -> float:
    """The middle value."""
    return weighted_quantile([(value, 1.0) for value in values], 0.5)
