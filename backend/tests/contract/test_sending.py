"""How a click reaches the workspace: few transactions, the right job, the same words at every resend."""

from __future__ import annotations

import re
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.layers import TASK_KEYS
from app.domain.submissions import IfActive, Wish
from backend.tests.api.test_pipeline import JOB_ID, pipeline
from backend.tests.support.backend import TRIGGER, running_backend
from backend.tests.support.recorded_workspace import (
    LOST_REPLY,
    RUN_NOW,
    TOKEN,
    Fault,
    RecordedWorkspace,
    load,
)
from backend.tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("on_both_stores")

LISTS = "/api/2.2/jobs/runs/list"
GET_JOB = "/api/2.2/jobs/get"
ME = "/api/2.0/preview/scim/v2/Me"
of_the_click: ContextVar[bool] = ContextVar("of_the_click", default=False)
NO_SUCH_TASK = Fault(400, body={"error_code": "INVALID_PARAMETER_VALUE", "message": "No task report in the job."})


async def test_a_click_costs_two_transactions_and_one_call_before_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pipeline(tmp_path, poll_interval_s=600) as (backend, workspace):
        await backend.until_event("workspace_status")  # once the first tick is over
        database, write, writes = backend.app.state.database, backend.app.state.database.write, []

        def counted(*given: Any, **options: Any) -> Any:
            if of_the_click.get():
                writes.append(len(workspace.sent(RUN_NOW)))
            return write(*given, **options)

        monkeypatch.setattr(database, "write", counted)
        of_the_click.set(True)  # what this task calls or starts; the loops were started before
        asked = [len(workspace.sent(path)) for path in (GET_JOB, ME)]
        answer = await backend.http.post(TRIGGER, json={"layer": "gold"})
        assert writes == [0, 1]  # one before the call, one after it
        assert answer.json()["submission_state"] == "ACCEPTED"
        assert [len(workspace.sent(path)) for path in (GET_JOB, ME)] == asked
        assert len(workspace.sent(RUN_NOW)) == 1


async def test_a_job_that_was_changed_meanwhile_is_read_anew_and_the_click_sent_once_more(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        await until(lambda: bool(workspace.sent(GET_JOB)))
        await until(lambda: bool(workspace.sent(LISTS)))
        for task in workspace.jobs[JOB_ID]["settings"]["tasks"]:
            task["task_key"] = {"report": "gold_report"}.get(task["task_key"], task["task_key"])
        workspace.faults[RUN_NOW].append(NO_SUCH_TASK)
        answer = await backend.trigger("gold")
        assert (answer["submission_state"], answer["tasks"]) == ("ACCEPTED", ["gold_report"])
        assert [send.body["only"] for send in workspace.sent(RUN_NOW)] == [["report"], ["gold_report"]]
        assert len({send.body["idempotency_token"] for send in workspace.sent(RUN_NOW)}) == 1


async def test_a_refusal_by_an_unchanged_job_is_final(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        await until(lambda: bool(workspace.sent(LISTS)))
        workspace.faults[RUN_NOW].append(NO_SUCH_TASK)
        assert (await backend.trigger("gold"))["submission_state"] == "REFUSED"
        assert len(workspace.sent(RUN_NOW)) == 1


async def test_a_token_in_doubt_goes_to_the_job_it_was_sent_to_whatever_the_settings_say_now(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.has_job({**load("job_of_somebody_else"), "job_id": 42})
    workspace.hidden.add(workspace.next_run_shows("run_of_somebody_else"))
    workspace.faults[RUN_NOW] += [LOST_REPLY] + [Fault(503)] * 200
    async with workspace.serving():
        async with running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend:
            wish = Wish("all", TASK_KEYS, (), None, IfActive.REJECT, "x")
            await backend.app.state.ledger.trigger(wish, wait_s=0.3)
            await until(lambda: bool(workspace.sent(RUN_NOW)))
        workspace.faults[RUN_NOW].clear()
        for given in ({"databricks_job_id": 42}, {"pipeline_mode": "notebooks"}):
            async with running_backend(tmp_path, workspace.host, TOKEN, **given) as backend:
                await backend.until_event("databricks_job_started")
        assert {send.body["job_id"] for send in workspace.sent(RUN_NOW)} == {JOB_ID}
        assert len(workspace.tokens) == 1


async def test_a_job_without_parameters_is_told_the_date_as_a_date_and_the_same_at_every_resend(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        workspace.faults[RUN_NOW].append(LOST_REPLY)
        answer = await backend.trigger("all")
        run = await backend.run(answer["run_id"])
        asked_on = datetime.fromisoformat(run["requested_at"]).astimezone(UTC).date().isoformat()
        told = [send.body["notebook_params"] for send in workspace.sent(RUN_NOW)]
        assert len(told) == 2
        assert told[0] == told[1]
        assert told[0]["as_of"] == asked_on
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", told[0]["as_of"])
        assert told[0]["batch_id"] == "{{job.run_id}}"
