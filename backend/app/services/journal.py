"""One transaction, one publication: what is appended within it becomes visible to everyone after the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.clock import Clock
from app.domain.events import RUN_EVENTS, Envelope, EventDraft
from app.domain.fold import fold
from app.domain.runs import RunRecord
from app.services.tracing import NO_TRACING, Tracing
from app.store import events, runs
from app.store.engine import Database


class Transaction:
    """An open write transaction that collects the events appended in it."""

    def __init__(self, db: AsyncConnection, clock: Clock) -> None:
        self.db = db
        self._clock = clock
        self.envelopes: list[Envelope] = []

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self._clock.now()

    async def append(self, drafts: Iterable[EventDraft]) -> list[Envelope]:
        """Append events; they are published when the transaction has committed."""
        placed = await events.append(self.db, drafts, at=self._clock.now())
        self.envelopes += placed
        return placed

    async def record_run(self, record: RunRecord | None, drafts: Sequence[EventDraft]) -> RunRecord:
        """Append a run's events and write the row they fold into."""
        before = record
        for draft, placed in zip(drafts, await self.append(drafts), strict=True):
            if draft.type in RUN_EVENTS:
                record = fold(record, draft.type, draft.data)
                record = record.at(placed.seq) if record else None
        if record is None:
            raise ValueError("A run's first event must be its start.")
        if record != before:
            await runs.save(self.db, record, before=before)
        return record


class Journal:
    """The store with its event log. Events reach the subscribers after the commit, never before."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        publish: Callable[[Sequence[Envelope]], None],
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._database = database
        self.clock = clock
        self.tracing = tracing
        self._publish = publish

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A consistent view of the store."""
        return self._database.read()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit on leaving, then publish; nothing is published when the block raises."""
        async with self._database.write() as db:
            transaction = Transaction(db, self.clock)
            yield transaction
        if transaction.envelopes:
            self._publish(transaction.envelopes)
