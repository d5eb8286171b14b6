"""What SQLite and PostgreSQL do differently; the only raw SQL outside the migrations."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.sqlite_driver import LOCK, READ

# Advisory locks of PostgreSQL, per database: the first of each pair is ours ("pet3"), the second says which.
LOCK_SPACE = 0x70657433
WRITE_LOCK = f"{LOCK_SPACE}, 1"
LEADER_LOCK = f"{LOCK_SPACE}, 2"
IDLE_IN_TRANSACTION_MS = 5_000
# Copying the WAL back into the file waits for the disk, so it is done beside the transactions (`checkpoint`); one of
# them does it only when nobody else has for 64 MB.
LONGEST_WAL_PAGES = 16_384


def prepare_sqlite_connection(dbapi_connection: Any, *, busy_timeout_ms: int) -> None:
    """WAL, so that readers and the writer do not wait for each other; we begin transactions ourselves."""
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_WAL_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def start_sqlite_transaction(connection: Connection, *, writing: bool, brief: bool) -> None:
    """A writer takes the lock at once: a lock taken halfway cannot be waited for."""
    driver: Any = connection.connection.driver_connection
    driver.begin(reading=not writing, brief=brief)
    connection.exec_driver_sql(LOCK if writing else READ)


def checkpoint(path: Path, *, beyond_bytes: int) -> bool:
    """Copy a WAL longer than that back into its file, as far as readers allow; whether there was anything to do.

    Blocking: it waits for the disk, and nobody waits for it.
    """
    try:
        if path.with_name(f"{path.name}-wal").stat().st_size <= beyond_bytes:
            return False
    except FileNotFoundError:
        return False
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return True


def prepare_postgresql_connection(dbapi_connection: Any, *, lock_timeout_ms: int) -> None:
    """Nobody waits for a lock for ever; a replica that hangs in a transaction loses it, and the others go on."""
    cursor = dbapi_connection.cursor()
    cursor.execute(
        "SELECT set_config('lock_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false),"
        " set_config('timezone', 'UTC', false)",
        (str(int(lock_timeout_ms)), str(IDLE_IN_TRANSACTION_MS)),
    )
    cursor.close()
    dbapi_connection.commit()


def start_postgresql_transaction(connection: Connection, *, writing: bool) -> None:
    """One writer at a time over all replicas; the lock goes with the transaction, after its commit can be seen."""
    if writing:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


async def insert_or_ignore(db: AsyncConnection, table: Table, row: dict[str, Any]) -> bool:
    """Insert unless a unique constraint is already taken; True when the row is new."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    result = await db.execute(insert(table).values(row).on_conflict_do_nothing())
    return result.rowcount == 1


async def upsert(db: AsyncConnection, table: Table, row: dict[str, Any]) -> None:
    """Insert, or replace every given column of the row with the same primary key."""
    await db.execute(_upsert(db.dialect.name, table, tuple(row)), row)


async def upsert_many(db: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same for many rows that name the same columns, in one statement prepared once."""
    if not rows:
        return
    await db.execute(_upsert(db.dialect.name, table, tuple(rows[0])), [dict(row) for row in rows])


@lru_cache(maxsize=256)
def _upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Executable:
    """The statement for rows of these columns. Made once: making it costs more than running it."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key.columns]
    statement = insert(table).values({name: bindparam(name) for name in names})
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    if changed:
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)
    return statement.on_conflict_do_nothing()
