"""What people are shown while the workspace is away, and of a cancellation that it has not taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.tests.durability.test_driven import click, sent, shown, told
from backend.tests.support.backend import RUNS
from backend.tests.support.driven_backend import DrivenBackend
from backend.tests.support.simulated_workspace import CANCEL, LIST, ME, Fault, SimulatedWorkspace

LONGEST_OPEN_S = 30  # of a breaker towards Databricks


async def workspace_shown(backend: DrivenBackend) -> dict[str, Any]:
    answer = await backend.during(backend.http.get("/api/pipeline/status"))
    found: dict[str, Any] = answer.json()["workspace"]
    return found


async def events(backend: DrivenBackend, kind: str) -> list[dict[str, Any]]:
    query = {"after": 0, "wait_s": 0}
    answer = await backend.during(backend.http.get("/api/events/poll", params=query))
    return [event["data"] for event in answer.json()["events"] if event["type"] == kind]


def test_an_outage_is_degraded_until_a_single_probe_is_answered(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend))["run_id"]
        workspace.advance(run_id)
        await backend.elapse(3)
        before = await workspace_shown(backend)
        assert before["state"] == "ok"
        for path in (LIST, ME):
            workspace.faults[path].extend([Fault.NO_CONNECTION] * 999)
        await backend.elapse(4)
        assert (await workspace_shown(backend))["state"] == "ok"  # not before five seconds
        await backend.elapse(8)
        away = await workspace_shown(backend)
        assert away["state"] == "degraded"
        assert away["last_known_at"] >= before["last_known_at"]
        assert "cannot be reached" in away["detail"]

        await backend.elapse(40)
        tried = len(workspace.calls)
        await backend.elapse(60)
        assert 1 <= len(workspace.calls) - tried <= 60 / (LONGEST_OPEN_S / 2) + 1  # probes only
        still = await workspace_shown(backend)
        assert (still["state"], still["last_known_at"]) == ("degraded", away["last_known_at"])
        assert "cannot be reached" in still["detail"]  # the reason stands, though most calls are kept back
        run = await shown(backend, run_id)
        assert (run["active"], run["state"], run["error"]) == (True, "RUNNING", None)

        workspace.heal()
        tried = len(workspace.calls)
        while len(workspace.calls) == tried:
            assert (await workspace_shown(backend))["state"] == "degraded"
            await backend.elapse(0.5, step_s=0.5)
        await backend.elapse(1)
        well = await workspace_shown(backend)
        assert (well["state"], well["detail"]) == ("ok", None)
        assert well["last_known_at"] > away["last_known_at"]
        assert [event["state"] for event in await events(backend, "workspace_status")] == ["ok", "degraded", "ok"]

    told(tmp_path, story)


def test_a_cancellation_that_the_workspace_does_not_take_is_shown_until_it_has_ended_the_run(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend))["run_id"]
        workspace.advance(run_id)
        await backend.elapse(2)
        assert (await shown(backend, run_id))["cancel"] is None
        workspace.faults[CANCEL].extend([Fault.UNAVAILABLE] * 999)
        answer = await backend.during(backend.http.post(f"{RUNS}/{run_id}/cancel", json={"reason": "wrong day"}))
        assert answer.status_code == 202
        postponed = (await shown(backend, run_id))["cancel"]
        assert postponed == answer.json()["cancel"]
        assert postponed["state"] == "SENDING"
        assert postponed["requested_by"] == answer.json()["requested_by"]
        assert postponed["error"]["code"] == "workspace_unreachable"
        assert postponed["next_try_at"] > postponed["requested_at"]
        [listed] = (await backend.during(backend.http.get(RUNS))).json()["runs"]
        assert listed["cancel"] == postponed

        await backend.kill()
        await backend.start()
        await backend.elapse(1)
        assert (await shown(backend, run_id))["cancel"]["requested_at"] == postponed["requested_at"]
        snapshot = (await backend.during(backend.http.get("/api/events/poll", params={"wait_s": 0}))).json()["events"]
        [kept] = snapshot[0]["data"]["runs"]
        assert kept["cancel"]["requested_at"] == postponed["requested_at"]

        workspace.heal()
        workspace.takes_its_time = True  # it takes the cancellation, and the run goes on for a while
        while (run := await shown(backend, run_id))["cancel"]["state"] != "DONE":
            await backend.elapse(1)
        assert (run["active"], run["cancel"]["error"], run["cancel"]["next_try_at"]) == (True, None, None)
        workspace.stop(run_id)
        await backend.elapse(6)
        run = await shown(backend, run_id)
        assert (run["active"], run["result"], run["cancel"]) == (False, "CANCELED", None)
        states = [event["cancel"]["state"] for event in await events(backend, "run_canceling")]
        assert (states[0], states[1], states[-1]) == ("RECORDED", "SENDING", "DONE")
        assert states.count("DONE") == 1
        assert sent(workspace, CANCEL) >= 2

    told(tmp_path, story)


def test_a_cancellation_of_an_earlier_attempt_is_not_shown_of_the_repair(tmp_path: Path) -> None:
    async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
        run_id = (await click(backend))["run_id"]
        workspace.advance(run_id)
        await backend.elapse(2)
        assert (await backend.during(backend.http.post(f"{RUNS}/{run_id}/cancel"))).status_code == 202
        await backend.elapse(3)
        assert (await shown(backend, run_id))["result"] == "CANCELED"
        assert (await backend.during(backend.http.post(f"{RUNS}/{run_id}/repair"))).status_code == 202
        await backend.elapse(3)
        run = await shown(backend, run_id)
        assert (run["active"], run["attempt"], run["cancel"]) == (True, 1, None)

    told(tmp_path, story)
