"""Loops that never end: a fault of one round is logged and counted, and the next round comes after a pause."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from app.domain.clock import Clock

log = structlog.get_logger()

SHORTEST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class Loops:
    """Runs rounds for ever. Whatever a round raises (the store is locked, a disk is full), the loop survives it."""

    def __init__(self, *, clock: Clock, on_fault: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_fault = on_fault

    async def for_ever(self, name: str, one_round: Callable[[], Awaitable[None]]) -> None:
        """Round after round; after a fault the pause grows up to LONGEST_PAUSE_S. A round waits by itself for work."""
        faults = 0
        while True:
            try:
                await one_round()
            except Exception:
                log.exception("loop_round_failed", loop=name)
                self._on_fault(name)
                await self._clock.sleep(min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2 ** min(faults, 8)))
                faults += 1
            else:
                faults = 0
