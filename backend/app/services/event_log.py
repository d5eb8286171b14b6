"""The stored event log as the hub reads it, and its retention."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.domain.clock import Clock
from app.domain.events import LogHead, LogPage
from app.store import events
from app.store.engine import Database

log = structlog.get_logger()

KEEP_EVENTS = 1_000_000
KEEP_FOR = timedelta(days=30)
TRIM_EVERY_S = 3600.0
# One transaction's worth, a few milliseconds of the store's write lock. Others get four times that in between, so that
# a long surplus, which only a store from elsewhere has, is dropped beside everything else and not instead of it.
TRIM_AT_ONCE = 500
OTHERS_SHARE = 4
TRIM_PAUSE_S = 0.05  # at least


class StoredLog:
    """Reads of the log, each a short one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> LogHead:
        """Last seq, epoch and oldest kept seq."""
        async with self._database.read(brief=True) as db:
            return await events.head(db)

    async def after(self, seq: int, limit: int, run_id: int | None = None) -> LogPage:
        """Up to `limit` events that follow `seq`, oldest first; with `run_id` only that run's."""
        async with self._database.read() as db:
            return await events.after(db, seq, limit=limit, run_id=run_id)


class Retention:
    """Keeps the log within its bounds. Clients that stood on a trimmed part get a snapshot."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        keep_events: int = KEEP_EVENTS,
        keep_for: timedelta = KEEP_FOR,
        at_once: int = TRIM_AT_ONCE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keep_events = keep_events
        self._keep_for = keep_for
        self._at_once = at_once

    async def run(self) -> None:
        """Trim now and then every hour, for ever."""
        while True:
            try:
                await self.trim()
            except Exception:
                log.exception("event_log_trim_failed")
            await self._clock.sleep(TRIM_EVERY_S)

    async def trim(self) -> int:
        """Drop what is beyond the bounds; returns how many events went. Others write in the pauses."""
        older_than = self._clock.now() - self._keep_for
        gone, went = 0, self._at_once
        while went == self._at_once:  # fewer: the log is within its bounds, whatever was written meanwhile
            began_at = self._clock.monotonic()
            went = await self._trim_some(older_than)
            gone += went
            if went == self._at_once:
                took_s = self._clock.monotonic() - began_at
                await self._clock.sleep(max(TRIM_PAUSE_S, OTHERS_SHARE * took_s))
        if gone:
            log.info("event_log_trimmed", events=gone)
        return gone

    async def _trim_some(self, older_than: datetime) -> int:
        async with self._database.write() as db:
            return await events.trim(db, keep=self._keep_events, at_most=self._at_once, older_than=older_than)
