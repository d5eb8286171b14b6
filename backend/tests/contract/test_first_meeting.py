"""A store that meets a workspace for the first time, or meets another one than before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.api import event_models
from app.domain.fold import fold
from app.store import runs
from backend.tests.api.test_pipeline import JOB_ID, another_run
from backend.tests.support.backend import running_backend
from backend.tests.support.recorded_workspace import TOKEN, WORKSPACE_ID, RecordedWorkspace, load
from backend.tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("on_both_stores")

LISTS = "/api/2.2/jobs/runs/list"
OUTPUTS = "/api/2.2/jobs/runs/get-output"


def with_ended_runs(count: int) -> tuple[RecordedWorkspace, list[int]]:
    """A workspace in which somebody else's job has run before; ids, newest first."""
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.outputs |= {int(run_id): one for run_id, one in load("run_of_somebody_else")["outputs"].items()}
    ids = []
    for n in range(count):
        ids.append(another_run(workspace, -1_000 * n))
        ended = workspace.next_look[-1]
        workspace.has_run([{**ended, "start_time": ended["start_time"] - n * 3_600_000}])
    return workspace, ids


async def test_a_new_store_takes_in_the_ended_runs_that_the_workspace_shows(tmp_path: Path) -> None:
    workspace, ids = with_ended_runs(30)
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend,
    ):
        await backend.until_event("run_adopted", count=25)
        shown = await backend.runs(limit=100)
        assert [run["run_id"] for run in shown] == ids[:25]
        newest = shown[0]
        assert (newest["adopted"], newest["active"], newest["result"]) == (True, False, "SUCCESS")
        assert newest["records"] is not None
        assert newest["tasks"][0]["records"] is not None
        assert newest["requested_by"] == load("run_of_somebody_else")["looks"][0]["creator_user_name"]
        assert shown[-1]["records"] is None  # outputs are asked for of the newest five only
        assert len({call.query["run_id"] for call in workspace.sent(OUTPUTS)}) == len(workspace.sent(OUTPUTS)) <= 5 * 3
        assert not workspace.sent("/api/2.2/jobs/runs/get")
        told = {event["type"] for event in await backend.events()}
        assert told <= {"run_adopted", "workspace_status", "lake_updated"}  # nothing about a start or an end


async def test_adopted_rows_are_the_fold_of_their_events_and_valid_by_the_document(tmp_path: Path) -> None:
    workspace, ids = with_ended_runs(2)
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend,
    ):
        await backend.until_event("run_adopted", count=2)
        for event in await backend.events("run_adopted"):
            event_models.AdoptedEvent.model_validate(event, extra="forbid")
            folded = fold(None, event["type"], event["data"])
            async with backend.app.state.database.read() as db:
                row = await runs.load(db, WORKSPACE_ID, event["data"]["run_id"])
            assert folded is not None
            assert row == folded.at(event["seq"])
        assert len(ids) == len(await backend.runs())


async def test_runs_are_adopted_once_and_never_beside_a_history_of_ones_own(tmp_path: Path) -> None:
    workspace, ids = with_ended_runs(2)
    async with workspace.serving():
        for _ in range(2):
            async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
                await backend.until_event("run_adopted", count=2)
                before = len(workspace.sent(LISTS))
                await until(lambda before=before: len(workspace.sent(LISTS)) > before)  # type: ignore[misc]
                assert len(await backend.events("run_adopted")) == 2
        later, _ = with_ended_runs(3)
        workspace.looks |= later.looks
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            before = len(workspace.sent(LISTS))
            await until(lambda: len(workspace.sent(LISTS)) > before + 1)
            assert [run["run_id"] for run in await backend.runs()] == ids


async def test_active_runs_of_a_replaced_workspace_end_without_a_made_up_state(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    run_id = workspace.next_run_shows("run_of_somebody_else")
    async with workspace.serving():
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            workspace.advance(run_id)
            await until_running(backend, run_id)
        workspace.workspace_id = "42"
        workspace.looks.clear()
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            failed = await backend.until_event("databricks_job_failed")
            assert failed["data"]["error"]["code"] == "WORKSPACE_REPLACED"
            run = await backend.run(run_id)
            assert (run["active"], run["state"], run["result"], run["ended_at"]) == (False, "RUNNING", None, None)
            assert "another workspace" in run["error"]["message"]
            second_id = another_run(workspace, 5_000)
            assert (await backend.trigger("all"))["run_id"] == second_id  # nothing blocks the click
            assert len(await backend.events("databricks_job_failed")) == 1


async def until_running(backend: Any, run_id: int) -> None:
    async def running() -> bool:
        return bool((await backend.run(run_id))["state"] == "RUNNING")

    await until(running)
