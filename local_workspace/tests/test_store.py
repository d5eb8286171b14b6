"""The store: schema, identifiers, and what survives."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from local_workspace.runs import states
from local_workspace.runs.records import Output, Run, TaskRun
from local_workspace.store import tables
from local_workspace.store.database import Database
from local_workspace.store.ids import Ids
from local_workspace.store.migrations import NewerSchema
from local_workspace.store.runs import RunStore


class StoppedClock:
    def __init__(self, now_ms: int) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        return self.time_ms

    async def sleep(self, seconds: float) -> None:
        self.time_ms += int(seconds * 1000)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "workspace.db")


def run(run_id: int = 1) -> Run:
    return Run(run_id, 5, "job", "job", "JOB_RUN", "me", start_time=10, state=states.PENDING)


def shape(path: str) -> dict[str, object]:
    inspector = inspect(create_engine(path))
    shapes: dict[str, object] = {}
    for table in tables.metadata.sorted_tables:
        columns = [
            (c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in inspector.get_columns(table.name)
        ]
        indexes = sorted((i["name"], tuple(i["column_names"]), i["unique"]) for i in inspector.get_indexes(table.name))
        keys = sorted(
            (k["name"], k["referred_table"], str(k["options"])) for k in inspector.get_foreign_keys(table.name)
        )
        shapes[table.name] = (columns, indexes, keys)
    return shapes


def test_the_migrations_make_the_declared_schema(tmp_path: Path) -> None:
    Database(tmp_path / "migrated.db").close()
    declared = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    tables.metadata.create_all(declared)
    assert shape(f"sqlite:///{tmp_path / 'migrated.db'}") == shape(f"sqlite:///{tmp_path / 'declared.db'}")


def test_a_store_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    database = Database(tmp_path / "workspace.db")
    with database.write() as db:
        db.execute(text("PRAGMA user_version = 999"))
    database.close()
    with pytest.raises(NewerSchema):
        Database(tmp_path / "workspace.db")


def test_ids_increase_stay_below_2_53_and_go_on_above_a_lost_store() -> None:
    clock = StoppedClock(1_800_000_000_000)
    ids = Ids(clock)
    first = [ids.next() for _ in range(5000)]
    assert first == sorted(set(first))
    assert max(first) < 2**53
    clock.time_ms += 60_000
    assert Ids(clock).next() > max(first)


def test_a_clock_that_was_set_back_repeats_no_id(database: Database) -> None:
    RunStore(database).create(run(2**50), [], None)
    assert Ids(StoppedClock(5), above=database.highest_id()).next() > 2**50


def test_the_workspace_number_is_minted_once(tmp_path: Path) -> None:
    first = Database(tmp_path / "workspace.db").workspace_id()
    assert Database(tmp_path / "workspace.db").workspace_id() == first


def test_a_run_its_tasks_and_its_token_are_created_together_or_not_at_all(database: Database) -> None:
    runs = RunStore(database)
    runs.create(run(1), [TaskRun(2, 1, "bronze", {})], "token")
    with pytest.raises(IntegrityError):
        runs.create(run(3), [TaskRun(4, 3, "bronze", {})], "token")
    assert runs.run(3) is None
    assert runs.task_run(4) is None
    assert runs.run_of_token("token") == 1


def test_two_attempts_of_a_task_never_share_a_number(database: Database) -> None:
    runs = RunStore(database)
    with pytest.raises(IntegrityError):
        runs.create(run(1), [TaskRun(2, 1, "bronze", {}), TaskRun(3, 1, "bronze", {})], None)


def test_records_come_back_as_they_were_kept(database: Database) -> None:
    runs = RunStore(database)
    kept, task = run(1), TaskRun(2, 1, "bronze", {"notebook_task": {}}, state=states.CANCELED, parameters={"a": "ü"})
    runs.create(kept, [task], None)
    output = Output(result="x", task_values={"rows": 3})
    runs.save(kept, task, output=(2, output))
    assert (runs.run(1), runs.task_run(2), runs.output(2)) == (kept, task, output)


def test_deleting_a_run_takes_its_tasks_and_outputs_but_not_its_token(database: Database) -> None:
    runs = RunStore(database)
    task = TaskRun(2, 1, "bronze", {})
    runs.create(run(1), [task], "token")
    runs.save(run(1), task, output=(2, Output(result="x")))
    runs.delete(1)
    assert (runs.run(1), runs.task_run(2), runs.output(2)) == (None, None, None)
    assert runs.run_of_token("token") == 1
