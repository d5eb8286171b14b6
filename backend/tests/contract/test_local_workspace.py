"""The backend and the real local workspace: real notebooks, real tables. The oracle is the workspace and delta-rs."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from app.connection import WorkspaceConnection
from app.domain.clock import SystemClock
from app.services.databricks import DatabricksWorkspace
from app.services.deployment import Deployment, DeploymentPlan
from backend.tests.conftest import CHECKOUT, LocalWorkspace
from backend.tests.support.backend import RUNS, Backend, running_backend
from backend.tests.support.waiting import until

SILVER_NOTEBOOK = "/PetInsure360/02_silver_transformations"
TERMINAL = ("databricks_job_completed", "databricks_job_failed")


@asynccontextmanager
async def client_of(workspace: LocalWorkspace) -> AsyncIterator[DatabricksWorkspace]:
    connection = WorkspaceConnection(kind="local", name="local", host=workspace.host, token=workspace.token)
    with ThreadPoolExecutor(1) as executor:
        client = DatabricksWorkspace(
            host=workspace.host, config=connection.sdk_config, executor=executor, clock=SystemClock()
        )
        try:
            yield client
        finally:
            await client.aclose()


async def deployed(client: DatabricksWorkspace, *, force: bool = False) -> None:
    plan = DeploymentPlan(
        source=CHECKOUT,
        notebook_root="/PetInsure360",
        catalog="petinsure360",
        landing_path="/Volumes/petinsure360/landing/raw",
        control_path="/Volumes/petinsure360/landing/control",
        local_cluster=True,
        force=force,
    )
    await Deployment(client, plan).deploy()


@asynccontextmanager
async def backend_of(workspace: LocalWorkspace, data_dir: Path, **given: Any) -> AsyncIterator[Backend]:
    async with running_backend(
        data_dir, workspace.host, workspace.token, kind="local", poll_interval_s=0.1, **given
    ) as backend:
        yield backend


def rows(workspace: LocalWorkspace, table: str) -> int:
    return DeltaTable(str(workspace.table(table))).count()


async def test_the_whole_pipeline_runs_for_real_and_is_told_truthfully(
    local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    async with client_of(local_workspace) as client:
        await deployed(client)
        async with backend_of(local_workspace, tmp_path) as backend:
            answer = await backend.trigger("all", reason="the first one")
            run_id = answer["run_id"]
            assert answer["job_url"].startswith(f"{local_workspace.host}/runs/{run_id}#key=")
            run = await backend.ended(run_id, within_s=120)
            assert run["result"] == "SUCCESS", run["error"]
            raw = await client.get_run_status(run_id)
            assert raw["state"]["result_state"] == "SUCCESS"
            assert {one["name"]: one["value"] for one in raw["job_parameters"]}["submission_id"] == run["submission_id"]
            assert [task["result"] for task in run["tasks"]] == ["SUCCESS"] * 3
            counts = {table["name"].removeprefix("petinsure360."): table["rows"] for table in run["tables"]}
            for name in ("bronze.claims", "silver.claims", "gold.claims_analytics"):
                assert counts[name] in (None, rows(local_workspace, name)), name
            assert rows(local_workspace, "gold.monthly_kpis") > 0
            assert run["records"]["in"] > 0
            assert run["records"]["quarantined"] > 0
            events = [event for event in await backend.events() if event["data"].get("run_id") == run_id]
            kinds = [event["type"] for event in events if event["type"].startswith("databricks_job")]
            assert kinds[0] == "databricks_job_started"
            assert kinds[-1] == "databricks_job_completed"
            assert set(kinds[1:-1]) == {"databricks_job_progress"}
            output = (await backend.http.get(f"{RUNS}/{run_id}/tasks/gold_aggregations/output")).json()
            assert '"layer"' in output["result"]


async def test_only_the_asked_layer_runs(local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    async with client_of(local_workspace) as client:
        await deployed(client)
        async with backend_of(local_workspace, tmp_path) as backend:
            answer = await backend.trigger("bronze")
            run = await backend.ended(answer["run_id"], within_s=120)
            assert run["result"] == "SUCCESS"
            assert [task["task_key"] for task in run["tasks"]] == ["bronze_ingestion"]


async def test_a_notebook_that_raises_fails_the_run_and_a_repair_heals_it(
    local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    source = "# Databricks notebook source\nraise ValueError('the moon is full')\n"
    broken = {
        "path": SILVER_NOTEBOOK,
        "format": "SOURCE",
        "language": "PYTHON",
        "overwrite": True,
        "content": base64.b64encode(source.encode()).decode(),
    }
    async with client_of(local_workspace) as client:
        await deployed(client)
        await client.post("/api/2.0/workspace/import", broken)
        async with backend_of(local_workspace, tmp_path) as backend:
            run_id = (await backend.trigger("all"))["run_id"]
            failed = await backend.until_event("databricks_job_failed", within_s=120)
            error = failed["data"]["error"]
            assert error["message"] == "ValueError: the moon is full"
            assert error["task"] == "silver_transformations"
            assert "ValueError" in error["trace_excerpt"]
            await deployed(client, force=True)
            answer = await backend.http.post(f"{RUNS}/{run_id}/repair")
            assert answer.status_code == 202
            completed = await backend.until_event("databricks_job_completed", within_s=120)
            assert (completed["data"]["run_id"], completed["data"]["attempt"]) == (run_id, 1)
            run = await backend.run(run_id)
            assert [task["result"] for task in run["tasks"]] == ["SUCCESS"] * 3


async def test_a_canceled_run_is_canceled_when_the_workspace_says_so(
    local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    async with client_of(local_workspace) as client:
        await deployed(client)
        async with backend_of(local_workspace, tmp_path) as backend:
            run_id = (await backend.trigger("all"))["run_id"]
            assert (await backend.http.post(f"{RUNS}/{run_id}/cancel")).status_code == 202
            run = await backend.ended(run_id, within_s=60)
            assert run["result"] == "CANCELED"
            assert (await client.get_run_status(run_id))["state"]["result_state"] == "CANCELED"
            assert len(await backend.events(*TERMINAL)) == 1


async def test_in_mode_notebooks_the_same_notebooks_run(local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    async with client_of(local_workspace) as client:
        await deployed(client)
        [cluster] = (await client.get("/api/2.1/clusters/list"))["clusters"]
        given = {"pipeline_mode": "notebooks", "databricks_cluster_id": cluster["cluster_id"]}
        async with backend_of(local_workspace, tmp_path, **given) as backend:
            answer = await backend.http.post("/process/bronze-to-silver")
            run = await backend.ended(answer.json()["run_id"], within_s=120)
            assert run["result"] == "SUCCESS", run["error"]
            assert [task["task_key"] for task in run["tasks"]] == ["bronze_ingestion", "silver_transformations"]
            assert run["records"]["in"] is not None


async def test_a_run_started_by_another_client_is_followed_too(local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    async with client_of(local_workspace) as client:
        await deployed(client)
        job_id = await client.find_job_by_tag("petinsure360", "pipeline")
        assert job_id is not None
        async with backend_of(local_workspace, tmp_path) as backend:

            async def ready() -> bool:
                return bool(await backend.events("workspace_status"))

            await until(ready)
            elsewhere = await client.run_job(job_id, idempotency_token="somebody-else", only=["gold_aggregations"])
            started = await backend.until_event("databricks_job_started", within_s=60)
            assert started["data"]["run_id"] == elsewhere.run_id
            assert started["data"]["submission_id"] is None
            run = await backend.ended(elsewhere.run_id, within_s=120)
            assert (run["result"], run["layer"]) == ("SUCCESS", "gold")
