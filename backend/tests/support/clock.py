"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class ManualClock:
    """Wall and monotonic time that move only by `advance`; `jump` sets the wall clock alone, as people and NTP do."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1_000.0
        self._sleepers: dict[asyncio.Future[None], float] = {}

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        await self._until(self._monotonic + max(0.0, seconds))

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        if seconds is None:
            return await event.wait()
        if event.is_set():
            return True
        news = asyncio.ensure_future(event.wait())
        time_up = asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait({news, time_up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            time_up.cancel()
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever sleeps until then wakes."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        for sleeper, until in list(self._sleepers.items()):
            if until <= self._monotonic and not sleeper.done():
                sleeper.set_result(None)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._now += timedelta(seconds=seconds)

    async def _until(self, instant: float) -> None:
        if instant <= self._monotonic:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[sleeper] = instant
        try:
            await sleeper
        finally:
            del self._sleepers[sleeper]
