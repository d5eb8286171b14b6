"""Makes a store of a million runs out of the few that the product itself recorded.

Every row is a copy of a real one with its own ids, instants and place in the log; the database does the copying.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

FIRST_RUN_ID = 900_000_000_000  # far from those that the workspace gives
MICROS_PER_RUN = 1_500_000  # between two clicks; a million of them take 17 days
RUNS_AT_ONCE = 50_000
PARTS_PER_WHOLE = 3
FAILED_EVERY, REFUSED_EVERY = 40, 1_000

EVENT = re.compile(r'\{"seq":\d+(.*?"at":")[^"]*(".*?"data":\{"run_id":)\d+(.*)', re.DOTALL)
SERIES = "WITH RECURSIVE series(i) AS (VALUES(:first) UNION ALL SELECT i + 1 FROM series WHERE i < :last)"
MODEL = "model.k = (series.i - 1) % :models"
REQUESTED_AT = "(:begin + series.i * :step)"
SUBMISSION_ID = "printf('%08d-0000-4000-8000-%012d', series.i, series.i)"


def multiply(store: Path, *, runs: int, events_per_run: int) -> None:
    """Fill the store of a stopped server. The runs that it holds are the models and stay."""
    with sqlite3.connect(store, isolation_level=None) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        models = _models(db, events_per_run)
        db.execute("DELETE FROM events")
        begin = int(time.time() * 1e6) - (runs + 60) * MICROS_PER_RUN
        for first in range(1, runs + 1, RUNS_AT_ONCE):
            given = {
                "first": first, "last": min(first + RUNS_AT_ONCE - 1, runs), "models": models, "begin": begin,
                "step": MICROS_PER_RUN, "run_id": FIRST_RUN_ID, "events": events_per_run,
            }  # fmt: skip
            for statement in _statements(db):
                db.execute(statement, given)
        db.execute("UPDATE event_head SET seq = ?, oldest_seq = 1", [runs * events_per_run])
    db.close()


def _models(db: sqlite3.Connection, events_per_run: int) -> int:
    """Number the recorded runs, and spread each one's events over as many as are wanted; returns how many runs."""
    db.execute("CREATE TEMP TABLE model (k INTEGER PRIMARY KEY, run_id INTEGER, requested_at INTEGER)")
    db.execute("CREATE TEMP TABLE model_event (k INTEGER, n INTEGER, type TEXT, a TEXT, b TEXT, c TEXT)")
    found = db.execute(
        "SELECT run_id, requested_at FROM runs WHERE submission_id IS NOT NULL ORDER BY run_id"
    ).fetchall()
    whole, *parts = found  # the first run of a store is one of all layers; people click a layer more often
    found = [whole, *parts * PARTS_PER_WHOLE]
    for k, (run_id, requested_at) in enumerate(found):
        db.execute("INSERT INTO model VALUES (?, ?, ?)", [k, run_id, requested_at])
        own = db.execute("SELECT type, text FROM events WHERE run_id = ? ORDER BY seq", [run_id]).fetchall()
        for n, (kind, text) in enumerate(_spread(own, events_per_run), start=1):
            pieces = EVENT.fullmatch(text)
            assert pieces, text
            db.execute("INSERT INTO model_event VALUES (?, ?, ?, ?, ?, ?)", [k, n, kind, *pieces.groups()])
    db.execute("CREATE INDEX temp.ix_model_event ON model_event (k, n)")
    return len(found)


def _spread(own: Sequence[tuple[str, str]], wanted: int) -> list[tuple[str, str]]:
    """The first and the last event once, those in between as often as needed."""
    between = own[1:-1]
    return [own[0], *(between[n % len(between)] for n in range(wanted - 2)), own[-1]]


def _statements(db: sqlite3.Connection) -> list[str]:
    shift = {name: f"source.{name} - model.requested_at + {REQUESTED_AT}" for name in ("started_at", "ended_at")}
    asked = {"submission_id": SUBMISSION_ID, "requested_at": REQUESTED_AT}
    click = {**asked, "request_key": "NULL", "deadline_at": f"source.deadline_at - model.requested_at + {REQUESTED_AT}"}
    refused = {"submission_id": "'f' || substr(" + SUBMISSION_ID + ", 2)", "run_id": "NULL", "state": "'REFUSED'"}
    failed = f"CASE WHEN series.i % {FAILED_EVERY} = 0 THEN 'FAILED' ELSE source.result END"
    run = {**asked, **shift, "run_id": ":run_id + series.i", "seq": "series.i * :events", "result": failed}
    task_run_id = ":run_id * 2 + series.i * 10 + source.position"
    task = {**shift, "run_id": ":run_id + series.i", "task_run_id": task_run_id}
    return [
        _copies(db, "submissions", {**click, "run_id": ":run_id + series.i"}),
        _copies(db, "submissions", {**click, **refused}) + f" AND series.i % {REFUSED_EVERY} = 0",
        _copies(db, "runs", run),
        _copies(db, "run_tasks", task),
        f"""{SERIES} INSERT INTO events (seq, type, at, run_id, text)
        SELECT (series.i - 1) * :events + model.n, model.type, {REQUESTED_AT} + model.n * 1000, :run_id + series.i,
               '{{"seq":' || ((series.i - 1) * :events + model.n) || model.a
               || strftime('%Y-%m-%dT%H:%M:%fZ', ({REQUESTED_AT} + model.n * 1000) / 1e6, 'unixepoch')
               || model.b || (:run_id + series.i) || model.c
        FROM series CROSS JOIN model_event AS model ON {MODEL} ORDER BY series.i, model.n""",
    ]


def _copies(db: sqlite3.Connection, table: str, changed: dict[str, str]) -> str:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(name, f"source.{name}") for name in columns)
    return (
        f"{SERIES} INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM series"
        f" CROSS JOIN model ON {MODEL} CROSS JOIN {table} AS source ON source.run_id = model.run_id WHERE TRUE"
    )
