"""How often somebody may do something: a burst at once, then so many a second."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MAX_HOLDERS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` at once, `per_s` a second in the long run."""

    burst: float
    per_s: float


class TokenBuckets:
    """One bucket per holder. Bounded: the holder seen longest ago is forgotten first, and then has a full one again."""

    def __init__(self, allowance: Allowance, *, max_holders: int = MAX_HOLDERS) -> None:
        self.allowance = allowance
        self._max_holders = max_holders
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # holder -> (tokens, as of when)

    def take(self, holder: str, now: float) -> float:
        """Take a token: 0.0 if there was one, else the seconds until there will be. `now` is monotonic."""
        burst, per_s = self.allowance.burst, self.allowance.per_s
        tokens, since = self._buckets.pop(holder, (burst, now))
        tokens = min(burst, tokens + max(0.0, now - since) * per_s)
        wait_s = 0.0 if tokens >= 1.0 else (1.0 - tokens) / per_s
        self._buckets[holder] = (tokens if wait_s else tokens - 1.0, now)
        if len(self._buckets) > self._max_holders:
            self._buckets.popitem(last=False)
        return wait_s
