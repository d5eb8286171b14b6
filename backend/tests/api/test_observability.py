"""Probes, metrics and spans of the running application."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from app.main import WorkspaceConnection, create_app
from app.services.tracing import OpenTelemetryTracing
from backend.tests.api.test_pipeline import JOB_ID, finish, pipeline
from backend.tests.support.backend import RUNS, Backend, settings
from backend.tests.support.recorded_workspace import RUN_NOW, TOKEN, Fault, RecordedWorkspace, load
from backend.tests.support.waiting import until

READY = "/api/health/ready"


async def checks(backend: Backend) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = await backend.http.get(READY)
    return answer.status_code, answer.json()["checks"]


async def samples(backend: Backend) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = (await backend.http.get("/metrics")).text
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


async def test_readiness_tells_store_workspace_poller_and_lag_apart(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, _):

        async def all_well() -> bool:
            return all(one["ok"] for one in (await checks(backend))[1].values())

        await until(all_well)
        status, found = await checks(backend)
        assert status == 200
        names = ("store", "workspace", "poller", "lag", "submissions")
        assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(names, "ok")
        assert all("detail" in one for one in found.values())


async def test_an_outage_of_the_workspace_leaves_the_server_ready(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    connection = WorkspaceConnection(kind="databricks", name="a workspace", host="http://127.0.0.1:9", token=TOKEN)
    app = create_app(settings(tmp_path), workspace=connection)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as http,
    ):
        backend = Backend(app, http)

        async def tried() -> bool:
            return (await checks(backend))[1]["poller"]["state"] == "ok"

        await until(tried)
        status, found = await checks(backend)
        assert status == 200
        assert found["workspace"]["ok"] is False
        assert found["workspace"]["last_answer_at"] is None
        assert found["store"]["ok"] is True


async def test_only_an_unusable_store_makes_the_server_unready(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, _):
        with sqlite3.connect(tmp_path / "petinsure.db") as other:
            other.execute("ALTER TABLE event_head RENAME TO elsewhere")
        status, found = await checks(backend)
        assert status == 503
        assert found["store"] == {"ok": False, "state": "unusable", "detail": found["store"]["detail"]}
        assert found["lag"]["state"] == "unknown"
        with sqlite3.connect(tmp_path / "petinsure.db") as other:
            other.execute("ALTER TABLE elsewhere RENAME TO event_head")
        other.close()
        assert (await checks(backend))[0] == 200


async def test_metrics_count_calls_polls_events_lag_and_submissions(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        workspace.faults[RUN_NOW].append(Fault(400))
        refused = await backend.http.post("/api/pipeline/databricks/trigger", json={"layer": "gold"})
        assert refused.status_code == 202
        run_id = (await backend.trigger("all"))["run_id"]
        await finish(backend, workspace, run_id)
        found = await samples(backend)

    def of(name: str, **labels: str) -> float:
        return found[(name, frozenset(labels.items()))]

    assert of("petinsure_workspace_calls_total", endpoint=f"POST {RUN_NOW}", outcome="ok") == 1
    assert of("petinsure_workspace_calls_total", endpoint=f"POST {RUN_NOW}", outcome="400") >= 1
    assert of("petinsure_polls_total", outcome="ok") >= 1
    assert of("petinsure_events_total", type="databricks_job_completed") == 1
    assert of("petinsure_event_lag_seconds_count") >= 1
    assert of("petinsure_submissions_decided_total", state="ACCEPTED") == 1
    assert of("petinsure_submissions_decided_total", state="REFUSED") == 1
    assert of("petinsure_submissions_open", state="SUBMITTING") == 0
    assert of("petinsure_submissions_in_doubt") == 0
    assert of("petinsure_stream_backlog_events") == 0
    assert of("petinsure_events_unpublished") == 0


async def test_metrics_are_behind_the_same_sign_in_as_the_api(tmp_path: Path) -> None:
    token = "a-token-of-more-than-twenty-characters"
    async with pipeline(tmp_path, petinsure_api_tokens=f"dana:viewer:{token}") as (backend, _):
        for path in ("/metrics", RUNS):
            assert (await backend.http.get(path)).status_code == 401
            assert (await backend.http.get(path, headers={"Authorization": f"Bearer {token}"})).status_code == 200


async def test_a_submission_a_poll_and_a_task_have_spans_and_errors_name_their_trace(tmp_path: Path) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.next_run_shows("run_of_somebody_else")
    async with workspace.serving():
        connection = WorkspaceConnection(
            kind="databricks", name="a workspace", host=workspace.host, token=TOKEN, poll_interval_s=0.05
        )
        app = create_app(
            settings(tmp_path, databricks_job_id=JOB_ID),
            workspace=connection,
            tracing=OpenTelemetryTracing(provider),
        )
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as http,
        ):
            backend = Backend(app, http)
            run_id = (await backend.trigger("all", claim_ids=["CLM-SECRET"]))["run_id"]
            await finish(backend, workspace, run_id)
            missing = await http.get(f"{RUNS}/1")
    ended = spans.get_finished_spans()
    named = {span.name for span in ended}
    assert {"request", "submission", "poll", "task"} <= named
    tasks = [span for span in ended if span.name == "task"]
    assert [span.attributes["task_key"] for span in tasks] == ["ingest_raw", "clean", "report"]
    assert {span.attributes["run_id"] for span in tasks} == {run_id}
    assert [(span.end_time - span.start_time) // 10**9 for span in tasks] == [61, 30, 10]
    traces = {f"{span.context.trace_id:032x}" for span in ended if span.name == "request"}
    assert missing.json()["details"]["trace_id"] in traces
    assert "CLM-SECRET" not in "".join(span.to_json() for span in ended)
