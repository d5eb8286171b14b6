"""Quantiles of measured times."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values_s: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and maximum in milliseconds, and how many values they rest on."""
    in_ms = [value * 1000 for value in values_s]
    return {
        "n": len(in_ms),
        **{f"p{share}_ms": round(quantile(in_ms, share / 100), 1) for share in (50, 95, 99)},
        "max_ms": round(max(in_ms), 1),
    }
