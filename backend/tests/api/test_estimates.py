"""Estimates as they are told, kept and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.tests.api.test_pipeline import another_run, finish, pipeline
from backend.tests.support.backend import Backend
from backend.tests.support.recorded_workspace import RecordedWorkspace
from backend.tests.support.waiting import until

TEN_MINUTES_MS = 600_000


async def five_runs(backend: Backend, workspace: RecordedWorkspace) -> None:
    for n in range(5):
        run_id = another_run(workspace, 1_000 * n)
        await backend.trigger("all")
        await finish(backend, workspace, run_id)

    async def known() -> bool:
        preview = (await backend.http.get("/api/pipeline/preview", params={"layer": "all"})).json()
        return preview["eta"] is not None

    await until(known)


async def in_phase(backend: Backend, run_id: int, phase: str) -> None:
    async def there() -> bool:
        return (await backend.run(run_id))["phase"] == phase

    await until(there)


async def judged(backend: Backend) -> list[dict[str, Any]]:
    return (await backend.http.get("/api/insights/eta-quality")).json()["task_sets"]


async def test_a_run_slower_than_usual_is_told_more_time_with_the_cause(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        await five_runs(backend, workspace)
        run_id = another_run(workspace, 9_000)
        await backend.trigger("all")
        await in_phase(backend, run_id, "cluster_starting")
        at_first = (await backend.run(run_id))["eta"]
        for entry in (workspace.looks[run_id][1], workspace.looks[run_id][1]["tasks"][0]):
            entry["start_time"] -= TEN_MINUTES_MS
        workspace.advance(run_id)

        async def told() -> bool:
            return (await backend.run(run_id))["eta_cause"] is not None

        await until(told)
        run = await backend.run(run_id)
        assert run["eta_cause"] == {
            "code": "slower_than_usual",
            "message": "ingest_raw takes longer than it usually does.",
        }
        assert set(run["eta"]) == {"p50_s", "p90_s", "n"}
        assert run["eta"]["p90_s"] > at_first["p90_s"]
        event = (await backend.events("databricks_job_progress"))[-1]["data"]
        assert event["eta_cause"] == run["eta_cause"]
        assert set(event["eta"]) == {"p50_s", "p90_s", "n"}
        finished = await finish(backend, workspace, run_id)
        assert (finished["eta"], finished["eta_cause"]) == (None, None)


@pytest.mark.usefixtures("on_both_stores")
async def test_what_was_predicted_is_judged_by_what_came_true(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        assert await judged(backend) == []
        await five_runs(backend, workspace)
        assert await judged(backend) == []  # nothing was predicted for them
        run_id = another_run(workspace, 9_000)
        await backend.trigger("all")
        await in_phase(backend, run_id, "cluster_starting")
        workspace.advance(run_id)
        await in_phase(backend, run_id, "running")
        await finish(backend, workspace, run_id)
        [found] = await judged(backend)
        assert found["tasks"] == ["bronze_ingestion", "silver_transformations", "gold_aggregations"]
        assert found["layer"] == "all"
        assert found["n"] == 3  # at the click, when the cluster started, when the first task ran
        assert 0 <= found["p50_coverage"] <= found["p90_coverage"] <= 1
        assert set(found["baselines"]) == {"mean_of_last", "elapsed_fraction"}
        assert found["pinball_loss_s"] >= 0
