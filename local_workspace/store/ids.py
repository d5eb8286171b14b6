"""Identifiers as Databricks makes them: int64, never used twice."""

from __future__ import annotations

from local_workspace.clock import Clock


class Ids:
    """Increasing numbers below 2^53 that stay unique even after the data directory was lost.

    A number is the time in milliseconds times 1000 plus a counter: a workspace that starts from nothing goes on above
    every number it ever gave, so a ledger kept elsewhere never meets an old run_id with a new meaning.
    """

    def __init__(self, clock: Clock, *, above: int = 0) -> None:
        self._clock = clock
        self._last = above

    def next(self) -> int:
        self._last = max(self._last + 1, self._clock.now_ms() * 1000)
        return self._last
