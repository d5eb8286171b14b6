"""The workspace's SQLite file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from local_workspace.store import tables
from local_workspace.store.migrations import migrate


class Database:
    """One SQLite file in write-ahead mode, brought to the current schema when opened.

    A transaction costs a fraction of a millisecond (nothing waits for the disk), so the event loop calls it directly;
    it survives the death of the process, which is the failure that matters here.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.last_written_ms = _last_written_ms(path)
        self.engine = _engine(path)
        with self.engine.begin() as db:
            migrate(db)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction; all of it or nothing."""
        with self.engine.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as db:
            yield db

    def workspace_id(self) -> str:
        """The number that names this workspace: minted once per data directory, digits, below 2^53."""
        minted = str(10**15 + secrets.randbelow(8 * 10**15))
        with self.write() as db:
            db.execute(upsert(tables.meta).values(key="workspace_id", value=minted).on_conflict_do_nothing())
            found = db.execute(select(tables.meta.c.value).where(tables.meta.c.key == "workspace_id")).scalar_one()
        return str(found)

    def highest_id(self) -> int:
        """The largest identifier given so far, so that a clock set back repeats none."""
        kept = (tables.jobs.c.job_id, tables.runs.c.run_id, tables.task_runs.c.run_id, tables.repairs.c.repair_id)
        with self.read() as db:
            return max(db.execute(select(func.max(column))).scalar() or 0 for column in kept)

    def close(self) -> None:
        self.engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        json_serializer=lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _last_written_ms(path: Path) -> int:
    """When the store was last written before this start (0 for a new one): the last sign of life of a killed server."""
    files = (path, path.with_name(path.name + "-wal"))
    return max((int(file.stat().st_mtime * 1000) for file in files if file.exists()), default=0)


def put(db: Connection, table: Any, **values: Any) -> None:
    """Insert a row or replace the one that has its primary key."""
    statement = upsert(table).values(**values)
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))


def add(db: Connection, table: Any, **values: Any) -> None:
    db.execute(insert(table).values(**values))
