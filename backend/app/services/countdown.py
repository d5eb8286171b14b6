"""Waiting for instants of the wall clock by the monotonic one, so that a jump of the former changes nothing."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import datetime

from app.domain.clock import Clock


class Countdown:
    """How long it still is until instants that stand in the store.

    An instant is translated when it is met first, and from then on counted down monotonically: setting the wall clock
    forward hurries nothing, setting it back delays nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[str, dict[datetime, float]] = {}

    def left_s(self, key: str, until: datetime, *, at_most_s: float = math.inf) -> float:
        """Seconds until `until` of `key`, 0.0 when it has come.

        `at_most_s` bounds what an instant met for the first time may mean: an earlier process may have written it
        before a jump.
        """
        now = self._clock.monotonic()
        ends = self._ends.setdefault(key, {})
        if until not in ends:
            left_s = max(0.0, (until - self._clock.now()).total_seconds())
            ends[until] = now + min(left_s, at_most_s)
        return max(0.0, ends[until] - now)

    def keep(self, keys: Collection[str]) -> None:
        """Forget all other keys: they are decided."""
        for key in self._ends.keys() - set(keys):
            del self._ends[key]
