"""Who leads: a lock that PostgreSQL takes back when its session ends, and a term that stops whoever led before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection as Session
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialect import LEADER_LOCK, insert_or_ignore
from app.store.notifications import CHANNEL
from app.store.schema import leadership


class LeaderSession:
    """The session that holds the lock, or tries to get it."""

    def __init__(self, session: Session[Any]) -> None:
        self._session = session

    async def try_lock(self) -> bool:
        """Take the lock if nobody has it."""
        found = await self._session.execute(f"SELECT pg_try_advisory_lock({LEADER_LOCK})")
        row = await found.fetchone()
        return bool(row and row[0])

    async def beat(self, text: str) -> None:
        """Show that we live, and announce `text`. Raises psycopg.Error when the session, and so the lock, is gone."""
        await self._session.execute("SELECT pg_notify(%s, %s)", (CHANNEL, text))


@asynccontextmanager
async def candidate(conninfo: str, *, silent_for_ms: int) -> AsyncIterator[LeaderSession]:
    """A session for the lock. The server ends it after such a silence: a leader that hangs is replaced."""
    async with await Session.connect(conninfo, autocommit=True) as session:
        await session.execute("SELECT set_config('idle_session_timeout', %s, false)", (str(silent_for_ms),))
        yield LeaderSession(session)


async def begin_term(db: AsyncConnection, *, replica_id: str, at: datetime) -> int:
    """Begin the next term; what earlier leaders still try to write is refused from this commit on."""
    await insert_or_ignore(db, leadership, {"one": 1, "term": 0, "replica_id": replica_id, "since": at})
    statement = update(leadership).values(term=leadership.c.term + 1, replica_id=replica_id, since=at)
    return int((await db.execute(statement.returning(leadership.c.term))).scalar_one())


async def term(db: AsyncConnection) -> int | None:
    """The present term, or None before the first."""
    found: int | None = (await db.execute(select(leadership.c.term))).scalar()
    return found
