"""How long the poller pauses: briefly where something is about to change, longer and longer where nothing does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.domain.clock import Clock

IDLE_FACTOR = 10.0
# After so long without any change the pause is the interval times the factor.
STEADY = ((600.0, 4.0), (60.0, 2.0))
EXPECTED_WINDOW_S = 10.0
BACKOFF_STEPS = 6
SHORTEST_BACKOFF_S = 0.5


@dataclass(slots=True)
class Pace:
    """The pauses between ticks, in seconds. `interval_s` is the pause while something may change any moment."""

    clock: Clock
    interval_s: float
    dice: random.Random = field(default_factory=random.Random)
    _failures: int = 0
    _changed_at: float | None = None

    @property
    def longest_backoff_s(self) -> float:
        """Twelve intervals, at least five seconds and at most a minute."""
        return min(60.0, max(5.0, self.interval_s * 12))

    def changed(self) -> None:
        """A tick has brought news."""
        self._changed_at = self.clock.monotonic()

    def idle(self) -> float:
        """The pause while nothing runs."""
        self._failures = 0
        return self.interval_s * IDLE_FACTOR

    def active(self, expected_in_s: Iterable[float]) -> float:
        """The pause while runs are active; `expected_in_s` are the seconds until changes that past runs suggest.

        Around an expected change every interval is looked; in a long stretch without any the pause grows, but it never
        reaches into the time when a change is expected.
        """
        self._failures = 0
        now = self.clock.monotonic()
        if self._changed_at is None:
            self._changed_at = now
        still_s = now - self._changed_at
        pause_s = self.interval_s * next((factor for after_s, factor in STEADY if still_s > after_s), 1.0)
        for in_s in expected_in_s:
            if abs(in_s) <= EXPECTED_WINDOW_S:
                return self.interval_s
            if in_s > 0:
                pause_s = min(pause_s, max(self.interval_s, in_s - EXPECTED_WINDOW_S))
        return pause_s

    def after_failure(self, asked_s: float | None = None) -> float:
        """The pause after a tick that failed: doubled each time, with jitter, never shorter than was asked for."""
        whole_s = max(self.interval_s, SHORTEST_BACKOFF_S) * 2 ** min(self._failures, BACKOFF_STEPS)
        self._failures += 1
        whole_s = min(self.longest_backoff_s, whole_s)
        return max(asked_s or 0.0, self.dice.uniform(whole_s / 2, whole_s))
