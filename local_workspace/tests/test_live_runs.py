"""Notebooks run for real: the whole program, worker processes and the engine, driven by the official SDK."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import jobs
from databricks.sdk.service.jobs import RunLifeCycleState, RunResultState

from local_workspace.tests.conftest import Program, program
from local_workspace.tests.jobs_for_tests import put_notebook
from local_workspace.tests.test_program import is_gone
from local_workspace.tests.waiting import until

SUM = """
dbutils.widgets.text("claims", "0")
rows = spark.range(int(dbutils.widgets.get("claims"))).count()
dbutils.jobs.taskValues.set("rows", rows)
dbutils.notebook.exit(f'{{"rows": {rows}}}')
"""
TELL = """dbutils.notebook.exit(dbutils.widgets.get("told") + "/" + dbutils.widgets.get("run"))"""
FAIL = """x = 1
raise ValueError("no such claim")"""
ENDLESS = """import os, pathlib, time
pathlib.Path(dbutils.widgets.get("pid_file")).write_text(str(os.getpid()))
while True:
    time.sleep(0.1)"""


@pytest.fixture(scope="module")
def client(live: Program) -> WorkspaceClient:
    return live.client()


def notebook_task(key: str, *upstream: str, **parameters: str) -> jobs.Task:
    return jobs.Task(
        task_key=key,
        notebook_task=jobs.NotebookTask(notebook_path=f"/live/{key}", base_parameters=parameters),
        depends_on=[jobs.TaskDependency(task_key=other) for other in upstream],
    )


def start(client: WorkspaceClient, *tasks: jobs.Task) -> int:
    job_id = client.jobs.create(name="live", tasks=list(tasks)).job_id
    assert job_id is not None
    run_id = client.jobs.run_now(job_id).run_id
    assert run_id is not None
    return run_id


def ended(client: WorkspaceClient, run_id: int) -> jobs.Run:
    def is_over() -> bool:
        status = client.jobs.get_run(run_id).status
        return status is not None and status.state == jobs.RunLifecycleStateV2State.TERMINATED

    until(is_over, deadline_s=60)
    return client.jobs.get_run(run_id)


def output(client: WorkspaceClient, run: jobs.Run, key: str) -> jobs.RunOutput:
    found = next(item.run_id for item in run.tasks or [] if item.task_key == key)
    assert found is not None
    return client.jobs.get_run_output(found)


def test_notebooks_run_on_the_engine_and_tell_each_other_values(client: WorkspaceClient) -> None:
    put_notebook(client, "/live/sum", SUM)
    put_notebook(client, "/live/tell", TELL)
    tell = notebook_task("tell", "sum", told="{{tasks.sum.values.rows}}", run="{{job.run_id}}")
    run = ended(client, start(client, notebook_task("sum", claims="7"), tell))
    assert run.state is not None
    assert run.state.result_state == RunResultState.SUCCESS
    summed, told = output(client, run, "sum").notebook_output, output(client, run, "tell").notebook_output
    assert summed is not None
    assert told is not None
    assert json.loads(summed.result or "") == {"rows": 7}
    assert told.result == f"7/{run.run_id}"


def test_an_exception_in_a_notebook_is_told_with_its_line(client: WorkspaceClient) -> None:
    put_notebook(client, "/live/fail", FAIL)
    run = ended(client, start(client, notebook_task("fail")))
    assert run.state is not None
    assert (run.state.life_cycle_state, run.state.result_state) == (
        RunLifeCycleState.INTERNAL_ERROR,
        RunResultState.FAILED,
    )
    told = output(client, run, "fail")
    assert told.error == "ValueError: no such claim"
    assert "line 3" in (told.error_trace or "")
    exported = client.jobs.export_run(next(item.run_id for item in run.tasks or [] if item.run_id))
    assert exported.views
    assert "no such claim" in (exported.views[0].content or "")


def endless(client: WorkspaceClient, pid_file: Path) -> tuple[int, int]:
    """A run that never ends by itself, and the process that runs its notebook."""
    put_notebook(client, "/live/endless", ENDLESS)
    run_id = start(client, notebook_task("endless", pid_file=str(pid_file)))
    until(lambda: pid_file.exists() and pid_file.read_text(), deadline_s=60)
    return run_id, int(pid_file.read_text())


def test_cancel_kills_the_worker_before_the_run_says_canceled(client: WorkspaceClient, tmp_path: Path) -> None:
    run_id, worker = endless(client, tmp_path / "pid")
    client.jobs.cancel_run(run_id)
    run = ended(client, run_id)
    assert run.state is not None
    assert run.state.result_state == RunResultState.CANCELED
    assert is_gone(worker)


def test_a_killed_worker_fails_its_task_and_not_the_workspace(client: WorkspaceClient, tmp_path: Path) -> None:
    run_id, worker = endless(client, tmp_path / "pid")
    os.kill(worker, signal.SIGKILL)
    run = ended(client, run_id)
    assert run.state is not None
    assert run.state.result_state == RunResultState.FAILED
    assert "SIGKILL" in (output(client, run, "endless").error or "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_program_and_its_run_ends_honestly(tmp_path: Path, number: signal.Signals) -> None:
    with program(tmp_path / "data") as running:
        run_id, worker = endless(running.client(), tmp_path / "pid")
        running.process.send_signal(number)
        assert running.process.wait(5) == (0 if number == signal.SIGTERM else -number)
        until(lambda: is_gone(worker), deadline_s=10)
    with program(tmp_path / "data") as again:
        state = again.client().jobs.get_run(run_id).state
        assert state is not None
        assert (state.life_cycle_state, state.result_state) == (RunLifeCycleState.INTERNAL_ERROR, RunResultState.FAILED)
        assert state.state_message == "The local workspace stopped while this run was active."
