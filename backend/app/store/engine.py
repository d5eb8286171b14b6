"""The connection to the store: SQLite in the data directory, or the database that DATABASE_URL names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.store.dialect import prepare_sqlite_connection, start_sqlite_transaction

BUSY_TIMEOUT_MS = 10_000
QUIESCE_WITHIN_S = 3.0


class Database:
    """`read()` never waits for a writer; `write()` is one transaction that holds the write lock from its start.

    Nobody keeps either open across a network await.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._readers = engine.execution_options(read_only=True)
        self._gate = asyncio.Event()
        self._gate.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = 0
        # One process writes one transaction at a time anyway; queueing here is fair and costs no busy waiting.
        self._writing = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view of the store."""
        async with self._passing(), self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction; committed when the block ends, rolled back when it raises."""
        async with self._writing or nullcontext(), self._passing(), self.engine.begin() as connection:
            yield connection

    async def quiesce(self) -> None:
        """Let nobody in any more and wait for those inside, so that nothing is canceled in mid-statement."""
        self._gate.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIESCE_WITHIN_S):
                await self._idle.wait()

    @asynccontextmanager
    async def _passing(self) -> AsyncIterator[None]:
        await self._gate.wait()
        self._open += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class MissingDriver(RuntimeError):
    """DATABASE_URL names a database whose Python driver is not installed."""


def create_engine(database_url: str) -> AsyncEngine:
    """An engine for `sqlite:///path`, or for `postgresql://…` when psycopg is installed.

    Raises MissingDriver with what to install.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False))
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    try:
        return create_async_engine(url, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as fault:
        raise MissingDriver(
            f"DATABASE_URL names {url.get_backend_name()}, but its driver is missing: pip install 'psycopg[binary]'."
        ) from fault


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, pool_size=8, max_overflow=8)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(dbapi_connection: Any, _record: Any) -> None:
        prepare_sqlite_connection(dbapi_connection, busy_timeout_ms=BUSY_TIMEOUT_MS)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        start_sqlite_transaction(connection, writing=not connection.get_execution_options().get("read_only", False))

    return engine
