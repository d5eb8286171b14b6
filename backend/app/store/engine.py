"""The connection to the store: SQLite in the data directory, or the database that DATABASE_URL names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.store import sqlite_driver
from app.store.dialect import (
    prepare_postgresql_connection,
    prepare_sqlite_connection,
    start_postgresql_transaction,
    start_sqlite_transaction,
)

BUSY_TIMEOUT_MS = 10_000
QUIESCE_WITHIN_S = 3.0
OLDEST_POSTGRESQL = (14,)  # the first that ends an idle session by itself
UNREADABLE_URL = (
    "DATABASE_URL cannot be read as postgresql://user:password@host:port/database?option=value. Several hosts are"
    " separated by commas; special characters in user and password are percent-encoded (@ is %40)."
)
POOL_SIZE = 8
POOL_OVERFLOW = 8
# A server that went without a word is noticed within about these seconds; the URL may say otherwise.
POSTGRESQL_NETWORK = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "petinsure360",
}


class Database:
    """`read()` never waits for a writer; `write()` is one transaction that holds the write lock from its start.

    `brief` is said of a few statements by key, each of a few rows: on SQLite they run where they are asked for, as
    going to a thread costs more than they do (decision record 0007).
    The lock is the whole store's: on PostgreSQL all replicas write one after the other, as all tasks of a process do
    on SQLite, so that what a transaction has read is still true when it commits. Nobody keeps either open across a
    network await.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._readers = engine.execution_options(**_READING[engine.dialect.name])
        self._brief_readers = self._readers.execution_options(brief=True)
        self._brief_writers = engine.execution_options(brief=True)
        self._gate = asyncio.Event()
        self._gate.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = 0
        # One process writes one transaction at a time anyway; queueing here is fair and costs no busy waiting.
        self._writing = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def read(self, *, brief: bool = False) -> AsyncIterator[AsyncConnection]:
        """A consistent view of the store."""
        readers = self._brief_readers if brief else self._readers
        async with self._passing(), readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(
        self, after_commit: Callable[[], None] = lambda: None, *, brief: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """One transaction; committed when the block ends, then `after_commit`; rolled back when it raises.

        Who is canceled while it commits, is so when that is done: nothing is stored that nobody hears of.
        """
        writers = self._brief_writers if brief else self.engine
        alone = self._writing or nullcontext()
        async with alone, self._passing(), writers.connect() as connection, connection.begin() as transaction:
            yield connection
            if brief and self._writing is not None:
                await transaction.commit()  # without a pause, in which somebody could be canceled
                after_commit()
            else:
                await _undisturbed(transaction.commit(), after_commit)

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None for another database."""
        path = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        return Path(path) if path else None

    @property
    def idle(self) -> bool:
        """Whether nobody reads or writes at the moment."""
        return not self._open

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


async def _undisturbed(commit: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
    """Both, however often the caller is canceled meanwhile; then the cancellation."""

    async def both() -> None:
        await commit
        then()

    task = asyncio.ensure_future(both())
    canceled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as fault:
            canceled = fault
    task.result()
    if canceled is not None:
        raise canceled


class StoreUnusable(Exception):
    """DATABASE_URL leads to no PostgreSQL that we can use; the text says why, without the password."""


async def probe(database_url: str) -> str:
    """Connect once; returns what answers, in words. Raises StoreUnusable."""
    engine = create_engine(database_url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        async with engine.connect():
            version = getattr(engine.dialect, "server_version_info", None) or ()
    except (SQLAlchemyError, OSError) as fault:
        reason = str(getattr(fault, "orig", None) or fault).strip().splitlines()[:1]
        raise StoreUnusable(f"DATABASE_URL ({shown}) does not answer: {' '.join(reason)}") from fault
    finally:
        await engine.dispose()
    words = f"{engine.dialect.name} {'.'.join(map(str, version))}"
    if engine.dialect.name == "postgresql" and version < OLDEST_POSTGRESQL:
        raise StoreUnusable(f"DATABASE_URL ({shown}) is {words}; PostgreSQL {OLDEST_POSTGRESQL[0]} or newer is needed.")
    return words


def create_engine(database_url: str) -> AsyncEngine:
    """An engine for `sqlite:///path` or `postgresql://…`. Raises StoreUnusable when the latter cannot be read."""
    if database_url.startswith("sqlite"):
        url = make_url(database_url).set(drivername="sqlite+aiosqlite")
        return _sqlite_engine(url.render_as_string(hide_password=False))
    return _postgresql_engine(_postgresql_url(database_url))


def _postgresql_url(text: str) -> URL:
    """The address as PostgreSQL's own library reads it, several hosts (`h1:5432,h2:5432`) included."""
    from psycopg import ProgrammingError  # here, so that a start on SQLite does not wait for the library
    from psycopg.conninfo import conninfo_to_dict

    scheme, _, rest = text.partition("://")
    try:
        read = conninfo_to_dict(f"{scheme.partition('+')[0]}://{rest}")
        given = {name: str(value) for name, value in read.items()}
        hosts, ports = given.pop("host", ""), given.pop("port", "")
        one = "," not in hosts and not hosts.startswith("/")
        port = int(ports) if one and ports else None
    except (ProgrammingError, ValueError):
        raise StoreUnusable(UNREADABLE_URL) from None  # the words of the cause may quote the password
    url = URL.create(
        "postgresql+psycopg",
        username=given.pop("user", None),
        password=given.pop("password", None),
        database=given.pop("dbname", None),
        host=hosts if one and hosts else None,
        port=port,
        query=given,
    )
    places = {} if one else {"host": hosts} | ({"port": ports} if ports.strip(",") else {})
    return url.update_query_dict(places)


def connection_string(engine: AsyncEngine) -> str:
    """What libpq needs to open one more connection like the pool's, for a session that is kept."""
    url = engine.url.set(drivername="postgresql")
    return url.update_query_dict(_network_of(url)).render_as_string(hide_password=False)


def _network_of(url: URL) -> dict[str, str]:
    return {name: value for name, value in POSTGRESQL_NETWORK.items() if name not in url.query}


def _postgresql_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,  # an error's text is logged, and what is stored is none of the log's business
        isolation_level="READ COMMITTED",  # a statement after the lock sees what was committed before
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_pre_ping=True,
        use_native_hstore=False,
        connect_args=_network_of(url),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(dbapi_connection: Any, _record: Any) -> None:
        prepare_postgresql_connection(dbapi_connection, lock_timeout_ms=BUSY_TIMEOUT_MS)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        start_postgresql_transaction(connection, writing=not connection.get_execution_options().get("read_only", False))

    return engine


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "async_creator_fn": sqlite_driver.connect},
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(dbapi_connection: Any, _record: Any) -> None:
        prepare_sqlite_connection(dbapi_connection, busy_timeout_ms=BUSY_TIMEOUT_MS)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        writing, brief = not options.get("read_only", False), bool(options.get("brief", False))
        start_sqlite_transaction(connection, writing=writing, brief=brief)

    return engine


# A reader sees one state of the store in all its statements: SQLite gives that to any transaction.
_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"read_only": True},
    "postgresql": {"read_only": True, "isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
