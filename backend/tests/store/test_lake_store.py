"""What waits before bronze, and what is kept of the lake."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import insights, lake, landing
from app.store.engine import Database, create_engine
from app.store.lake import QuarantineEntry, TableFacts
from app.store.landing import ListedFile, ManifestEntry, Waiting
from app.store.migrate import upgrade
from app.store.types import ReadyJson

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY_FILE = ListedFile("claims/claims_2026-10-31.jsonl", None, 100, 1_000_000)
API_FILE = ListedFile("claims/api/C-1/x.json", "C-1", 50, 2_000_000)


@pytest.fixture
async def db(store_url: str) -> AsyncIterator[AsyncConnection]:
    database = Database(create_engine(store_url))
    await upgrade(database.engine)
    async with database.write() as db:
        yield db
    await database.dispose()


@pytest.fixture
async def lake_id(db: AsyncConnection) -> int:
    return (await lake.ensure(db, "ws-1", "petinsure360")).lake_id


async def listed(db: AsyncConnection, lake_id: int, *files: ListedFile, at: datetime = AT) -> None:
    await landing.save_listed(db, lake_id, files, at=at)
    await landing.settle(db, lake_id)


async def taken(db: AsyncConnection, lake_id: int, *files: ListedFile, later_ms: int = 0) -> None:
    entries = [ManifestEntry(f.path, f.size_bytes or 0, (f.modified_ms or 0) + later_ms) for f in files]
    await landing.save_manifest(db, lake_id, entries)
    await landing.settle(db, lake_id)


async def test_a_lake_is_made_once_per_workspace_and_catalog(db: AsyncConnection, lake_id: int) -> None:
    assert (await lake.ensure(db, "ws-1", "petinsure360")).lake_id == lake_id
    assert (await lake.ensure(db, "ws-2", "petinsure360")).lake_id != lake_id
    assert await lake.find(db, None, "petinsure360") is None


async def test_landed_files_wait_until_the_manifest_has_them(db: AsyncConnection, lake_id: int) -> None:
    await listed(db, lake_id, DAY_FILE, API_FILE)
    assert await landing.waiting(db, lake_id) == Waiting(claims=1, files=1)
    assert await landing.waiting_page(db, lake_id, after="", limit=10) == ["C-1"]
    await taken(db, lake_id, DAY_FILE)
    assert await landing.waiting(db, lake_id) == Waiting(claims=1, files=0)
    await taken(db, lake_id, API_FILE)
    assert await landing.waiting(db, lake_id) == Waiting(claims=0, files=0)


async def test_several_files_of_one_claim_are_one_claim_that_waits(db: AsyncConnection, lake_id: int) -> None:
    await listed(db, lake_id, API_FILE, replace(API_FILE, path="claims/api/C-1/y.json"))
    assert (await landing.waiting(db, lake_id)).claims == 1
    await taken(db, lake_id, API_FILE)
    assert (await landing.waiting(db, lake_id)).claims == 1


@pytest.mark.parametrize("change", [{"size_bytes": 101}, {"modified_ms": 1_000_000 + 5_000}])
async def test_a_file_that_changed_since_bronze_took_it_waits_again(
    db: AsyncConnection, lake_id: int, change: dict[str, int]
) -> None:
    await listed(db, lake_id, DAY_FILE)
    await taken(db, lake_id, DAY_FILE)
    await listed(db, lake_id, replace(DAY_FILE, **change))
    assert (await landing.waiting(db, lake_id)).files == 1


async def test_times_of_two_apis_may_differ_by_rounding(db: AsyncConnection, lake_id: int) -> None:
    await listed(db, lake_id, DAY_FILE)
    await taken(db, lake_id, DAY_FILE, later_ms=-999)
    assert (await landing.waiting(db, lake_id)).files == 0


async def test_a_file_that_only_its_time_changed_is_settled_by_the_next_run_over_everything(
    db: AsyncConnection, lake_id: int
) -> None:
    await listed(db, lake_id, DAY_FILE)
    await taken(db, lake_id, DAY_FILE)
    touched = replace(DAY_FILE, modified_ms=9_000_000)
    await listed(db, lake_id, touched)
    await landing.looked_at(db, lake_id, before=AT - timedelta(seconds=1))
    assert (await landing.waiting(db, lake_id)).files == 1  # listed after that run began
    await landing.looked_at(db, lake_id, before=AT + timedelta(seconds=1))
    assert (await landing.waiting(db, lake_id)).files == 0


async def test_the_manifest_may_be_known_before_the_listing(db: AsyncConnection, lake_id: int) -> None:
    await taken(db, lake_id, DAY_FILE)
    assert await landing.listed(db, lake_id) == {}
    await listed(db, lake_id, DAY_FILE)
    assert (await landing.waiting(db, lake_id)).files == 0


async def test_files_that_are_gone_wait_no_longer(db: AsyncConnection, lake_id: int) -> None:
    await listed(db, lake_id, DAY_FILE, API_FILE)
    await landing.forget(db, lake_id, [DAY_FILE.path])
    assert list(await landing.listed(db, lake_id)) == [API_FILE.path]
    assert (await landing.waiting(db, lake_id)).files == 0


async def test_a_table_counts_as_unread_until_its_version_was_read(db: AsyncConnection, lake_id: int) -> None:
    facts = TableFacts("petinsure360.silver.claims", "silver", 3, 10, 7, AT)
    await lake.save_table(db, lake_id, facts)
    assert await lake.unread(db, lake_id) == [facts]
    await lake.mark_read(db, lake_id, [facts])
    assert await lake.unread(db, lake_id) == []
    await lake.save_table(db, lake_id, facts)
    assert await lake.unread(db, lake_id) == []
    newer = replace(facts, version=4)
    await lake.save_table(db, lake_id, newer)
    assert await lake.unread(db, lake_id) == [newer]
    assert await lake.tables(db, lake_id) == [newer]


async def test_a_table_of_no_layer_is_refused(db: AsyncConnection, lake_id: int) -> None:
    with pytest.raises(IntegrityError, match="layer"):
        await lake.save_table(db, lake_id, TableFacts("x", "platinum"))


async def test_pending_ids_are_paged_in_order(db: AsyncConnection, lake_id: int) -> None:
    await lake.add_pending(db, lake_id, "silver", ["C-3", "C-1", "C-2"])
    await lake.add_pending(db, lake_id, "silver", ["C-1"])
    assert await lake.pending_page(db, lake_id, "silver", after="", limit=2) == ["C-1", "C-2"]
    assert await lake.pending_page(db, lake_id, "silver", after="C-2", limit=2) == ["C-3"]
    await lake.remove_pending(db, lake_id, "silver", ["C-1", "C-2"])
    assert await lake.pending_ids(db, lake_id, "silver") == {"C-3"}
    assert await lake.pending_ids(db, lake_id, "gold") == set()


async def test_a_position_keeps_the_other_layers(db: AsyncConnection, lake_id: int) -> None:
    await lake.save_positions(db, lake_id, "bronze", [("C-1", "7")])
    await lake.save_positions(db, lake_id, "silver", [("C-1", "8")])
    await lake.save_positions(db, lake_id, "bronze", [("C-1", "9")])
    found = await lake.positions(db, lake_id, "C-1")
    assert found is not None
    assert found.runs == {"bronze": "9", "silver": "8"}
    assert await lake.positions(db, lake_id, "C-2") is None


async def test_quarantine_is_replaced_whole(db: AsyncConnection, lake_id: int) -> None:
    first = QuarantineEntry("C-1", "policy_known", "no such policy", "7", None)
    second = QuarantineEntry("C-1", "amount_valid", None, "7", None)
    await lake.replace_quarantine(db, lake_id, [first, second])
    assert await lake.quarantine_of(db, lake_id, "C-1") == [first, second]
    assert await lake.quarantined_count(db, lake_id) == 1
    assert await lake.quarantined_page(db, lake_id, after="", limit=5) == ["C-1"]
    await lake.replace_quarantine(db, lake_id, [])
    assert await lake.quarantine_of(db, lake_id, "C-1") == []


async def test_figures_are_kept_by_name(db: AsyncConnection, lake_id: int) -> None:
    assert await insights.load(db, lake_id, "overview") is None
    await insights.save(db, lake_id, "overview", ReadyJson('{"months":[]}'), etag="a", at=AT)
    await insights.save(db, lake_id, "overview", ReadyJson('{"months":[1]}'), etag="b", at=AT)
    kept = await insights.load(db, lake_id, "overview")
    assert kept is not None
    assert (kept.body, kept.etag) == ({"months": [1]}, "b")


async def test_pages_of_claims_are_in_the_order_of_their_bytes(db: AsyncConnection, lake_id: int) -> None:
    ids = ["B-1", "a-2", "A.1", "A-1", "a_1", "A1", "b:1", "_x"]
    await lake.add_pending(db, lake_id, "silver", ids)
    shown: list[str] = []
    while page := await lake.pending_page(db, lake_id, "silver", after=shown[-1] if shown else "", limit=3):
        shown += page
    assert shown == sorted(ids)
