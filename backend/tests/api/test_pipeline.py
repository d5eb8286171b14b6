"""The pipeline API: requests, answers, errors of every origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app import assembly
from backend.tests.support.backend import RUNS, TRIGGER, Backend, running_backend
from backend.tests.support.recorded_workspace import RUN_NOW, TOKEN, RecordedWorkspace, load
from backend.tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("on_both_stores")

JOB_ID = 591500457291311


@asynccontextmanager
async def pipeline(tmp_path: Path, **given: Any) -> AsyncIterator[tuple[Backend, RecordedWorkspace]]:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.next_run_shows("run_of_somebody_else")
    given = {"databricks_job_id": JOB_ID} | given
    async with workspace.serving(), running_backend(tmp_path, workspace.host, TOKEN, **given) as backend:
        yield backend, workspace


def another_run(workspace: RecordedWorkspace, distance: int) -> int:
    """Let the next run show the same looks under other ids."""
    looks = load("run_of_somebody_else")["looks"]
    for look in looks:
        look["run_id"] += distance
        for task in look["tasks"]:
            task["run_id"] += distance
    workspace.next_look = looks
    return int(looks[0]["run_id"])


async def finish(backend: Backend, workspace: RecordedWorkspace, run_id: int) -> dict[str, Any]:
    for _ in range(3):
        workspace.advance(run_id)
    return await backend.ended(run_id)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"layer": "platinum"}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
        ({"layer": "gold", "claim_ids": ["a b"]}, 422, "invalid_claim_ids"),
        ({"layer": "gold", "claim_ids": [""]}, 422, "invalid_claim_ids"),
        ({"layer": "gold", "claim_ids": [f"C{n}" for n in range(10_001)]}, 422, "invalid_claim_ids"),
        ({"layer": "gold", "claim_ids": [7]}, 422, "invalid_request"),
        ({"layer": "gold", "claims": ["CLM-1"]}, 422, "invalid_request"),
        ({"layer": "gold", "if_active": "explode"}, 422, "invalid_request"),
    ],
)
async def test_a_bad_click_is_refused_and_starts_nothing(
    tmp_path: Path, body: dict[str, Any], status: int, code: str
) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        answer = await backend.http.post(TRIGGER, json=body)
        told = answer.json()
        assert (answer.status_code, told["code"]) == (status, code)
        assert set(told) == {"code", "message", "details"}
        assert not workspace.sent(RUN_NOW)
        assert await backend.runs() == []


async def test_a_reason_may_hold_any_character(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, _):
        assert (await backend.trigger("gold", reason="a\0b \N{SNOWMAN}"))["submission_state"] == "ACCEPTED"


async def test_errors_of_every_origin_have_one_form(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, _):
        json_type = {"content-type": "application/json"}
        asked = [
            (await backend.http.post(TRIGGER, content=b'{"layer": ', headers=json_type), 400, "broken_json"),
            (await backend.http.post(TRIGGER, content=b'{"layer": '), 400, "broken_json"),
            (await backend.http.get("/api/nothing/here"), 404, "not_found"),
            (await backend.http.delete(RUNS), 405, "method_not_allowed"),
            (await backend.http.get(f"{RUNS}/4711"), 404, "run_not_found"),
            (await backend.http.get(f"{RUNS}/nonsense"), 404, "run_not_found"),
            (await backend.http.get(f"{RUNS}/{'9' * 30}"), 404, "run_not_found"),
            (await backend.http.post(f"{RUNS}/4711/cancel"), 404, "run_not_found"),
            (await backend.http.post(f"{RUNS}/4711/repair"), 404, "run_not_found"),
            (await backend.http.get(f"{RUNS}/4711/tasks/x/output"), 404, "run_not_found"),
            (await backend.http.get("/api/pipeline/databricks/submissions/x"), 404, "submission_not_found"),
            (await backend.http.get(RUNS, params={"limit": 0}), 422, "invalid_request"),
            (await backend.http.get(RUNS, params={"layer": "tin"}), 422, "unknown_layer"),
            (await backend.http.get(RUNS, params={"page_token": "bm9uc2Vuc2U"}), 422, "invalid_page_token"),
            (await backend.http.get("/api/pipeline/preview", params={"layer": "tin"}), 422, "unknown_layer"),
        ]
        for answer, status, code in asked:
            body = answer.json()
            assert (answer.status_code, body["code"]) == (status, code), answer.request.url
            assert set(body) == {"code", "message", "details"}


async def test_the_same_idempotency_key_is_the_same_run(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        key = {"Idempotency-Key": "click-1"}
        many = [backend.http.post(TRIGGER, json={"layer": "gold"}, headers=key) for _ in range(5)]
        answers = [answer.json() for answer in await asyncio.gather(*many)]
        assert len({answer["run_id"] for answer in answers}) == 1
        assert len(workspace.sent(RUN_NOW)) == 1
        other = await backend.http.post(TRIGGER, json={"layer": "bronze"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_click_before_the_notebooks_are_there_waits_for_them(tmp_path: Path) -> None:
    prepared = asyncio.Event()
    async with pipeline(tmp_path, prepared=prepared) as (backend, workspace):
        click = asyncio.create_task(backend.trigger("gold"))
        done, _ = await asyncio.wait({click}, timeout=0.5)
        assert not done
        assert not workspace.sent(RUN_NOW)
        assert [run["submission_state"] for run in await backend.runs()] == ["RECORDED"]
        prepared.set()
        assert (await click)["submission_state"] == "ACCEPTED"
        assert len(workspace.sent(RUN_NOW)) == 1


async def test_a_click_does_not_wait_for_the_notebooks_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "PREPARED_WITHIN_S", 0.2)
    async with pipeline(tmp_path, prepared=asyncio.Event()) as (backend, _):
        assert (await backend.trigger("gold"))["submission_state"] == "ACCEPTED"


async def test_of_two_clicks_at_once_one_runs_and_one_is_told(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        answers = await asyncio.gather(*(backend.http.post(TRIGGER, json={"layer": "gold"}) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [202, 409]
        assert len(workspace.sent(RUN_NOW)) == 1


async def test_a_second_trigger_of_a_running_layer_names_the_run(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        first = await backend.trigger("silver")
        refused = await backend.http.post(TRIGGER, json={"layer": "all"})
        assert refused.status_code == 409
        assert refused.json()["details"]["run_id"] == first["run_id"]
        joined = await backend.trigger("silver", if_active="join")
        assert (joined["run_id"], joined["submission_id"]) == (first["run_id"], first["submission_id"])
        second_id = another_run(workspace, 1_000)
        beside = await backend.trigger("gold")  # other tasks: no conflict
        assert beside["run_id"] == second_id
        third_id = another_run(workspace, 2_000)
        queued = await backend.trigger("silver", if_active="queue")  # the workspace's own queue takes it
        assert queued["run_id"] == third_id


@pytest.mark.parametrize(
    ("path", "layer", "only"),
    [
        ("/process/bronze-to-silver", "silver", ["ingest_raw", "clean"]),
        ("/api/pipeline/process/bronze-to-silver", "silver", ["ingest_raw", "clean"]),
        ("/process/silver-to-gold", "gold", ["report"]),
        ("/api/pipeline/process/silver-to-gold", "gold", ["report"]),
    ],
)
async def test_the_demo_buttons_run_their_notebooks(tmp_path: Path, path: str, layer: str, only: list[str]) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        answer = await backend.http.post(path)
        assert answer.status_code == 202
        assert (answer.json()["layer"], answer.json()["tasks"]) == (layer, only)
        assert workspace.sent(RUN_NOW)[0].body["only"] == only


async def test_the_plans_own_path_takes_claim_ids(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        body = {"layer": "gold", "claim_ids": ["CLM-1", "CLM-2"], "reason": "asked by phone"}
        answer = await backend.http.post("/pipeline/databricks/trigger", json=body)
        assert answer.json()["claim_ids"] == ["CLM-1", "CLM-2"]
        assert workspace.sent(RUN_NOW)[0].body["notebook_params"]["claim_ids"] == "CLM-1,CLM-2"
        run = await backend.run(answer.json()["run_id"])
        assert (run["reason"], run["requested_by"]) == ("asked by phone", "local")


async def test_the_history_pages_and_filters(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        ids = []
        for n, layer in enumerate(("bronze", "silver", "gold", "bronze", "silver")):
            ids.append(another_run(workspace, 1_000 * n))
            await backend.trigger(layer)
            await finish(backend, workspace, ids[-1])
        seen: list[int] = []
        token = None
        while True:
            query = {"limit": 2} | ({"page_token": token} if token else {})
            page = (await backend.http.get(RUNS, params=query)).json()
            seen += [run["run_id"] for run in page["runs"]]
            token = page.get("next_page_token")
            if token is None:
                break
        assert seen == ids[::-1]
        assert [run["run_id"] for run in await backend.runs(layer="bronze")] == [ids[3], ids[0]]
        assert [run["run_id"] for run in await backend.runs(state="SUCCESS")] == ids[::-1]
        assert await backend.runs(state="RUNNING") == []
        assert [run["run_id"] for run in await backend.runs(state="ACCEPTED")] == ids[::-1]
        assert await backend.runs(state="LOST") == []


async def test_after_five_runs_there_is_an_estimate_with_its_basis(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        for n in range(5):
            run_id = another_run(workspace, 1_000 * n)
            answer = await backend.trigger("all")
            assert (await backend.run(answer["run_id"]))["eta"] is None
            await finish(backend, workspace, run_id)

        async def preview() -> dict[str, Any]:
            return (await backend.http.get("/api/pipeline/preview", params={"layer": "all"})).json()

        async def known() -> bool:
            return (await preview())["eta"] is not None

        await until(known)
        assert (await preview())["eta"]["n"] == 5
        assert (await preview())["eta"]["p50_s"] == pytest.approx(101.4, abs=1)
        another_run(workspace, 9_000)
        answer = await backend.trigger("all")
        started = (await backend.events("databricks_job_started"))[-1]
        assert started["data"]["eta"]["n"] == 5
        assert (await backend.run(answer["run_id"]))["eta"]["n"] == 5


async def test_cancelling_is_confirmed_by_the_workspace_never_assumed(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        run_id = (await backend.trigger("all"))["run_id"]
        answer = await backend.http.post(f"{RUNS}/{run_id}/cancel", json={"reason": "wrong day"})
        assert answer.status_code == 202
        assert answer.json()["active"] is True  # the workspace has not said so yet
        assert len(workspace.sent("/api/2.2/jobs/runs/cancel")) == 1
        canceled = workspace.looks[run_id][-1]
        canceled["state"] = {"life_cycle_state": "TERMINATED", "result_state": "CANCELED", "state_message": "canceled"}
        canceled["status"] = {"state": "TERMINATED", "termination_details": {"code": "USER_CANCELED"}}
        run = await finish(backend, workspace, run_id)
        assert run["result"] == "CANCELED"
        failed = await backend.until_event("databricks_job_failed")
        assert failed["data"]["error"]["code"] == "USER_CANCELED"
        again = await backend.http.post(f"{RUNS}/{run_id}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "run_not_active")


async def test_a_preview_tells_what_a_click_would_do(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, _):
        answer = await backend.http.get("/api/pipeline/preview", params={"layer": "gold", "claim_ids": "CLM-1,CLM-2"})
        preview = answer.json()
        assert preview["claims"] == 2
        assert "petinsure360.gold.monthly_kpis" in preview["tables"]
        assert all(".gold." in table for table in preview["tables"])
        params = {"layer": "silver", "process": "bronze-to-silver"}
        button = (await backend.http.get("/api/pipeline/preview", params=params)).json()
        assert button["tasks"] == ["bronze_ingestion", "silver_transformations"]
        assert preview["eta"] is None
        bad = await backend.http.get("/api/pipeline/preview", params={"layer": "gold", "claim_ids": "a b"})
        assert bad.status_code == 422


async def test_a_notification_wakes_the_poller_with_quoted_or_plain_ids(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    lists = "/api/2.2/jobs/runs/list"
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, poll_interval_s=600, databricks_job_id=JOB_ID) as backend,
    ):
        await until(lambda: len(workspace.sent(lists)) == 1)
        for count, run_id in enumerate(("7", 7), start=2):
            body = {
                "event_type": "jobs.on_start",
                "workspace_id": "1",
                "run": {"run_id": run_id},
                "job": {"job_id": "5"},
            }
            answer = await backend.http.post("/api/webhooks/databricks", json=body)
            assert answer.status_code == 202
            await until(lambda count=count: len(workspace.sent(lists)) >= count)
        forged = await backend.http.post("/api/webhooks/databricks", json={"run": "x", "event_type": 5})
        assert forged.status_code == 202
        assert await backend.runs() == []


async def test_a_notification_needs_the_credentials_when_some_are_set(tmp_path: Path) -> None:
    secret = {"petinsure_webhook_user": "dbx", "petinsure_webhook_password": "pässword"}
    async with pipeline(tmp_path, **secret) as (backend, _):
        path = "/api/webhooks/databricks"
        assert (await backend.http.post(path, json={})).status_code == 401
        assert (await backend.http.post(path, json={}, auth=("dbx", "wrong"))).status_code == 401
        assert (await backend.http.post(path, json={}, auth=("dbx", "pässword"))).status_code == 202


async def test_runs_survive_a_restart_and_are_followed_to_their_end(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    run_id = workspace.next_run_shows("run_of_somebody_else")
    async with workspace.serving():
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            epoch = (await backend.events())[0]["epoch"]
        for _ in range(3):
            workspace.advance(run_id)
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            run = await backend.ended(run_id)
            assert run["result"] == "SUCCESS"
            events = await backend.events()
            assert {event["epoch"] for event in events} == {epoch}
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            assert len(await backend.events("databricks_job_started")) == 1


async def test_the_openapi_document_lists_calls_and_events(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, _):
        document = (await backend.http.get("/api/openapi.json")).json()
        assert {TRIGGER, "/process/bronze-to-silver", f"{RUNS}/{{run_id}}/repair", "/api/events/poll"} <= set(
            document["paths"]
        )
        assert {"ProgressEvent", "SnapshotEvent", "Run", "ErrorBody"} <= set(document["components"]["schemas"])
        assert (await backend.http.get("/api/docs")).status_code == 200


async def test_what_is_sent_is_what_the_document_says(tmp_path: Path) -> None:
    from app.api import event_models, models

    async with pipeline(tmp_path) as (backend, workspace):
        run_id = (await backend.trigger("all"))["run_id"]
        await finish(backend, workspace, run_id)
        kinds = {kind.model_fields["type"].annotation.__args__[0]: kind for kind in event_models.EVENT_MODELS}
        for event in await backend.events():
            kinds[event["type"]].model_validate(event, extra="forbid")
        snapshot = (await backend.http.get("/api/events/poll")).json()["events"][0]
        event_models.SnapshotEvent.model_validate(snapshot, extra="forbid")
        models.Run.model_validate(await backend.run(run_id), extra="forbid")


async def test_many_active_runs_cost_a_page_for_every_twenty_five(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    looks = load("run_of_somebody_else")["looks"]
    for n in range(60):
        another_run(workspace, 1_000 * n)
        looks = workspace.next_look[1:2]
        workspace.has_run([{**looks[0], "start_time": looks[0]["start_time"] + n}])
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend,
    ):

        async def all_known() -> bool:
            return len(await backend.runs(limit=100)) == 60

        for _ in range(3):  # each tick takes in the runs of the pages that it reads
            backend.app.state.tracker.wake()
        await until(all_known)
        before = len(workspace.calls)
        await backend.app.state.tracker.tick()
        tick = workspace.calls[before:]
        lists = [call for call in tick if call.path == "/api/2.2/jobs/runs/list"]
        assert len(lists) <= 2 * 3  # another tick of the loop itself may lie within
        assert not [call for call in tick if call.path == "/api/2.2/jobs/runs/get"]
