"""SQLite with one visit to the connection's thread per statement.

aiosqlite goes there and back for the cursor, the execution, the rows and the cursor's end: four times for a SELECT.
Each time two threads wait for each other, and on a busy machine a transaction's time goes into that, not into SQLite.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite

Row = tuple[Any, ...]


def connect(database: str, **options: Any) -> OneVisitConnection:
    """A connection for SQLAlchemy's dialect of aiosqlite (`async_creator_fn`), to be awaited."""
    connection = OneVisitConnection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # as the dialect does: a connection left open must not keep the process alive
    return connection


class OneVisitConnection(aiosqlite.Connection):
    """A connection whose cursors have their rows when they have executed."""

    def cursor(self) -> OneVisitCursor:  # type: ignore[override]
        """A cursor; costs nothing yet."""
        return OneVisitCursor(self)

    async def commit(self) -> None:
        """Commit, if there is anything to."""
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if there is anything to: a pool asks for it whenever it takes a connection back."""
        if self.in_transaction:
            await super().rollback()

    async def visit(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `work` returns, done in the connection's thread."""
        return await self._execute(work, self._conn)  # type: ignore[no-untyped-call]


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
        return await self._run(lambda cursor: cursor.execute(statement, parameters))  # type: ignore[arg-type]

    async def executemany(self, statement: str, many: Iterable[Iterable[Any]]) -> Self:
        """Run the statement once for each of `many`."""
        return await self._run(lambda cursor: cursor.executemany(statement, many))  # type: ignore[arg-type]

    async def fetchall(self) -> Sequence[Row]:
        """The rows, once."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """It was closed when it had its rows."""

    async def _run(self, run: Callable[[sqlite3.Cursor], sqlite3.Cursor]) -> Self:
        def work(connection: sqlite3.Connection) -> sqlite3.Cursor:
            cursor = run(connection.cursor())
            self._rows = cursor.fetchall() if cursor.description else ()
            cursor.close()
            return cursor

        done = await self._connection.visit(work)
        self.description, self.rowcount, self.lastrowid = done.description, done.rowcount, done.lastrowid
        return self
