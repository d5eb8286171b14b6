"""The state of everything at one seq, for clients that begin or lost their place."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.clock import Clock
from app.domain.events import SNAPSHOT, Envelope, EventDraft, envelope
from app.store import events
from app.store.engine import Database

LARGEST_CHARS = 512 * 1024
CLAIM_IDS_SHOWN = 100


class SnapshotContents(Protocol):
    """Reads `{runs, layers, workspace}` on the given connection, that is: as of one head."""

    async def __call__(self, db: AsyncConnection) -> dict[str, Any]: ...


class Snapshots:
    """Builds a snapshot once per head and shares it between all who ask meanwhile."""

    def __init__(self, database: Database, clock: Clock, contents: SnapshotContents) -> None:
        self._database = database
        self._clock = clock
        self._contents = contents
        self._latest: Envelope | None = None
        self._building = asyncio.Lock()

    async def at_least(self, seq: int) -> Envelope:
        """A snapshot envelope whose seq is a head of the log not older than `seq`."""
        if (kept := self._kept(seq)) is not None:
            return kept
        async with self._building:
            if (kept := self._kept(seq)) is None:
                kept = self._latest = await self._built()
            return kept

    def _kept(self, seq: int) -> Envelope | None:
        return self._latest if self._latest is not None and self._latest.seq >= seq else None

    async def _built(self) -> Envelope:
        async with self._database.read() as db:  # one read transaction: head and state belong together
            head = await events.head(db)
            contents = await self._contents(db)
        now = self._clock.now()
        whole = envelope(seq=head.seq, epoch=head.epoch, at=now, draft=EventDraft(SNAPSHOT, contents))
        if len(whole.text) <= LARGEST_CHARS:
            return whole
        return envelope(seq=head.seq, epoch=head.epoch, at=now, draft=EventDraft(SNAPSHOT, _shortened(contents)))


def _shortened(contents: dict[str, Any]) -> dict[str, Any]:
    """The same with long lists of claim ids cut: common WebSocket clients refuse messages of more than a mebibyte."""
    runs = [
        run | {"claim_ids": run["claim_ids"][:CLAIM_IDS_SHOWN], "claim_count": len(run["claim_ids"])}
        for run in contents["runs"]
    ]
    return contents | {"runs": runs}
