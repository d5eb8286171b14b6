"""Which index each question to a long history walks. Without one, a million runs are read to show twenty."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import events, runs, submissions
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade
from backend.tests.store.test_store import NOW, run, submission

Question = Callable[[AsyncConnection], Awaitable[Any]]
BEFORE = (NOW, 5)
TASKS = ["run_tasks.sqlite_autoindex_run_tasks_1 (workspace_id=? AND run_id=?)"]
STEP = re.compile(r"(?:SEARCH|SCAN) (\w+)(?: USING (?:COVERING )?(?:INDEX )?)?(.*)")
OF_STATE = ["runs.ix_runs_state (state=?", "runs.ix_runs_result (result=?"]
OF_BOTH = [
    "runs.ix_runs_layer_state (layer=? AND state=?",
    "runs.ix_runs_layer_result (layer=? AND result=?",
]

QUESTIONS: dict[str, tuple[Question, list[str]]] = {
    "newest runs": (lambda db: runs.page(db, before=None, limit=21), ["runs.ix_runs_requested_at", *TASKS]),
    "next runs": (
        lambda db: runs.page(db, before=BEFORE, limit=21),
        ["runs.ix_runs_requested_at ((requested_at,run_id)<"],
    ),
    "of a layer": (
        lambda db: runs.page(db, before=BEFORE, limit=21, layer="gold"),
        ["runs.ix_runs_layer (layer=? AND"],
    ),
    "of a state": (lambda db: runs.page(db, before=BEFORE, limit=21, state="FAILED"), OF_STATE),
    "of both": (lambda db: runs.page(db, before=None, limit=21, layer="gold", state="FAILED"), OF_BOTH),
    "the next of both": (lambda db: runs.page(db, before=BEFORE, limit=21, layer="gold", state="FAILED"), OF_BOTH),
    "clicked here": (
        lambda db: runs.page(db, before=None, limit=21, state="ACCEPTED"),
        ["runs.ix_runs_clicked"],
    ),
    "the next clicked here": (
        lambda db: runs.page(db, before=BEFORE, limit=21, state="ACCEPTED"),
        ["runs.ix_runs_clicked ((requested_at,run_id)<"],
    ),
    "one run": (lambda db: runs.find(db, 7, workspace_id="w"), ["runs.ix_runs_run_id (run_id=?)", *TASKS]),
    "some runs": (
        lambda db: runs.load_many(db, "w", [6, 7]),
        ["runs.sqlite_autoindex_runs_1 (workspace_id=? AND run_id=?)", *TASKS],
    ),
    "active runs": (lambda db: runs.active(db, "w"), ["runs.ix_runs_active", *TASKS]),
    "runs of before": (lambda db: runs.any_before(db, "w", NOW), ["runs.ix_runs_workspace (workspace_id=? AND"]),
    "past runs": (
        lambda db: runs.comparable(db, "w", "gold_aggregations", limit=50),
        ["runs.ix_runs_task_set (workspace_id=? AND task_set=?)"],
    ),
    "clicks of a page": (
        lambda db: submissions.notes(db, ["s1"]),
        ["submissions.sqlite_autoindex_submissions_1 (submission_id=?)"],
    ),
    "clicks without a run": (
        lambda db: submissions.without_run(db, before=(NOW, "s"), limit=21),
        ["submissions.ix_submissions_without_run ((requested_at,submission_id)<"],
    ),
    "open clicks": (submissions.open_ones, ["submissions.ix_submissions_open (state=?)"]),
    "clicks in doubt": (submissions.in_doubt_count, ["submissions.ix_submissions_open (state=?)"]),
    "a page of the log": (lambda db: events.after(db, 5, limit=500), ["events.INTEGER PRIMARY KEY (rowid>?)"]),
    "one run's events": (
        lambda db: events.after(db, 5, limit=500, run_id=7),
        ["events.ix_events_run (run_id=? AND seq>?)"],
    ),
}


@dataclass
class Watched:
    """A store of which every SELECT is kept."""

    database: Database
    selects: list[tuple[str, Any]] = field(default_factory=list)

    async def walked(self, question: Question) -> list[str]:
        """`table.index (columns)` for every step of the answer's plans that reads a table of ours."""
        async with self.database.read() as db:
            self.selects.clear()
            await question(db)
            asked = list(self.selects)
            plans = [(await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)).all() for text, given in asked]
        steps = [
            re.match(r"(?:SEARCH|SCAN) (\w+)(?: USING (?:COVERING )?(?:INDEX )?)?(.*)", row[3])
            for rows in plans
            for row in rows
        ]
        found = [(step[1], step[2]) for step in steps if step]
        return [f"{table}.{way}" for table, way in found if table in {"runs", "run_tasks", "submissions", "events"}]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    database = Database(create_engine(f"sqlite:///{tmp_path / 'store.db'}"))
    await upgrade(database.engine)
    async with database.write() as db:
        await events.begin_log(db, epoch="first")
        await runs.save(db, run(active=True), before=None)
        await submissions.record(db, submission())
    found = Watched(database)

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def keep(_connection: Any, _cursor: Any, text: str, given: Any, *_: Any) -> None:
        if text.startswith("SELECT"):
            found.selects.append((text, given))

    yield found
    await database.dispose()


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_question_walks_the_index_that_is_made_for_it(watched: Watched, name: str) -> None:
    question, expected = QUESTIONS[name]
    walked = await watched.walked(question)
    assert [way for way, wanted in zip(walked, expected, strict=False) if not way.startswith(wanted)] == [], walked
    assert len(walked) >= len(expected)
