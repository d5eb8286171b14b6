"""A store that refuses to write, as on a full disk: nothing else ends, and what happened is told once it takes it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from local_workspace.tests.jobs_for_tests import Jobs, final, results, task
from local_workspace.tests.serving_app import Served
from local_workspace.tests.stages import Stage, held
from local_workspace.tests.waiting import until


@contextmanager
def refusing(served: Served, table: str) -> Iterator[list[str]]:
    """No row of the table can be changed until the block is left; what was refused."""
    refused: list[str] = []

    def note(context: ExceptionContext) -> None:
        refused.append(str(context.original_exception))

    event.listen(Engine, "handle_error", note)
    try:
        with closing(sqlite3.connect(served.data_dir / "workspace" / "workspace.db", isolation_level=None)) as other:
            other.execute(f"CREATE TRIGGER full BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            yield refused
            other.execute("DROP TRIGGER full")
    finally:
        event.remove(Engine, "handle_error", note)


def test_a_run_whose_end_could_not_be_kept_ends_when_it_can(staged: Served, stage: Stage) -> None:
    gate = threading.Event()
    stage.parts["/nb/bronze"] = held(gate)
    api = Jobs(staged)
    job_id = api.create([task("bronze"), task("silver", "bronze")])
    run_id = api.run(job_id)
    api.until_task(run_id, "bronze", "RUNNING")
    with refusing(staged, "runs") as refused:
        gate.set()
        until(lambda: "disk full" in refused)
        assert len(stage.requests) == 1
        assert api.read(run_id)["state"]["life_cycle_state"] == "RUNNING"
        another = api.run(job_id)
        assert api.read(another)["state"]["life_cycle_state"] in ("PENDING", "QUEUED")
    run = api.ended(run_id)
    assert final(run) == ("INTERNAL_ERROR", "FAILED")
    assert run["state"]["state_message"] == "The local workspace failed to drive this run."
    assert set(results(run)) == {"bronze", "silver"}
    assert run["run_duration"] == run["end_time"] - run["start_time"]
    api.ended(another)
    assert final(api.ended(api.run(job_id))) == ("TERMINATED", "SUCCESS")


def test_a_cluster_whose_state_could_not_be_kept_can_be_used_when_it_can(staged: Served) -> None:
    api = Jobs(staged)
    with refusing(staged, "clusters"):
        made = staged.http.post("/api/2.1/clusters/create", json={"cluster_name": "warm"}).json()
        cluster_id = made["cluster_id"]
        until(lambda: staged.http.get("/api/2.1/clusters/get", params={"cluster_id": cluster_id}).is_success)
    run = api.ended(api.run(api.create([task("bronze", existing_cluster_id=cluster_id)])))
    assert run["status"]["state"] == "TERMINATED"
    assert final(api.ended(api.run(api.create([task("bronze")])))) == ("TERMINATED", "SUCCESS")
