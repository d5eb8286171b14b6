"""What users see when things break: the cause in words, nothing lost, and the truth after every restart."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from e2e.notebooks import HEADER, SILVER, gated, original, put
from e2e.server import Server, processes_of, until
from e2e.stream_client import StreamClient


@pytest.fixture
def silver_replaced(server: Server) -> Iterator[Server]:
    yield server
    put(server, SILVER, original(SILVER))


def test_a_notebook_that_raises_fails_the_run_with_its_words_and_repair_heals_it(silver_replaced: Server) -> None:
    server = silver_replaced
    before = server.rows("silver.claims")
    raising = HEADER + "spark.range(3).collect()\n# COMMAND ----------\n" + 'raise ValueError("bad day")\n'
    put(server, SILVER, raising)
    with StreamClient(server.url) as stream:
        run_id = server.trigger("all")["run_id"]
        failed = stream.run_to_its_end(run_id)[-1]
    assert failed["type"] == "databricks_job_failed"
    error = failed["data"]["error"]
    assert "ValueError: bad day" in error["message"]
    assert error["task"] == "silver_transformations"
    assert failed["data"]["retryable"] is True
    output = server.get(f"/api/pipeline/databricks/runs/{run_id}/tasks/silver_transformations/output")
    assert "ValueError: bad day" in output["error"]
    assert 'raise ValueError("bad day")' in output["error_trace"]
    run = server.get(f"/api/pipeline/databricks/runs/{run_id}")
    results = {task["task_key"]: task["result"] for task in run["tasks"]}
    assert results["bronze_ingestion"] == "SUCCESS"
    assert results["gold_aggregations"] == "UPSTREAM_FAILED"
    assert server.rows("silver.claims") == before

    put(server, SILVER, original(SILVER))
    with StreamClient(server.url) as stream:
        repaired = server.post(f"/api/pipeline/databricks/runs/{run_id}/repair", {})
        assert repaired.status_code in (200, 202), repaired.text
        events = stream.run_to_its_end(run_id)
    assert [events[0]["type"], events[-1]["type"]] == ["databricks_job_started", "databricks_job_completed"]
    told = server.workspace().jobs.get_run(run_id)
    attempts = [(task.task_key, task.attempt_number) for task in told.tasks or []]
    assert attempts.count(("bronze_ingestion", 0)) == 1
    assert sum(key == "bronze_ingestion" for key, _ in attempts) == 1, "a repair reruns only what failed"


def test_a_second_trigger_is_refused_joined_or_queued_while_the_layer_runs(silver_replaced: Server) -> None:
    server = silver_replaced
    gate = server.data_dir / "gate"
    put(server, SILVER, gated(SILVER, gate))
    run_id = server.trigger("silver")["run_id"]
    try:
        refused = server.post("/api/pipeline/databricks/trigger", {"layer": "silver"})
        joined = server.post("/api/pipeline/databricks/trigger", {"layer": "silver", "if_active": "join"})
        queued = server.post("/api/pipeline/databricks/trigger", {"layer": "silver", "if_active": "queue"})
    finally:
        gate.touch()
    assert (refused.status_code, refused.json()["details"]["run_id"]) == (409, run_id)
    assert (joined.status_code, joined.json()["run_id"]) == (202, run_id)
    assert queued.status_code == 202
    assert queued.json()["run_id"] != run_id
    assert server.ended(run_id)["result"] == "SUCCESS"
    assert server.ended(queued.json()["run_id"])["result"] == "SUCCESS"


def test_cancel_really_stops_the_notebook_and_is_told_only_then(silver_replaced: Server) -> None:
    server = silver_replaced
    alive = server.data_dir / "alive.pid"
    endless = (
        HEADER + "import os, time\n"
        f"open({str(alive)!r}, 'w').write(str(os.getpid()))\nwhile True:\n    time.sleep(0.02)\n"
    )
    put(server, SILVER, endless)
    run_id = server.trigger("silver")["run_id"]
    pid = int(until("the notebook to run", lambda: alive.exists() and alive.read_text()))
    assert server.post(f"/api/pipeline/databricks/runs/{run_id}/cancel", {}).status_code in (200, 202)
    run = server.ended(run_id)
    assert run["result"] == "CANCELED"
    assert not _lives(pid), "CANCELED was told while the notebook still ran"


def test_ctrl_c_leaves_no_process_and_the_next_start_shows_the_truth(own_server: Server) -> None:
    own_server.start()
    first = own_server.first_run()
    assert own_server.interrupt() == 0
    assert until("all processes to be gone", lambda: not processes_of(own_server.data_dir), 15)
    own_server.start()
    again = own_server.get("/api/pipeline/databricks/runs")["runs"]
    assert [(run["run_id"], run["result"]) for run in again] == [(first["run_id"], "SUCCESS")]


def test_a_click_while_the_workspace_is_down_is_kept_and_becomes_exactly_one_run(own_server: Server) -> None:
    own_server.start()
    own_server.first_run()
    keeper = _workspace_pid(own_server)
    os.kill(keeper, signal.SIGKILL)
    answer = own_server.trigger("gold")
    run_id = answer["run_id"] or until(
        "the click to be accepted",
        lambda: next(
            (
                run["run_id"]
                for run in own_server.get("/api/pipeline/databricks/runs")["runs"]
                if run["submission_id"] == answer["submission_id"]
            ),
            None,
        ),
    )
    assert own_server.ended(run_id)["result"] == "SUCCESS"
    listed = [run.run_id for run in own_server.workspace().jobs.list_runs()]
    assert len(listed) == 2


def test_a_server_killed_in_the_middle_of_a_run_tells_the_truth_when_it_is_back(own_server: Server) -> None:
    own_server.start()
    run_id = until(
        "the first run to be active",
        lambda: next((run["run_id"] for run in own_server.get("/api/pipeline/databricks/runs")["runs"]), None),
    )
    own_server.kill()
    assert until("the workspace and its workers to follow", lambda: not processes_of(own_server.data_dir), 15)
    own_server.start()
    run = own_server.ended(run_id)
    told = own_server.workspace().jobs.get_run(run_id)
    assert told.state is not None
    assert told.state.result_state is not None
    assert run["result"] == told.state.result_state.value
    assert own_server.ended(own_server.trigger("all")["run_id"])["result"] == "SUCCESS"
    claims = own_server.table("bronze.claims").to_pyarrow_table(columns=["_source_file", "_line"]).to_pylist()
    assert len({(row["_source_file"], row["_line"]) for row in claims}) == len(claims)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _workspace_pid(server: Server) -> int:
    [line] = [one for one in processes_of(server.data_dir) if "-m local_workspace " in one]
    return int(line.split()[0])
