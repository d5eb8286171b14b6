"""What a server's store holds, read beside the server."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from e2e.server import Server


def one_number(server: Server, query: str) -> float:
    """The only value of the query's only row."""
    with closing(sqlite3.connect(f"file:{server.data_dir / 'petinsure.db'}?mode=ro", uri=True)) as db:
        number: float = db.execute(query).fetchone()[0]
    return number
