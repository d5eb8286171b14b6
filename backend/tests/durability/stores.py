"""The backend's store as seen from outside: what the ledger holds, and a hand on its write lock."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from app.store.dialect import WRITE_LOCK


@dataclass(frozen=True)
class Row:
    """What the ledger held of a click at a moment."""

    state: str
    in_doubt: bool


class Store(Protocol):
    """One of the two stores."""

    def row(self, key: str) -> Row | None:
        """What the ledger holds of the click with this Idempotency-Key."""
        ...

    def asked(self, run_id: int | None, kind: str) -> bool:
        """Whether the ledger holds a cancellation or repair of the run."""
        ...

    def nobody_writes(self) -> contextlib.AbstractContextManager[None]:
        """Hold the store's write lock: what the backend has heard it cannot write down."""
        ...


class SqliteStore:
    """The file in the backend's data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def row(self, key: str) -> Row | None:
        found = self._first("SELECT state, in_doubt FROM submissions WHERE request_key = ?", key)
        return Row(found[0], bool(found[1])) if found else None

    def asked(self, run_id: int | None, kind: str) -> bool:
        return self._first("SELECT 1 FROM run_actions WHERE run_id = ? AND kind = ?", run_id, kind) is not None

    @contextlib.contextmanager
    def nobody_writes(self) -> Iterator[None]:
        with closing(self._connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("ROLLBACK")

    def _first(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        with closing(self._connect()) as db:
            found: tuple[Any, ...] | None = db.execute(query, values).fetchone()
        return found

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level=None)


class PostgresqlStore:
    """A database of the tests' own server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._looking = psycopg.connect(url, autocommit=True)

    def row(self, key: str) -> Row | None:
        query = "SELECT state, in_doubt FROM submissions WHERE request_key = %s"
        found = self._looking.execute(query, (key,)).fetchone()
        return Row(found[0], bool(found[1])) if found else None

    def asked(self, run_id: int | None, kind: str) -> bool:
        query = "SELECT 1 FROM run_actions WHERE run_id = %s AND kind = %s"
        return self._looking.execute(query, (run_id, kind)).fetchone() is not None

    @contextlib.contextmanager
    def nobody_writes(self) -> Iterator[None]:
        with psycopg.connect(self._url) as db:
            db.execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")  # type: ignore[arg-type]  # a constant of ours
            yield
            db.rollback()

    def close(self) -> None:
        self._looking.close()
