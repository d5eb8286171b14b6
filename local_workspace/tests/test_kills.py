"""kill -9 of the workspace at random moments: what it had said stays true, and what it had not finished it says."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from local_workspace.tests.conftest import Program, program
from local_workspace.tests.jobs_for_tests import put_notebook
from local_workspace.tests.waiting import until

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
JOBS = "/api/2.2/jobs"
STOPPED = "The local workspace stopped while this run was active."
TABLE = "petinsure360.silver.told"
# Each run leaves one row, and says so after that.
APPEND = f"""
dbutils.widgets.text("run", "")
run = int(dbutils.widgets.get("run"))
spark.createDataFrame([(run,)], "run bigint").write.mode("append").saveAsTable("{TABLE}")
dbutils.notebook.exit(str(run))
"""
NEXT = "dbutils.notebook.exit('next')"
ENDED_BY_ITSELF, ENDED_WITH_IT = ("TERMINATED", "SUCCESS"), ("INTERNAL_ERROR", "FAILED")
AT_WORK = 3  # runs that are kept going


@dataclass
class Told:
    """What the workspace has answered over all its lives."""

    runs: dict[str, int | None] = field(default_factory=dict)  # by token; None while unanswered
    finished: dict[int, dict[str, Any]] = field(default_factory=dict)
    kills_with_active_runs: int = 0


class Client:
    """Raw HTTP, since the answers themselves are what is compared."""

    def __init__(self, running: Program) -> None:
        headers = {"Authorization": f"Bearer {running.token}"}
        self.http = httpx.Client(base_url=running.host, headers=headers, timeout=30, trust_env=False)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"{JOBS}/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def run(self, job_id: int, token: str) -> int:
        answer = self.http.post(f"{JOBS}/run-now", json={"job_id": job_id, "idempotency_token": token})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["run_id"])

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = None
        while True:
            page = self.get("runs/list", limit=25, **({"page_token": token} if token else {}))
            found += page.get("runs", [])
            token = page.get("next_page_token")
            if not token:
                return found


def state_of(run: dict[str, Any]) -> tuple[str, str | None]:
    return run["state"]["life_cycle_state"], run["state"].get("result_state")


def is_over(run: dict[str, Any]) -> bool:
    return bool(run["status"]["state"] == "TERMINATED")


def facts_of(client: Client, run_id: int) -> dict[str, Any]:
    """What must never change of a run that has ended; its links name the port of the day."""
    run = client.get("runs/get", run_id=run_id)
    kept = ("state", "status", "start_time", "end_time", "run_duration")
    tasks = [
        {name: item[name] for name in ("task_key", "run_id", "attempt_number", *kept[:4])}
        | {"output": client.get("runs/get-output", run_id=item["run_id"]).get("notebook_output")}
        for item in run["tasks"]
    ]
    return {name: run[name] for name in kept} | {"tasks": tasks}


def table_of(directory: Path) -> str:
    return str(directory / "workspace" / "tables" / Path(*TABLE.split(".")))


def make_job(running: Program, client: Client) -> int:
    """The job, and the table it writes to: two runs may begin at once."""
    running.client().schemas.create("silver", "petinsure360")
    write_deltalake(table_of(running.data_dir), pa.table({"run": pa.array([], pa.int64())}))
    put_notebook(running.client(), "/kills/append", APPEND)
    put_notebook(running.client(), "/kills/next", NEXT)
    first = {"notebook_path": "/kills/append", "base_parameters": {"run": "{{job.run_id}}"}}
    tasks = [
        {"task_key": "append", "notebook_task": first},
        {
            "task_key": "next",
            "notebook_task": {"notebook_path": "/kills/next"},
            "depends_on": [{"task_key": "append"}],
        },
    ]
    job = {"name": "kills", "tasks": tasks, "max_concurrent_runs": 2, "queue": {"enabled": True}}
    return int(client.http.post(f"{JOBS}/create", json=job).json()["job_id"])


def work_until_killed(client: Client, job_id: int, told: Told) -> None:
    """Start runs and note what is said of them, until nobody answers any more."""
    active = 0
    try:
        while True:
            runs = client.runs()
            active = sum(not is_over(run) for run in runs)
            for run in runs:
                if is_over(run) and run["run_id"] not in told.finished:
                    told.finished[run["run_id"]] = facts_of(client, run["run_id"])
            if active < AT_WORK:
                token = str(uuid4())
                told.runs[token] = None
                told.runs[token] = client.run(job_id, token)
    except httpx.TransportError:
        told.kills_with_active_runs += active > 0


def check_what_it_says_now(client: Client, job_id: int, told: Told) -> None:
    """Right after a start: nothing finished is lost or changed, nothing answered is forgotten, nothing is made up."""
    for run_id, facts in told.finished.items():
        assert facts_of(client, run_id) == facts
    for token, run_id in told.runs.items():
        again = client.run(job_id, token)
        assert run_id in (None, again)
        told.runs[token] = again
    runs = {run["run_id"]: run for run in client.runs()}
    assert set(runs) == set(told.runs.values())
    for run in runs.values():
        if is_over(run):
            assert state_of(run) in (ENDED_BY_ITSELF, ENDED_WITH_IT)
            if state_of(run) == ENDED_WITH_IT:
                assert run["state"]["state_message"] == STOPPED
                assert run["end_time"] >= run["start_time"]


def play(directory: Path, kills: int) -> Told:
    """So many lives, each ended by kill -9 at some moment, and a last one in which everything comes to its end."""
    dice, told, job_id = random.Random(SEED), Told(), 0
    for life in range(kills + 1):
        with program(directory) as running:
            client = Client(running)
            with client.http:
                job_id = job_id or make_job(running, client)
                check_what_it_says_now(client, job_id, told)
                if life == kills:
                    until(lambda: all(is_over(run) for run in client.runs()), 120)  # noqa: B023 - called at once
                    check_what_it_says_now(client, job_id, told)
                    check_rows(directory, client.runs())
                    return told
                threading.Timer(dice.uniform(0.5, 4), running.process.kill).start()
                work_until_killed(client, job_id, told)
                running.process.wait(10)
    return told


def check_rows(directory: Path, runs: list[dict[str, Any]]) -> None:
    """Who said that it had left its row has left it, once; nobody else's is there."""
    rows = DeltaTable(table_of(directory)).to_pyarrow_table().column("run").to_pylist()
    assert len(rows) == len(set(rows))
    succeeded = {run["run_id"] for run in runs if state_of(run) == ENDED_BY_ITSELF}
    assert succeeded <= set(rows) <= {run["run_id"] for run in runs}


def test_a_workspace_killed_at_random_tells_the_truth(tmp_path: Path) -> None:
    told = play(tmp_path, kills=3)
    assert told.finished, f"seed {SEED}: no run ended before a kill"
    assert told.kills_with_active_runs, f"seed {SEED}: no kill met an active run"


@pytest.mark.long
def test_a_workspace_killed_at_random_many_times_tells_the_truth(tmp_path: Path) -> None:
    told = play(tmp_path, kills=40)
    assert told.kills_with_active_runs >= 20, f"seed {SEED}"
