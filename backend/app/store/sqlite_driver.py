"""SQLite with at most one visit to the connection's thread per statement, and none in a brief transaction.

aiosqlite goes there and back for the cursor, the execution, the rows and the cursor's end: four times for a SELECT.
Each time two threads wait for each other, and on a busy machine a transaction's time goes into that, not into SQLite:
a statement by key takes some 20 microseconds, a visit takes 100 when the machine is idle and milliseconds when not.
Decision record 0007 says what may be brief.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

Row = tuple[Any, ...]
Work = Callable[[sqlite3.Connection], Any]

# A transaction that was meant to be brief goes on in the thread after so many statements, and others get their turn.
BRIEF_STATEMENTS = 24
# The statement that waits for others, and therefore never does so where everybody would wait with it.
LOCK = "BEGIN IMMEDIATE"
# It only says that the statements to come belong together.
READ = "BEGIN"


def connect(database: str, *, timeout: float, **options: Any) -> OneVisitConnection:
    """A connection for SQLAlchemy's dialect of aiosqlite (`async_creator_fn`), to be awaited.

    `timeout`: the seconds that a statement waits for a lock.
    """

    given = {**options, "timeout": timeout, "check_same_thread": False}
    connection = OneVisitConnection(partial(sqlite3.connect, database, **given), iter_chunk_size=64)
    connection.patience_ms = round(timeout * 1000)
    connection._thread.daemon = True  # as the dialect does: a connection left open must not keep the process alive
    return connection


class OneVisitConnection(aiosqlite.Connection):
    """A connection whose cursors have their rows when they have executed."""

    patience_ms = 0
    _reading = False
    _brief = False
    _left_here = 0
    _under_way = 0  # visits that have not ended, though their caller may have been canceled
    _last_word: asyncio.Future[Any] | None = None

    async def _connect(self) -> aiosqlite.Connection:
        """Open the database.

        Where that fails, the thread has said its last word before the caller hears of it: later it might find no loop.
        """
        try:
            return await super()._connect()
        except BaseException:
            if self._last_word is not None:
                await asyncio.wait([self._last_word])
            raise

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread; the answer is done when it has said its last word."""
        self._last_word = super().stop()
        return self._last_word

    def begin(self, *, reading: bool, brief: bool) -> None:
        """A transaction follows; the statements of a brief one, and its commit, run in the caller's thread."""
        self._reading, self._brief, self._left_here = reading, brief, BRIEF_STATEMENTS if brief else 0

    def cursor(self) -> OneVisitCursor:  # type: ignore[override]
        """A cursor; costs nothing yet."""
        return OneVisitCursor(self)

    async def commit(self) -> None:
        """Commit, if there is anything to. Nobody can be canceled while a brief transaction commits."""
        if not self.in_transaction:
            return
        if self._brief:
            self._conn.commit()
        else:
            await self._there(sqlite3.Connection.commit)

    async def rollback(self) -> None:
        """Roll back, if there is anything to: a pool asks for it whenever it takes a connection back."""
        if self._under_way or (self.in_transaction and not self._reading):
            await self._there(sqlite3.Connection.rollback)
        elif self.in_transaction:
            self._conn.rollback()  # of what was read there is nothing to take back

    async def visit(self, work: Work, *, statements: int = 1) -> Any:
        """What `work` returns: done here in a brief transaction, else in the connection's thread."""
        if statements > self._left_here:
            return await self._there(work)
        self._left_here -= statements
        return work(self._conn)

    async def lock(self, work: Work) -> Any:
        """The same for the work that takes the write lock. It is waited for in the thread only."""
        left_here, self._left_here = self._left_here, 0
        if left_here:
            try:
                done = self._at_once(work)
            except sqlite3.OperationalError as fault:
                if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                self._left_here = left_here
                return done
        done = await self._there(work)
        self._left_here = left_here
        return done

    async def _there(self, work: Work) -> Any:
        def visit() -> Any:
            try:
                return work(self._conn)
            finally:
                self._under_way = 0  # they come one after the other

        self._under_way = 1
        return await self._execute(visit)  # type: ignore[no-untyped-call]

    def _at_once(self, work: Work) -> Any:
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            return work(self._conn)
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {self.patience_ms}")


class OneVisitCursor:
    """What the dialect uses of a cursor."""

    def __init__(self, connection: OneVisitConnection) -> None:
        self._connection = connection
        self._rows: Sequence[Row] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Self:
        """Run the statement and take all its rows."""
        work = self._work(lambda cursor: cursor.execute(statement, parameters))  # type: ignore[arg-type]
        if statement == LOCK:
            return self._keep(await self._connection.lock(work))
        return self._keep(await self._connection.visit(work, statements=0 if statement == READ else 1))

    async def executemany(self, statement: str, many: Iterable[Iterable[Any]]) -> Self:
        """Run the statement once for each of `many`."""
        rows = list(many)
        work = self._work(lambda cursor: cursor.executemany(statement, rows))  # type: ignore[arg-type]
        return self._keep(await self._connection.visit(work, statements=len(rows)))

    async def fetchall(self) -> Sequence[Row]:
        """The rows, once."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """It was closed when it had its rows."""

    def _work(self, run: Callable[[sqlite3.Cursor], sqlite3.Cursor]) -> Work:
        def work(connection: sqlite3.Connection) -> sqlite3.Cursor:
            cursor = run(connection.cursor())
            self._rows = cursor.fetchall() if cursor.description else ()
            cursor.close()
            return cursor

        return work

    def _keep(self, done: sqlite3.Cursor) -> Self:
        self.description, self.rowcount, self.lastrowid = done.description, done.rowcount, done.lastrowid
        return self
