"""Ledger and poller under one misfortune at a time: the application on a given clock, the workspace simulated."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.store import submissions
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.clock import ManualClock
from backend.tests.support.driven_backend import CountingLoop, DrivenBackend
from backend.tests.support.record_event_logs import play
from backend.tests.support.simulated_workspace import CANCEL, GET, LIST, REPAIR, RUN_NOW, Fault, SimulatedWorkspace

Story = Callable[[DrivenBackend, SimulatedWorkspace], Awaitable[None]]
DAY_S = 86_400.0


def told(tmp_path: Path, story: Story, **given: Any) -> None:
    """Play a story from the start of the application to its death."""

    async def whole() -> None:
        clock = ManualClock()
        workspace = SimulatedWorkspace(lambda: round(clock.now().timestamp() * 1000))
        backend = DrivenBackend(tmp_path, workspace, clock, **given)
        await backend.start()
        await backend.elapse(2)
        try:
            await story(backend, workspace)
        finally:
            await backend.kill()

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(whole())


async def click(backend: DrivenBackend, layer: str = "gold", key: str | None = None, **body: Any) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await backend.during(backend.http.post(TRIGGER, json={"layer": layer, **body}, headers=headers))
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def submission(backend: DrivenBackend, submission_id: str) -> dict[str, Any]:
    path = f"/api/pipeline/databricks/submissions/{submission_id}"
    found: dict[str, Any] = (await backend.during(backend.http.get(path))).json()
    return found


async def shown(backend: DrivenBackend, run_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await backend.during(backend.http.get(f"{RUNS}/{run_id}"))).json()
    return found


def sent(workspace: SimulatedWorkspace, path: str) -> int:
    return len([call for call in workspace.calls if call[1] == path])


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
def test_jumps_of_the_wall_clock_neither_delay_a_token_in_doubt_nor_give_up_a_click(
    tmp_path: Path, jump_s: float
) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        workspace.faults[RUN_NOW].extend([Fault.LOST_REPLY, *[Fault.UNAVAILABLE] * 99])
        workspace.faults[LIST].extend([Fault.UNAVAILABLE] * 99)  # or the poller would find the run first
        doubtful = await click(backend)
        assert doubtful["submission_state"] == "SUBMITTING"
        backend.clock.jump(jump_s)
        workspace.heal()
        await backend.elapse(60)
        assert (await submission(backend, doubtful["submission_id"]))["submission_state"] == "ACCEPTED"
        await play(backend, workspace, workspace.all_started[0][0])
        workspace.faults[RUN_NOW].extend([Fault.THROTTLED] * 99)
        waiting = await click(backend)
        backend.clock.jump(jump_s)
        await backend.elapse(9)
        assert (await submission(backend, waiting["submission_id"]))["submission_state"] == "SUBMITTING"
        workspace.heal()
        await backend.elapse(120)
        assert (await submission(backend, waiting["submission_id"]))["submission_state"] == "ACCEPTED"

    told(tmp_path, story)


def test_clicks_wait_in_the_order_they_were_made_whatever_the_clock_did_meanwhile(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        workspace.faults[RUN_NOW].extend([Fault.THROTTLED] * 99)
        made = []
        for _ in range(3):
            made.append((await click(backend, if_active="queue"))["submission_id"])
            backend.clock.jump(-DAY_S)
        assert backend.app is not None
        async with backend.app.state.database.read() as db:
            waiting = await submissions.open_ones(db)
        assert [one.submission_id for one in waiting] == made
        assert sorted(waiting, key=lambda one: one.turn) == waiting
        assert sorted(waiting, key=lambda one: one.requested_at) == waiting[::-1]

    told(tmp_path, story)


def test_credentials_are_final_for_a_first_send_and_decide_nothing_about_a_token_in_doubt(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        workspace.faults[RUN_NOW].extend([Fault.LOST_REPLY, Fault.FORBIDDEN])
        doubtful = await click(backend)
        assert doubtful["submission_state"] == "ACCEPTED"
        assert sent(workspace, RUN_NOW) == 2  # the second was forbidden; then the run itself was found
        run_id = doubtful["run_id"]
        await play(backend, workspace, run_id)
        workspace.expired = True
        refused = await click(backend)
        assert refused["submission_state"] == "REFUSED"
        assert refused["error"]["code"] == "workspace_unauthorized"
        workspace.expired = False
        await backend.elapse(60)
        again = await click(backend, if_active="queue")
        assert again["submission_state"] == "ACCEPTED"
        assert len(workspace.all_started) == 2

    told(tmp_path, story)


def test_a_token_that_expires_for_a_while_loses_no_run_and_is_told_as_an_outage(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend))["run_id"]
        workspace.expired = True
        for _ in range(3):
            workspace.advance(run_id)
        await backend.elapse(120)
        run = await shown(backend, run_id)
        assert (run["active"], run["state"]) == (True, "PENDING")
        status = (await backend.during(backend.http.get("/api/pipeline/status"))).json()["workspace"]
        assert status["state"] == "degraded"
        assert status["last_known_at"] is not None
        workspace.expired = False
        await backend.elapse(70)
        assert (await shown(backend, run_id))["result"] == "SUCCESS"

    told(tmp_path, story)


def test_a_key_that_joined_a_click_on_its_way_answers_for_it_even_after_its_end(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        workspace.faults[RUN_NOW].extend([Fault.THROTTLED] * 99)
        first = await click(backend)
        joined = await click(backend, key="mine", if_active="join")
        assert (joined["submission_id"], joined["run_id"]) == (first["submission_id"], None)
        workspace.heal()
        await backend.elapse(60)
        await play(backend, workspace, workspace.all_started[0][0])
        repeated = await click(backend, key="mine", if_active="join")
        assert repeated["submission_id"] == first["submission_id"]
        assert len(workspace.all_started) == 1
        other = backend.http.post(TRIGGER, json={"layer": "bronze"}, headers={"Idempotency-Key": "mine"})
        assert (await backend.during(other)).json()["code"] == "idempotency_key_reused"

    told(tmp_path, story)


def test_a_late_cancellation_does_not_strike_the_next_attempt(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend, "silver"))["run_id"]
        workspace.advance(run_id)
        await backend.elapse(2)
        workspace.faults[CANCEL].append(Fault.THROTTLED)  # comes again after 7 s
        canceling = asyncio.ensure_future(backend.http.post(f"{RUNS}/{run_id}/cancel"))
        await backend.settle()
        workspace.advance(run_id, fails=True)
        await backend.elapse(2)
        workspace.repair_elsewhere(run_id)
        await backend.during(backend.http.post("/api/webhooks/databricks", json={}))
        await backend.elapse(1)
        assert sent(workspace, CANCEL) == 1
        await backend.elapse(60)
        await canceling
        run = await shown(backend, run_id)
        assert (run["attempt"], run["active"]) == (1, True)

    told(tmp_path, story)


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.UNAVAILABLE_AFTER_WORK, Fault.UNREADABLE])
def test_a_repair_whose_answer_is_lost_is_found_in_the_history_and_not_sent_again(tmp_path: Path, fault: Fault) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend, "silver"))["run_id"]
        await play(backend, workspace, run_id, fails_at=1)
        workspace.faults[REPAIR].append(fault)
        answer = await backend.during(backend.http.post(f"{RUNS}/{run_id}/repair"))
        assert answer.status_code == 202
        await backend.elapse(10)
        assert (sent(workspace, REPAIR), len(workspace.runs[run_id].repairs)) == (1, 1)
        assert (await shown(backend, run_id))["attempt"] == 1

    told(tmp_path, story)


@pytest.mark.parametrize("active", [1, 25, 26, 60])
def test_a_tick_costs_a_listing_for_every_twenty_five_active_runs(tmp_path: Path, active: int) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        for _ in range(active):
            workspace.start_elsewhere()
        await backend.elapse(15)
        polls = backend.app.state.metrics  # type: ignore[union-attr]
        workspace.calls.clear()
        before = _ticks(polls)
        await backend.elapse(5)
        assert _ticks(polls) > before
        assert sent(workspace, LIST) == (_ticks(polls) - before) * -(-active // 25)
        assert sent(workspace, GET) == 0

    told(tmp_path, story)


def _ticks(metrics: Any) -> int:
    return int(metrics.registry.get_sample_value("petinsure_polls_total", {"outcome": "ok"}) or 0)


def test_notifications_however_many_make_the_poller_ask_no_more_often_than_its_interval(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        workspace.calls.clear()
        for _ in range(10):
            for _ in range(5):
                forged = {"event_type": "jobs.on_success", "run": {"run_id": "4711"}, "job": {"job_id": 1}}
                answer = await backend.during(backend.http.post("/api/webhooks/databricks", json=forged))
                assert answer.status_code == 202
            await backend.elapse(1)
        assert 5 <= sent(workspace, LIST) <= 11
        runs = (await backend.during(backend.http.get(RUNS))).json()["runs"]
        assert runs == []

    told(tmp_path, story)


def test_nothing_wakes_the_poller_before_a_retry_after_is_over(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        workspace.faults[LIST].append(Fault.THROTTLED)  # asks for 7 s
        await backend.during(backend.http.post("/api/webhooks/databricks", json={}))
        await backend.elapse(1)
        workspace.calls.clear()
        for _ in range(5):
            await backend.during(backend.http.post("/api/webhooks/databricks", json={}))
            await backend.elapse(1)
        assert sent(workspace, LIST) == 0
        await backend.elapse(20)
        assert sent(workspace, LIST) > 0

    told(tmp_path, story)


def test_every_background_loop_survives_a_store_that_fails(tmp_path: Path) -> None:
    tables = ("submissions", "run_actions", "runs", "events", "lakes", "event_head")

    def rename(form: str, other: str) -> None:
        with sqlite3.connect(tmp_path / "petinsure.db") as db:
            for table in tables:
                db.execute(f"ALTER TABLE {form.format(table)} RENAME TO {other.format(table)}")

    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend, "silver"))["run_id"]
        workspace.faults[CANCEL].extend([Fault.UNAVAILABLE] * 9)
        await backend.during(backend.http.post(f"{RUNS}/{run_id}/cancel"))
        workspace.faults[RUN_NOW].extend([Fault.THROTTLED] * 9)
        assert (await click(backend, "gold"))["submission_state"] == "SUBMITTING"
        rename("{}", "{}_away")  # while a click and a cancellation are to be sent again
        workspace.faults[LIST].extend([Fault.UNAVAILABLE] * 9)  # something to tell about the workspace, too
        await backend.elapse(60)
        rename("{}_away", "{}")
        workspace.heal()
        await backend.elapse(60)
        metrics = backend.app.state.metrics  # type: ignore[union-attr]
        for loop in ("sender", "run_actions", "workspace_status"):
            assert metrics.registry.get_sample_value("petinsure_loop_faults_total", {"loop": loop}), loop
        assert (await shown(backend, run_id))["result"] == "CANCELED"
        assert len(workspace.all_started) == 2
        await play(backend, workspace, workspace.all_started[1][0])
        assert (await shown(backend, workspace.all_started[1][0]))["result"] == "SUCCESS"

    told(tmp_path, story)


def test_a_look_that_is_canceled_while_it_records_a_runs_end_has_told_it_to_everybody(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend))["run_id"]
        for _ in range(2):
            workspace.advance(run_id)
        assert backend.app is not None
        state = backend.app.state
        looking = asyncio.create_task(state.tracker.look(run_id))
        event.listen(state.database.engine.sync_engine, "commit", lambda _: looking.cancel())
        await asyncio.wait({looking})
        assert looking.cancelled()
        log = (await backend.during(backend.http.get("/api/events/poll?after=0&wait_s=0"))).json()["events"]
        assert log[-1]["type"] == "databricks_job_completed"
        assert state.hub.head_seq == log[-1]["seq"]

    told(tmp_path, story)
