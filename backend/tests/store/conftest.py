"""A store of either kind, at the newest revision, with a log."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.store import events
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    opened = Database(create_engine(store_url))
    await upgrade(opened.engine)
    async with opened.write() as db:
        await events.begin_log(db, epoch="first")
    yield opened
    await opened.dispose()
