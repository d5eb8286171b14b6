"""Every released revision, with something in every table, comes to the newest one with nothing lost or changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, insert, select

from app.domain.submissions import ActionKind, SubmissionState
from app.store import actions, events, lake, runs, submissions
from app.store.engine import Database, create_engine
from app.store.lake_schema import metadata
from app.store.migrate import MIGRATIONS, newest, present, upgrade

AT = datetime(2026, 1, 5, 12, 0, 0, 123_456, UTC)
MICROS = 1_767_614_400_123_456
BIG = 880_100_200_300_400  # a run's id needs more than 32 bits
ENVELOPE = '{"seq":1,"epoch":"e","type":"x","at":"2026-01-05T12:00:00.123Z","data":{"note":"ünï\\u0000"}}'

# One row or more of every table, as the first release that had it wrote them; later columns have to do without.
ROWS: dict[str, list[dict[str, Any]]] = {
    "workspaces": [{"workspace_id": "w", "host": "https://w", "first_seen_at": MICROS, "last_seen_at": MICROS + 1}],
    "submissions": [
        {
            "submission_id": name,
            "request_key": key,
            "request_hash": "h",
            "workspace_id": "w",
            "state": state,
            "layer": "gold",
            "tasks": '["gold_aggregations"]',
            "claim_ids": '["CLM-1","ü"]',
            "reason": "why",
            "if_active": "queue",
            "requested_by": "me",
            "requested_at": MICROS,
            "deadline_at": MICROS + 900_000_000,
            "in_doubt": in_doubt,
            "attempts": 2,
            "mode": "job",
            "job_id": BIG,
            "run_id": run_id,
        }
        for name, key, state, in_doubt, run_id in (
            ("s-accepted", "k", "ACCEPTED", False, BIG),
            ("s-in-doubt", None, "SUBMITTING", True, None),
        )
    ],
    "run_actions": [
        {
            "action_id": "a",
            "kind": "repair",
            "workspace_id": "w",
            "run_id": BIG,
            "attempt": 0,
            "state": "SENDING",
            "in_doubt": True,
            "attempts": 1,
            "requested_by": "me",
            "requested_at": MICROS,
            "deadline_at": MICROS,
            "latest_repair_id": BIG + 1,
            "error": '{"code":"c","message":"m"}',
        }
    ],
    "runs": [
        {
            "workspace_id": "w",
            "run_id": BIG,
            "submission_id": "s-accepted",
            "job_id": BIG,
            "attempt": 0,
            "active": True,
            "layer": "gold",
            "tasks": '["gold_aggregations"]',
            "task_set": "gold_aggregations",
            "claim_ids": "[]",
            "requested_at": MICROS,
            "state": "RUNNING",
            "started_at": MICROS,
            "duration_s": 0.1,
            "records": '{"in":1,"out":2,"quarantined":0}',
            "progress_seen": True,
            "seq": 3_000_000_000,
        }
    ],
    "run_tasks": [
        {
            "workspace_id": "w",
            "run_id": BIG,
            "task_run_id": BIG + 2,
            "task_key": "gold_aggregations",
            "attempt_number": 0,
            "position": 0,
            "started_at": MICROS,
            "output_read": False,
        }
    ],
    "events": [{"seq": 3_000_000_000, "type": "x", "at": MICROS, "run_id": BIG, "text": ENVELOPE}],
    "event_head": [{"one": 1, "seq": 3_000_000_000, "epoch": "e", "oldest_seq": 3_000_000_000}],
    "audit": [{"at": MICROS, "who": "me", "action": "trigger", "subject": "x", "what": '{"n":1}'}],
    "predictions": [
        {"workspace_id": "w", "run_id": BIG, "attempt": 0, "at": MICROS, "p50_s": 1.5, "p90_s": 2.5, "n": 7}
    ],
    "lakes": [{"lake_id": 1, "workspace_id": "w", "catalog": "petinsure360", "run_id": BIG, "refreshed_at": MICROS}],
    "lake_tables": [{"lake_id": 1, "name": "c.gold.x", "layer": "gold", "version": BIG, "rows": BIG, "run_id": BIG}],
    "lake_pending_counts": [{"lake_id": 1, "layer": "gold", "claims": 3_000_000_000}],
    "lake_pending": [{"lake_id": 1, "layer": "silver", "claim_id": one} for one in ("b", "A", "a", "B")],
    "claim_positions": [{"lake_id": 1, "claim_id": "A", "bronze_run": str(BIG)}],
    "claim_quarantine": [{"lake_id": 1, "claim_id": "A", "position": 0, "rule": "r", "message": "m", "run": "7"}],
    "landing_files": [
        {"lake_id": 1, "path": "claims/x.jsonl", "size_bytes": BIG, "modified_ms": 1_767_614_400_123, "waiting": True}
    ],
    "insights": [{"lake_id": 1, "name": "monthly", "body": '{"a":[1]}', "etag": "t", "updated_at": MICROS}],
    "joined_requests": [{"request_key": "j", "request_hash": "h", "submission_id": "s-accepted"}],
    "leadership": [{"one": 1, "term": 3_000_000_000, "replica_id": "r", "since": MICROS}],
}


def released() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return [one.revision for one in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


def test_the_newest_revision_is_told_by_the_names_of_the_files() -> None:
    assert newest() == released()[-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def unmade_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store in which nothing has been made yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with request.getfixturevalue("postgresql").database() as url:
        yield url


@pytest.fixture
async def database(unmade_url: str) -> AsyncIterator[Database]:
    opened = Database(create_engine(unmade_url))
    yield opened
    await opened.dispose()


def fill(connection: Connection) -> set[str]:
    """Write the rows of every table that is there; returns the tables that nobody thought of."""
    there = MetaData()
    there.reflect(connection)
    for table in there.sorted_tables:
        if table.name in ROWS:
            for row in ROWS[table.name]:
                connection.execute(insert(table).values(row))
    return set(there.tables) - set(ROWS) - {"alembic_version"}


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """What is kept of the columns that were written."""
    there = MetaData()
    there.reflect(connection)
    found = {}
    for name, rows in ROWS.items():
        if name in there.tables:
            columns = [there.tables[name].c[column] for column in rows[0]]
            kept = connection.execute(select(*columns)).mappings()
            found[name] = sorted((dict(row) for row in kept), key=str)
    return found


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
    return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("revision", released())
async def test_a_filled_store_of_any_revision_comes_to_the_newest_one_whole(database: Database, revision: str) -> None:
    await upgrade(database.engine, revision=revision)
    async with database.write() as db:
        assert await db.run_sync(fill) == set()
        assert await db.run_sync(present) == revision
        before = await db.run_sync(contents)
    assert before["runs"][0]["run_id"] == BIG
    await upgrade(database.engine)
    async with database.read() as db:
        after = await db.run_sync(contents)
        assert {name: after[name] for name in before} == before
        assert await db.run_sync(differences) == []


async def test_what_an_old_release_wrote_is_read_as_what_it_meant(database: Database) -> None:
    await upgrade(database.engine, revision="0002")
    async with database.write() as db:
        await db.run_sync(fill)
    await upgrade(database.engine)
    async with database.read() as db:
        accepted, waiting = await submissions.get(db, "s-accepted"), await submissions.open_ones(db)
        assert accepted is not None
        assert (accepted.requested_at, accepted.claim_ids, accepted.in_doubt) == (AT, ("CLM-1", "ü"), False)
        assert [(one.submission_id, one.state, one.in_doubt) for one in waiting] == [
            ("s-in-doubt", SubmissionState.SUBMITTING, True)
        ]
        [run] = await runs.active(db)
        assert (run.run_id, run.started_at, run.duration_s, run.seq) == (BIG, AT, 0.1, 3_000_000_000)
        assert (run.records, run.adopted, run.tasks[0].output_read) == (
            {"in": 1, "out": 2, "quarantined": 0},
            False,
            False,
        )
        [action] = await actions.open_ones(db)
        assert (action.kind, action.latest_repair_id, action.error) == (
            ActionKind.REPAIR,
            BIG + 1,
            {"code": "c", "message": "m"},
        )
        head = await events.head(db)
        page = await events.after(db, head.seq - 1, limit=5)
        assert [(one.seq, one.at, one.text) for one in page.envelopes] == [(3_000_000_000, AT, ENVELOPE)]
        assert await lake.pending_page(db, 1, "silver", after="", limit=9) == ["A", "B", "a", "b"]
