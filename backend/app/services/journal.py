"""One transaction, one publication: what is appended within it becomes visible to everyone after the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.clock import Clock
from app.domain.events import FAILED, RUN_EVENTS, STARTED, SUBMITTING, Envelope, EventDraft
from app.domain.fold import fold
from app.domain.runs import RunRecord
from app.services.replica import Replica
from app.services.tracing import NO_TRACING, Tracing
from app.store import events, runs
from app.store.engine import Database

# Events that decide something about the submission they name.
_DECIDING = frozenset({SUBMITTING, STARTED, FAILED})


class Transaction:
    """An open write transaction that collects what is to be told when it has committed."""

    def __init__(self, db: AsyncConnection, clock: Clock) -> None:
        self.db = db
        self._clock = clock
        self.envelopes: list[Envelope] = []
        self.decided: set[str] = set()
        self.committed: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self._clock.now()

    async def append(self, drafts: Iterable[EventDraft]) -> list[Envelope]:
        """Append events; they are published when the transaction has committed."""
        wanted = list(drafts)
        placed = await events.append(self.db, wanted, at=self._clock.now())
        self.envelopes += placed
        for draft in wanted:
            if draft.type in _DECIDING and (submission_id := draft.data.get("submission_id")):
                self.tell(submission_id)
        return placed

    def then(self, act: Callable[[], None]) -> None:
        """Do this after the commit and the publication; it happens if and only if they do, and does not raise."""
        self.committed.append(act)

    def tell(self, key: str) -> None:
        """Have every replica look again at this submission or action when the transaction has committed."""
        self.decided.add(key)

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
        replica: Replica,
        publish: Callable[[Sequence[Envelope]], None],
        tracing: Tracing = NO_TRACING,
        leader_only: bool = False,
    ) -> None:
        self._database = database
        self.clock = clock
        self.tracing = tracing
        self._replica = replica
        self._publish = publish
        self._leader_only = leader_only

    def for_leader(self) -> Journal:
        """The same, for those who may write only while this replica leads; else `transaction` raises NotLeading."""
        return Journal(
            database=self._database,
            clock=self.clock,
            replica=self._replica,
            publish=self._publish,
            tracing=self.tracing,
            leader_only=True,
        )

    def read(self, *, brief: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:
        """A consistent view of the store; `brief` as of Database."""
        return self._database.read(brief=brief)

    @asynccontextmanager
    async def transaction(self, *, brief: bool = False) -> AsyncIterator[Transaction]:
        """Commit on leaving, and publish what was committed: both or neither, even when canceled meanwhile.

        Nothing is committed when the block raises. `brief` as of Database.
        """
        opened: list[Transaction] = []

        def committed() -> None:
            (transaction,) = opened
            if transaction.envelopes:
                self._publish(transaction.envelopes)
            for act in transaction.committed:
                act()

        async with self._database.write(committed, brief=brief) as db:
            if self._leader_only:
                await self._replica.check(db)
            opened.append(Transaction(db, self.clock))
            yield opened[0]
            await self._replica.announce(db, opened[0].envelopes, opened[0].decided)
