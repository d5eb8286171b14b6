"""Clicks go first: what nobody waits for begins its next step when no click is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.clock import Clock

# A click that the workspace holds up for long does not hold up everything else.
AT_MOST_S = 0.1


class RightOfWay:
    """Steps of a few milliseconds each, between which a click would wait for one after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way = 0
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """For the length of a click."""
        self._under_way += 1
        self._free.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._free.set()

    async def give_way(self) -> None:
        """Wait until no click is under way, at most AT_MOST_S."""
        await self._clock.wait(self._free, AT_MOST_S)
