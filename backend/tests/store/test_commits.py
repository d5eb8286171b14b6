"""What is committed is told, what is told is committed, whoever is canceled meanwhile; and what "brief" means."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from app.domain.clock import SystemClock
from app.domain.events import Envelope, EventDraft
from app.services.journal import Journal
from app.services.replica import SoleReplica
from app.store import events
from app.store.dialect import checkpoint
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade
from app.store.schema import event_head
from app.store.sqlite_driver import BRIEF_STATEMENTS, connect
from backend.tests.support.waiting import until

EITHER = pytest.mark.parametrize("brief", [True, False], ids=["brief", "long"])


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(create_engine(f"sqlite:///{tmp_path / 'store.db'}"))
    await upgrade(opened.engine)
    yield opened
    await opened.dispose()


def journal_of(database: Database, published: list[Envelope]) -> Journal:
    return Journal(database=database, clock=SystemClock(), replica=SoleReplica(), publish=published.extend)


async def head_of(database: Database) -> int:
    async with database.read() as db:
        return (await events.head(db)).seq


@EITHER
async def test_whoever_is_canceled_while_it_commits_has_published_what_it_committed(
    database: Database, brief: bool
) -> None:
    published: list[Envelope] = []
    done: list[str] = []

    async def write() -> None:
        async with journal_of(database, published).transaction(brief=brief) as transaction:
            await transaction.append([EventDraft("told", {})])
            transaction.then(lambda: done.append("then"))
        await asyncio.Event().wait()

    writing = asyncio.create_task(write())

    def cancel(_connection: Any) -> None:
        writing.cancel()

    event.listen(database.engine.sync_engine, "commit", cancel)
    with suppress(asyncio.CancelledError):
        await writing
    event.remove(database.engine.sync_engine, "commit", cancel)
    assert writing.cancelled()
    assert [one.seq for one in published] == list(range(1, await head_of(database) + 1))
    assert done == ["then"] * len(published)


@EITHER
async def test_what_is_rolled_back_is_told_to_nobody(database: Database, brief: bool) -> None:
    published: list[Envelope] = []
    done: list[str] = []

    async def fail() -> None:
        async with journal_of(database, published).transaction(brief=brief) as transaction:
            await transaction.append([EventDraft("told", {})])
            transaction.then(lambda: done.append("then"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (published, done, await head_of(database)) == ([], [], 0)


async def test_a_brief_transaction_leaves_its_thread_only_when_it_turns_out_long(on_sqlite: Database) -> None:
    async def threads_of(statements: int, *, brief: bool) -> set[int]:
        used: set[int] = set()
        async with on_sqlite.write(brief=brief) as db:
            driver: Any = (await db.get_raw_connection()).driver_connection
            driver._conn.create_function("here", 0, lambda: used.add(threading.get_ident()))
            for _ in range(statements):
                await db.execute(text("SELECT here()"))
        return used

    here = threading.get_ident()
    assert await threads_of(BRIEF_STATEMENTS, brief=True) == {here}
    assert len(await threads_of(BRIEF_STATEMENTS + 1, brief=True) - {here}) == 1
    assert here not in await threads_of(1, brief=False)


async def test_nobody_waits_with_a_brief_transaction_that_waits_for_the_lock(on_sqlite: Database) -> None:
    assert on_sqlite.file is not None
    with closing(sqlite3.connect(on_sqlite.file, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        seqs: list[int] = []

        async def write() -> None:
            async with on_sqlite.write(brief=True) as db:
                await events.begin_log(db, epoch="first")
                seqs.append((await db.execute(select(event_head.c.seq))).scalar_one())

        writing = asyncio.create_task(write())
        await until(lambda: not on_sqlite.idle)
        assert seqs == []  # and this task goes on
        somebody.execute("COMMIT")
        await writing
    assert seqs == [0]


async def test_the_log_of_sqlite_is_copied_back_beside_the_transactions(on_sqlite: Database) -> None:
    file = on_sqlite.file
    assert file is not None
    wal = file.with_name(f"{file.name}-wal")
    async with on_sqlite.write() as db:
        await db.execute(text("CREATE TABLE filler AS SELECT zeroblob(20000000) AS much"))
    long = wal.stat().st_size
    assert long > 20_000_000  # no transaction has copied it back
    assert not checkpoint(file, beyond_bytes=long)
    assert checkpoint(file, beyond_bytes=long - 1)
    async with on_sqlite.write() as db:
        await db.execute(text("DROP TABLE filler"))
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as without_the_log:
        (size,) = without_the_log.execute("SELECT length(much) FROM filler").fetchone()
    assert size == 20_000_000


async def test_a_database_that_cannot_be_opened_leaves_no_thread_that_still_has_to_answer(tmp_path: Path) -> None:
    connection = connect(str(tmp_path / "no such folder" / "store.db"), timeout=1)
    with pytest.raises(sqlite3.OperationalError):
        await connection
    assert connection._last_word is not None
    assert connection._last_word.done()
