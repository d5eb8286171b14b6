"""Snapshots: of one head, built once for all who ask, never too large for a client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.clock import SystemClock
from app.domain.events import EventDraft
from app.services.event_log import Retention, StoredLog
from app.services.snapshot import Snapshots
from app.store import events
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade


class Contents:
    """Counts how often it is read; the head that it sees stands in the snapshot."""

    def __init__(self, runs: list[dict[str, Any]] | None = None) -> None:
        self.reads = 0
        self.runs = runs or []

    async def __call__(self, db: AsyncConnection) -> dict[str, Any]:
        self.reads += 1
        return {"runs": self.runs, "layers": {"head": (await events.head(db)).seq}, "workspace": None}


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    database = Database(create_engine(store_url))
    await upgrade(database.engine)
    async with database.write() as db:
        await events.begin_log(db, epoch="life-1")
    yield database
    await database.dispose()


async def happen(database: Database, count: int) -> None:
    async with database.write() as db:
        await events.append(db, [EventDraft("x", {})] * count, at=SystemClock().now())


async def test_clients_that_connect_at_the_same_time_share_one_snapshot(database: Database) -> None:
    contents = Contents()
    snapshots = Snapshots(database, SystemClock(), contents)
    await happen(database, 3)
    first, *others = await asyncio.gather(*(snapshots.at_least(3) for _ in range(50)))
    assert contents.reads == 1
    assert all(other is first for other in others)
    assert (first.seq, first.data["layers"]["head"]) == (3, 3)


async def test_a_newer_head_gets_a_newer_snapshot(database: Database) -> None:
    contents = Contents()
    snapshots = Snapshots(database, SystemClock(), contents)
    await snapshots.at_least(0)
    await happen(database, 2)
    assert (await snapshots.at_least(2)).seq == 2
    assert (await snapshots.at_least(1)).seq == 2
    assert contents.reads == 2


async def test_long_lists_of_claims_do_not_make_a_snapshot_that_clients_refuse(database: Database) -> None:
    runs = [{"run_id": n, "claim_ids": [f"CLM-{n}-{m:08}" for m in range(10_000)]} for n in range(20)]
    snapshots = Snapshots(database, SystemClock(), Contents(runs))
    envelope = await snapshots.at_least(0)
    assert envelope.size_bytes < 1024 * 1024
    assert [(len(run["claim_ids"]), run["claim_count"]) for run in envelope.data["runs"]] == [(100, 10_000)] * 20


async def test_events_beyond_the_bounds_go_and_the_oldest_kept_is_known(database: Database) -> None:
    await happen(database, 10)
    retention = Retention(database, SystemClock(), keep_events=4)
    assert await retention.trim() == 6
    assert await retention.trim() == 0
    log = StoredLog(database)
    assert (await log.head()).oldest_seq == 7
    assert [event.seq for event in (await log.after(0, 100)).envelopes] == [7, 8, 9, 10]


async def test_a_long_trim_lets_others_write_in_between(database: Database) -> None:
    class Pauses(SystemClock):
        """Somebody writes in every pause."""

        count = 0

        async def sleep(self, seconds: float) -> None:
            self.count += 1
            await happen(database, 1)

    await happen(database, 10)
    clock = Pauses()
    retention = Retention(database, clock, keep_events=4, at_once=2)
    assert await retention.trim() == 6 + clock.count
    log = StoredLog(database)
    assert clock.count >= 3
    assert [event.seq for event in (await log.after(0, 100)).envelopes] == list(
        range(7 + clock.count, 11 + clock.count)
    )
