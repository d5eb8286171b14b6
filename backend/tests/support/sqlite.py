"""New SQLite stores, copied from one that was migrated once; migrations have tests of their own."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from app.store.engine import create_engine
from app.store.migrate import upgrade

PREFIX = "sqlite:///"


def lay_store(store_url: str) -> None:
    """An empty store at the newest revision, unless one lies there already or it is no file of SQLite."""
    path = Path(store_url.removeprefix(PREFIX))
    if store_url.startswith(PREFIX) and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())


@lru_cache(maxsize=1)
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        making = Thread(target=asyncio.run, args=(_make(f"{PREFIX}{path}"),))  # the caller's thread has a loop already
        making.start()
        making.join()
        return path.read_bytes()


async def _make(url: str) -> None:
    engine = create_engine(url)
    await upgrade(engine)
    await engine.dispose()
