"""LISTEN and NOTIFY of PostgreSQL: a word to every replica, heard when the transaction has committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection as Session
from psycopg import Error
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

CHANNEL = "petinsure360"
# What a session that is kept may end with: the server's word, a lost connection, no answer in time.
SESSION_TROUBLE = (Error, SQLAlchemyError, OSError)


async def announce(db: AsyncConnection, text: str) -> None:
    """Say `text` to every replica, this one included, once the transaction has committed; never if it has not."""
    await db.execute(select(func.pg_notify(CHANNEL, text)))


class Listener:
    """A session of its own that hears what is announced."""

    def __init__(self, session: Session[Any]) -> None:
        self._session = session

    async def heard(self, *, within_s: float) -> list[str]:
        """What has been announced, in commit order, as soon as there is anything; empty when there is nothing."""
        return [told.payload async for told in self._session.notifies(timeout=within_s, stop_after=1)]

    async def check(self) -> None:
        """Raise unless the server answers."""
        await self._session.execute("SELECT 1")


@asynccontextmanager
async def listening(conninfo: str) -> AsyncIterator[Listener]:
    """Hear everything that is announced from now on. Raises psycopg.Error when the server cannot be reached."""
    async with await Session.connect(conninfo, autocommit=True) as session:
        await session.execute(f"LISTEN {CHANNEL}")
        yield Listener(session)
