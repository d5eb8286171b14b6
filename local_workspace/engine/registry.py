"""What Unity Catalog knows and folders cannot tell: names without tables yet, volumes, external tables, views.

One SQLite file, shared by the server and the workers; every method is one short transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS securables (
    kind TEXT NOT NULL CHECK (kind IN ('catalog', 'schema', 'volume', 'table', 'view')),
    full_name TEXT NOT NULL,
    parent TEXT NOT NULL,
    id TEXT NOT NULL,
    comment TEXT,
    location TEXT,
    definition TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, full_name)
);
CREATE TABLE IF NOT EXISTS generation (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO generation VALUES (1, 0);
"""

Row = dict[str, Any]


class Registry:
    """The rows of `catalog.db`. `generation` grows with every change, so that a reader can see that it has to look."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        weakref.finalize(self, self._db.close)

    def add(self, row: Row) -> bool:
        """Insert a securable; False when the name is taken, and then nothing changes."""
        columns = ", ".join(row)
        marks = ", ".join(f":{column}" for column in row)
        with self._write() as db:
            return db.execute(f"INSERT OR IGNORE INTO securables ({columns}) VALUES ({marks})", row).rowcount == 1

    def replace(self, row: Row) -> None:
        columns = ", ".join(row)
        marks = ", ".join(f":{column}" for column in row)
        with self._write() as db:
            db.execute(f"INSERT OR REPLACE INTO securables ({columns}) VALUES ({marks})", row)

    def find(self, kind: str, full_name: str) -> Row | None:
        rows = self._read("SELECT * FROM securables WHERE kind = ? AND full_name = ?", (kind, full_name))
        return rows[0] if rows else None

    def children(self, kind: str, parent: str) -> list[Row]:
        return self._read("SELECT * FROM securables WHERE kind = ? AND parent = ? ORDER BY full_name", (kind, parent))

    def all(self, kind: str) -> list[Row]:
        return self._read("SELECT * FROM securables WHERE kind = ? ORDER BY full_name", (kind,))

    def remove(self, kind: str, full_name: str) -> None:
        with self._write() as db:
            db.execute("DELETE FROM securables WHERE kind = ? AND full_name = ?", (kind, full_name))

    def remove_below(self, parent: str) -> None:
        """Forget everything whose parent is this name, and what lies deeper."""
        with self._write() as db:
            db.execute("DELETE FROM securables WHERE parent = ? OR substr(parent, 1, ?) = ?", _prefix(parent))

    def generation(self) -> int:
        return int(self._read("SELECT value FROM generation")[0]["value"])

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db as db:
            yield db
            db.execute("UPDATE generation SET value = value + 1")

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[Row]:
        with self._lock:
            return [dict(row) for row in self._db.execute(statement, values)]


def _prefix(parent: str) -> tuple[str, int, str]:
    return parent, len(parent) + 1, f"{parent}."
