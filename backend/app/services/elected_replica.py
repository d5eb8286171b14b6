"""One of several replicas on one PostgreSQL: they elect a leader by a lock, and hear each other by notifications.

A leader that dies loses its session, and with it the lock, at once; one that hangs or is cut off loses it after
SILENT_FOR_S. The others try every TRY_EVERY_S. Whatever a former leader still tries to write is refused by its term.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.clock import Clock
from app.domain.events import Envelope
from app.services import news
from app.services.news import News
from app.services.replica import Ears, Loop, NotLeading
from app.store import leadership, notifications
from app.store.engine import Database, connection_string
from app.store.leadership import LeaderSession
from app.store.notifications import SESSION_TROUBLE, Listener

log = structlog.get_logger()

TRY_EVERY_S = 0.5
BEAT_EVERY_S = 1.0
BEAT_WITHIN_S = 2.0
SILENT_FOR_S = 3.0
# The leader beats every second: a longer silence may mean that we no longer hear.
QUIET_S = 3.0
AGAIN_AFTER_S = 0.5


class _LeadershipLost(Exception):
    """The session that holds the lock does not answer."""


class ElectedReplica:
    """A replica that leads when the lock is its own."""

    def __init__(self, *, database: Database, clock: Clock, replica_id: str) -> None:
        self._database = database
        self._clock = clock
        self._connection = connection_string(database.engine)
        self.replica_id = replica_id
        self._term: int | None = None
        self._heard_leader_id: str | None = None
        self._acts: dict[str, Callable[[], None]] = {}
        self._asks: set[str] = set()
        self._asked = asyncio.Event()

    @property
    def leading(self) -> bool:
        """Whether polling, sending and housekeeping are done here."""
        return self._term is not None

    @property
    def leader_id(self) -> str | None:
        """Who leads, as far as this replica has heard."""
        return self.replica_id if self.leading else self._heard_leader_id

    async def check(self, db: AsyncConnection) -> None:
        """Raise NotLeading unless our term is the present one; no other begins while `db` holds the write lock."""
        if self._term is None or await leadership.term(db) != self._term:
            raise NotLeading

    async def announce(self, db: AsyncConnection, placed: Sequence[Envelope], decided: Collection[str]) -> None:
        """Tell the others, when `db` commits, about new events and about what was decided."""
        if placed or decided:
            for one in news.of_transaction(self.replica_id, placed, decided):
                await notifications.announce(db, one.text())

    def relayed(self, topic: str, act: Callable[[], None]) -> Callable[[], None]:
        """A function that has the leader `act`, wherever it is called."""
        self._acts[topic] = act

        def pass_on() -> None:
            if self.leading:
                act()
            else:
                self._asks.add(topic)
                self._asked.set()

        return pass_on

    async def run(self, loops: Sequence[Loop], ears: Ears, workspace: Callable[[], Mapping[str, Any]]) -> None:
        """Listen, pass on, and lead whenever the lock can be had; for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(ears))
            group.create_task(self._pass_on())
            group.create_task(self._stand_for_election(loops, ears, workspace))

    # Leading -------------------------------------------------------------------------------------------------------

    async def _stand_for_election(
        self, loops: Sequence[Loop], ears: Ears, workspace: Callable[[], Mapping[str, Any]]
    ) -> None:
        while True:
            try:
                silent_for_ms = round(SILENT_FOR_S * 1000)
                async with leadership.candidate(self._connection, silent_for_ms=silent_for_ms) as session:
                    while not await session.try_lock():
                        await self._clock.sleep(TRY_EVERY_S)
                    await self._lead(session, loops, ears, workspace)
            except (_LeadershipLost, *SESSION_TROUBLE) as fault:
                log.warning("leadership_session_lost", replica_id=self.replica_id, reason=_words(fault))
            except Exception:
                log.exception("leadership_failed", replica_id=self.replica_id)
            await self._clock.sleep(AGAIN_AFTER_S)

    async def _lead(
        self, session: LeaderSession, loops: Sequence[Loop], ears: Ears, workspace: Callable[[], Mapping[str, Any]]
    ) -> None:
        """Run the loops as long as the session answers. Always ends by an exception."""
        async with self._database.write() as db:
            term = await leadership.begin_term(db, replica_id=self.replica_id, at=self._clock.now())
        self._term, self._heard_leader_id = term, None
        log.info("leadership_gained", replica_id=self.replica_id, term=term)
        lost: list[BaseException] = []
        try:
            ears.leads()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(session, workspace))
                for loop in loops:
                    group.create_task(loop())
        except* _LeadershipLost as faults:
            lost += faults.exceptions
        finally:
            self._term = None
            log.info("leadership_ended", replica_id=self.replica_id, term=term)
        raise lost[0]

    async def _beat(self, session: LeaderSession, workspace: Callable[[], Mapping[str, Any]]) -> None:
        """Keep the session alive and tell how the workspace is doing."""
        while True:
            try:
                async with asyncio.timeout(BEAT_WITHIN_S):
                    await session.beat(News(by=self.replica_id, workspace=workspace()).text())
            except SESSION_TROUBLE as fault:
                self._term = None
                raise _LeadershipLost(_words(fault)) from fault
            await self._clock.sleep(BEAT_EVERY_S)

    # News ----------------------------------------------------------------------------------------------------------

    async def _listen(self, ears: Ears) -> None:
        while True:
            try:
                async with notifications.listening(self._connection) as listener:
                    await self._catch_up(ears)  # what was announced before, or while no session listened
                    while True:
                        await self._hear(listener, ears)
            except SESSION_TROUBLE as fault:
                log.warning("news_connection_lost", replica_id=self.replica_id, reason=_words(fault))
            except Exception:
                log.exception("news_not_heard", replica_id=self.replica_id)
            await self._clock.sleep(AGAIN_AFTER_S)

    async def _hear(self, listener: Listener, ears: Ears) -> None:
        texts = await listener.heard(within_s=QUIET_S)
        if not texts:
            async with asyncio.timeout(BEAT_WITHIN_S):
                await listener.check()
            await self._catch_up(ears)
            return
        found = [one for text in texts if (one := news.read(text)) is not None and one.by != self.replica_id]
        if any(one.last_seq for one in found):
            await ears.events()  # once for all that was heard together
        for one in found:
            self._take(one, ears)

    def _take(self, one: News, ears: Ears) -> None:
        for key in one.decided:
            ears.decided(key)
        if one.workspace is not None:  # only the leader tells
            self._heard_leader_id = one.by
            ears.workspace(one.workspace)
        if self.leading:
            if one.decided:
                ears.ledger()
            for act in [self._acts[topic] for topic in one.asks if topic in self._acts]:
                act()

    async def _catch_up(self, ears: Ears) -> None:
        await ears.events()
        if self.leading:
            ears.ledger()

    async def _pass_on(self) -> None:
        """Tell the leader what it was asked for here."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            asks, self._asks = self._asks, set()
            try:
                async with self._database.write() as db:
                    await notifications.announce(db, News(by=self.replica_id, asks=tuple(sorted(asks))).text())
            except SESSION_TROUBLE as fault:
                log.warning("leader_not_asked", asks=sorted(asks), reason=_words(fault))


def _words(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}".strip()
