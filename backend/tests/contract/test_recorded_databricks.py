"""The backend against recorded answers of Azure Databricks, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.layers import TASK_KEYS
from app.domain.submissions import IfActive, Wish
from backend.tests.support.backend import RUNS, TRIGGER, running_backend
from backend.tests.support.recorded_workspace import (
    LOST_REPLY,
    RUN_NOW,
    SUBMIT,
    THROTTLED,
    TOKEN,
    UNAVAILABLE_AFTER_WORK,
    WORKSPACE_ID,
    Fault,
    RecordedWorkspace,
    load,
)
from backend.tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("on_both_stores")

JOB_ID = 591500457291311
TERMINAL = ("databricks_job_completed", "databricks_job_failed")


def somebody_elses_job() -> RecordedWorkspace:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    return workspace


async def test_a_job_made_by_somebody_else_is_run_by_its_own_task_keys(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_of_somebody_else")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("all", claim_ids=["CLM-1", "CLM-2"])
            assert answer["run_id"] == run_id
            assert answer["tasks"] == ["ingest_raw", "clean", "report"]
            assert answer["submission_state"] == "ACCEPTED"
            assert answer["job_url"].endswith(f"#job/{JOB_ID}/run/{run_id}")
            [sent] = workspace.sent(RUN_NOW)
            assert sent.body["only"] == ["ingest_raw", "clean", "report"]  # the job's "notify" is not asked for
            assert "job_parameters" not in sent.body  # it declares none
            assert sent.body["notebook_params"]["claim_ids"] == "CLM-1,CLM-2"
            assert sent.body["idempotency_token"] == answer["submission_id"]
            await backend.seen(run_id)
            for _ in range(3):
                workspace.advance(run_id)
                place = workspace.place[run_id]
                state = workspace.looks[run_id][place]["state"]["life_cycle_state"]
                tasks = [task["state"] for task in workspace.looks[run_id][place]["tasks"]]

                async def shown(state: str = state, tasks: list[Any] = tasks) -> bool:
                    run = await backend.run(run_id)
                    return run["state"] == state and [one["state"] for one in run["tasks"]] == [
                        one["life_cycle_state"] for one in tasks
                    ]

                await until(shown)
            completed = await backend.until_event("databricks_job_completed")
            assert completed["data"]["records"] == {"in": 15000, "out": None, "quarantined": 300}
            assert completed["data"]["duration"] == 101.5
            assert [table["name"] for table in completed["data"]["tables"]] == [
                "petinsure360.bronze.claims",
                "petinsure360.silver.claims",
            ]
            phases = [event["data"]["phase"] for event in await backend.events("databricks_job_progress")]
            assert phases[0] == "cluster_starting"
            assert "running" in phases
            assert len(await backend.events(*TERMINAL)) == 1


async def test_one_layer_of_a_foreign_job_runs_only_its_task(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        workspace.next_run_shows("run_of_somebody_else")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("silver")
            assert answer["tasks"] == ["clean"]
            assert workspace.sent(RUN_NOW)[0].body["only"] == ["clean"]
            run = await backend.seen(answer["run_id"])
            assert [task["task_key"] for task in run["tasks"]] == ["clean"]


async def test_a_job_without_the_notebook_refuses_the_click_in_words(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    job = load("job_of_somebody_else")
    job["settings"]["tasks"] = job["settings"]["tasks"][:1]
    workspace.has_job(job)
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend,
    ):
        answer = await backend.trigger("gold")
        assert (answer["submission_state"], answer["run_id"]) == ("REFUSED", None)
        assert "03_gold_aggregations" in answer["error"]["message"]
        failed = await backend.until_event("databricks_job_failed")
        assert failed["data"]["run_id"] is None
        assert failed["data"]["submission_id"] == answer["submission_id"]
        assert not workspace.sent(RUN_NOW)
        [shown] = await backend.runs()
        assert (shown["run_id"], shown["submission_state"]) == (None, "REFUSED")


async def test_a_failed_run_tells_the_task_the_error_and_the_trace(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_failed")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            failed = await backend.until_event("databricks_job_failed")
            error = failed["data"]["error"]
            assert error["task"] == "clean"
            assert error["code"] == "RUN_EXECUTION_ERROR"
            assert error["message"].startswith("AnalysisException: [TABLE_OR_VIEW_NOT_FOUND]")
            assert "\x1b" not in error["trace_excerpt"]
            assert failed["data"]["retryable"] is True
            assert failed["data"]["result"] == "FAILED"
            run = await backend.run(run_id)
            assert [task["result"] for task in run["tasks"]] == ["SUCCESS", "FAILED", "UPSTREAM_FAILED"]
            output = (await backend.http.get(f"{RUNS}/{run_id}/tasks/clean/output")).json()
            assert output["error"].startswith("AnalysisException")
            assert "Traceback" in output["error_trace"]
            assert (output["result"], output["truncated"]) == (None, False)
            missing = await backend.http.get(f"{RUNS}/{run_id}/tasks/nothing/output")
            assert (missing.status_code, missing.json()["code"]) == (404, "task_not_found")


async def test_a_state_that_nobody_knows_is_shown_and_ends_nothing(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_in_unknown_state")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            lists = len(workspace.sent("/api/2.2/jobs/runs/list"))
            await until(lambda: len(workspace.sent("/api/2.2/jobs/runs/list")) > lists + 3)
            run = await backend.run(run_id)
            assert (run["state"], run["active"], run["result"]) == ("HIBERNATING", True, None)
            assert not await backend.events(*TERMINAL)


async def test_more_than_a_hundred_tasks_are_read_page_by_page(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        look = load("run_of_somebody_else")["looks"][-1]
        one = look["tasks"][0]
        many = [
            {**one, "run_id": one["run_id"] + 50 + n, "task_key": f"step_{n:03}", "depends_on": []} for n in range(120)
        ]
        look["tasks"] = many
        workspace.has_run([look])
        look["start_time"] = 4_000_000_000_000  # after the backend first met the workspace
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.until_event("databricks_job_completed")
            run = await backend.run(look["run_id"])
            assert len(run["tasks"]) == 120
            assert run["submission_id"] is None
            assert run["requested_by"] == "ops@insurer.example"


async def test_a_run_started_elsewhere_is_adopted_while_it_is_active(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        recorded = load("run_of_somebody_else")
        run_id = workspace.has_run(recorded["looks"][1:])
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            started = await backend.until_event("databricks_job_started")
            assert started["data"]["run_id"] == run_id
            assert started["data"]["submission_id"] is None
            assert started["data"]["layer"] == "all"
            assert started["data"]["claim_ids"] == ["CLM-1", "CLM-2"]
            conflict = await backend.http.post(TRIGGER, json={"layer": "gold"})
            assert (conflict.status_code, conflict.json()["code"]) == (409, "run_active")
            assert conflict.json()["details"]["run_id"] == run_id
            joined = await backend.trigger("gold", if_active="join")
            assert (joined["run_id"], joined["submission_id"]) == (run_id, None)
            assert not workspace.sent(RUN_NOW)


async def test_a_lost_reply_then_a_retry_starts_exactly_one_run(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_of_somebody_else")
        workspace.hidden.add(run_id)  # so that only the token can bring the run to light
        workspace.faults[RUN_NOW] += [LOST_REPLY, UNAVAILABLE_AFTER_WORK]
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("all")
            assert answer["run_id"] == run_id
            sends = workspace.sent(RUN_NOW)
            assert len(sends) == 3
            assert {send.body["idempotency_token"] for send in sends} == {answer["submission_id"]}
            assert len(workspace.tokens) == 1
            submitting = await backend.events("databricks_job_submitting")
            assert [event["data"]["in_doubt"] for event in submitting] == [True, True]
            assert len(await backend.events("databricks_job_started")) == 1


async def test_one_post_is_one_wire_call_and_a_throttle_is_not_hidden(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_of_somebody_else")
        workspace.faults[RUN_NOW].append(THROTTLED)
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("all")
            assert answer["run_id"] == run_id
            assert len(workspace.sent(RUN_NOW)) == 2  # one refused, one taken: nothing in between repeated either
            [submitting] = await backend.events("databricks_job_submitting")
            assert submitting["data"]["code"] == "workspace_throttled"
            assert submitting["data"]["in_doubt"] is False
            assert submitting["data"]["next_try_at"] > submitting["at"]


async def test_a_final_refusal_becomes_a_failure_in_plain_words(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        body = {"error_code": "PERMISSION_DENIED", "message": "bi@insurer.example may not run job 5."}
        workspace.faults[RUN_NOW].append(Fault(403, body=body))
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("all")
            assert answer["submission_state"] == "REFUSED"
            assert answer["error"]["code"] == "PERMISSION_DENIED"
            assert len(workspace.sent(RUN_NOW)) == 1


async def test_wrong_credentials_are_final_for_a_first_send_and_passing_for_one_in_doubt(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        workspace.next_run_shows("run_of_somebody_else")
        unauthorized = Fault(401, body={"error_code": "UNAUTHORIZED", "message": "expired"})
        workspace.faults[RUN_NOW].append(unauthorized)
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            assert (await backend.trigger("all"))["submission_state"] == "REFUSED"
            workspace.hidden.add(workspace.next_run_shows("run_of_somebody_else"))
            workspace.faults[RUN_NOW] += [LOST_REPLY, unauthorized]
            assert (await backend.trigger("all"))["submission_state"] == "ACCEPTED"


async def test_a_kill_between_send_and_answer_gives_one_run_after_the_restart(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_of_somebody_else")
        workspace.hidden.add(run_id)
        workspace.faults[RUN_NOW] += [LOST_REPLY] + [Fault(503)] * 200
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            ledger = backend.app.state.ledger
            await backend.until_event("workspace_status")
            wish = Wish("all", TASK_KEYS, (), None, IfActive.REJECT, "x")
            submitted = await ledger.trigger(wish, wait_s=0.3)
            assert submitted.submission.state == "SUBMITTING"
        workspace.faults[RUN_NOW].clear()
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            started = await backend.until_event("databricks_job_started")
            assert started["data"]["run_id"] == run_id
            assert started["data"]["submission_id"] == submitted.submission.submission_id
            assert len(workspace.tokens) == 1


async def test_a_token_in_doubt_is_never_sent_to_another_workspace(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        workspace.next_run_shows("run_of_somebody_else")
        workspace.faults[RUN_NOW].append(Fault(503))
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            assert workspace.workspace_id == WORKSPACE_ID
            await until(lambda: bool(workspace.sent("/api/2.0/preview/scim/v2/Me")))
            await until(lambda: bool(workspace.sent("/api/2.2/jobs/runs/list")))
            workspace.workspace_id = "42"
            answer = await backend.trigger("all")
            assert answer["submission_state"] == "LOST"
            assert len(workspace.sent(RUN_NOW)) == 1
            failed = await backend.until_event("databricks_job_failed")
            assert failed["data"]["error"]["code"] == "workspace_changed"
            assert failed["data"]["retryable"] is True


async def test_the_run_is_joined_when_the_poller_sees_it_before_the_answer(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        workspace.jobs[JOB_ID]["settings"]["parameters"] = [
            {"name": name, "default": ""} for name in ("claim_ids", "claim_ids_path", "submission_id")
        ]
        run_id = workspace.next_run_shows("run_of_somebody_else")
        workspace.faults[RUN_NOW] += [LOST_REPLY] + [Fault(503)] * 500
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:

            async def tell_the_run_its_submission() -> bool:
                for send in workspace.sent(RUN_NOW):
                    token = send.body["job_parameters"]["submission_id"]
                    for look in workspace.looks.get(run_id, ()):
                        look["job_parameters"] = [{"name": "submission_id", "default": "", "value": token}]
                return bool(await backend.events("databricks_job_started"))

            answer = backend.http.post(TRIGGER, json={"layer": "all"})
            async with asyncio.TaskGroup() as group:
                pending = group.create_task(answer)
                await until(tell_the_run_its_submission)
            body = pending.result().json()
            assert (body["run_id"], body["submission_state"]) == (run_id, "ACCEPTED")
            assert len(await backend.events("databricks_job_started")) == 1


async def test_many_claim_ids_travel_through_a_file(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        workspace.next_run_shows("run_of_somebody_else")
        ids = [f"CLM-{n:07}" for n in range(2_000)]
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("all", claim_ids=ids)
            told = workspace.sent(RUN_NOW)[0].body["notebook_params"]
            assert told["claim_ids"] == ""
            assert told["claim_ids_path"].endswith(f"/requests/{answer['submission_id']}.json")
            assert json.loads(workspace.files[told["claim_ids_path"]]) == ids
            assert answer["claim_ids"] == ids


async def test_a_job_that_cannot_take_claim_ids_refuses_rather_than_running_everything(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        workspace.jobs[JOB_ID]["settings"]["parameters"] = [{"name": "catalog", "default": "petinsure360"}]
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            answer = await backend.trigger("all", claim_ids=["CLM-1"])
            assert answer["submission_state"] == "REFUSED"
            assert "claim_ids" in answer["error"]["message"]
            assert not workspace.sent(RUN_NOW)


async def test_without_a_job_the_notebooks_are_submitted_and_the_ledger_keeps_the_queue(tmp_path: Path) -> None:
    async with RecordedWorkspace().serving() as workspace:
        run_id = workspace.next_run_shows("run_of_somebody_else")
        async with running_backend(
            tmp_path, workspace.host, TOKEN, databricks_cluster_id="1223-104240-2rys4e5v"
        ) as backend:
            first = await backend.trigger("bronze")
            assert first["run_id"] == run_id
            [sent] = workspace.sent(SUBMIT)
            [task] = sent.body["tasks"]
            assert task["notebook_task"]["notebook_path"] == "/PetInsure360/01_bronze_ingestion"
            assert task["notebook_task"]["base_parameters"]["batch_id"] == "{{job.run_id}}"
            assert task["existing_cluster_id"] == "1223-104240-2rys4e5v"
            assert first["submission_id"] in sent.body["run_name"]
            second = await backend.trigger("bronze", if_active="queue")
            assert (second["submission_state"], second["run_id"]) == ("QUEUED", None)
            assert len(workspace.sent(SUBMIT)) == 1
            other = load("run_of_somebody_else")["looks"]
            for look in other:
                look["run_id"] += 100
                for task in look["tasks"]:
                    task["run_id"] += 100
            workspace.next_look = other
            for _ in range(3):
                workspace.advance(run_id)
            await backend.until_event("databricks_job_completed")
            await until(lambda: len(workspace.sent(SUBMIT)) == 2)
            started = await backend.until_event("databricks_job_started", count=2)
            assert started["data"]["submission_id"] == second["submission_id"]


async def test_a_repair_is_a_new_attempt_of_the_same_run(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_repaired")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            await backend.until_event("databricks_job_failed")
            answer = await backend.http.post(f"{RUNS}/{run_id}/repair")
            assert answer.status_code == 202
            completed = await backend.until_event("databricks_job_completed")
            assert completed["data"]["run_id"] == run_id
            assert completed["data"]["attempt"] == 1
            assert completed["data"]["duration"] == 30.1  # of the latest attempt, not since the first
            starts = await backend.events("databricks_job_started")
            assert [start["data"]["attempt"] for start in starts] == [0, 1]
            types = [event["type"] for event in await backend.events() if event["data"].get("run_id") == run_id]
            after = types.index("databricks_job_failed") + 1
            assert types[after] == "databricks_job_started"
            run = await backend.run(run_id)
            assert [task["attempt_number"] for task in run["tasks"]] == [0, 1, 1]
            again = await backend.http.post(f"{RUNS}/{run_id}/repair")
            assert (again.status_code, again.json()["code"]) == (409, "run_not_repairable")


async def test_a_repair_in_doubt_is_resolved_by_reading_not_by_resending(tmp_path: Path) -> None:
    async with somebody_elses_job().serving() as workspace:
        run_id = workspace.next_run_shows("run_repaired")
        workspace.faults["/api/2.2/jobs/runs/repair"].append(LOST_REPLY)
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            await backend.until_event("databricks_job_failed")
            answer = await backend.http.post(f"{RUNS}/{run_id}/repair")
            assert answer.status_code == 202
            await backend.until_event("databricks_job_completed")
            assert workspace.repairs == [run_id]


@pytest.mark.parametrize(("silent", "state"), [(("list",), "PENDING"), (("list", "get"), None)])
async def test_last_known_is_when_a_run_was_shown_though_no_round_was_ever_answered(
    tmp_path: Path, silent: tuple[str, ...], state: str | None
) -> None:
    workspace = somebody_elses_job()
    for reading in silent:
        workspace.faults[f"/api/2.2/jobs/runs/{reading}"] += [Fault(503)] * 10_000
    async with workspace.serving():
        run_id = workspace.next_run_shows("run_of_somebody_else")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")

            async def told() -> bool:
                return bool(await backend.events("workspace_status"))

            await until(told)
            [status] = [event["data"] for event in await backend.events("workspace_status")]
            assert status["state"] == "degraded"
            run = await backend.run(run_id)
            assert (run["active"], run["state"]) == (True, state)
            assert (status["last_known_at"] is None) == (state is None)
            assert not await backend.events(*TERMINAL)


async def test_an_outage_is_told_as_degraded_and_never_as_failure(tmp_path: Path) -> None:
    workspace = somebody_elses_job()
    async with workspace.serving():
        run_id = workspace.next_run_shows("run_of_somebody_else")
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            await backend.trigger("all")
            await backend.seen(run_id)
            workspace.faults["/api/2.2/jobs/runs/list"] += [Fault(503)] * 10_000

            async def degraded() -> bool:
                told = await backend.events("workspace_status")
                return bool(told) and told[-1]["data"]["state"] == "degraded"

            await until(degraded)
            told = (await backend.events("workspace_status"))[-1]["data"]
            assert told["last_known_at"] is not None
            run = await backend.run(run_id)
            assert (run["active"], run["state"]) == (True, "PENDING")
            assert not await backend.events(*TERMINAL)
            workspace.faults["/api/2.2/jobs/runs/list"].clear()
            backend.app.state.tracker.wake()

            async def recovered() -> bool:
                return (await backend.events("workspace_status"))[-1]["data"]["state"] == "ok"

            await until(recovered)
