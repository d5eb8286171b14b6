"""The fault switchboard: what callers see goes wrong as asked, what the workspace does never."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import PermissionDenied

from local_workspace.faults.calls import NAMES, matches
from local_workspace.faults.kinds import KINDS
from local_workspace.faults.presets import presets
from local_workspace.tests.conftest import Program
from local_workspace.tests.jobs_for_tests import Jobs, final, task, tasks_of
from local_workspace.tests.serving_app import TOKEN, Served
from local_workspace.tests.stages import Stage, held
from local_workspace.tests.test_live_runs import ended, notebook_task, output, put_notebook, start
from local_workspace.tests.waiting import until

FAULTS = "/api/local/faults"
LIST = "/api/2.2/jobs/runs/list"


class Faults:
    """The switchboard over raw HTTP."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def set(self, *rules: dict[str, Any]) -> dict[str, Any]:
        response = self.http.put(FAULTS, json={"rules": rules})
        assert response.status_code == 200, response.text
        return dict(response.json())

    def rules(self) -> list[dict[str, Any]]:
        return list(self.http.get(FAULTS).json()["rules"])

    def hits(self) -> list[int]:
        return [rule["hits"] for rule in self.rules()]


@pytest.fixture
def faults(staged: Served) -> Faults:
    return Faults(staged.http)


@pytest.fixture
def api(staged: Served) -> Jobs:
    return Jobs(staged)


def runs_of(api: Jobs, job_id: int) -> list[int]:
    return [run["run_id"] for run in api.get("runs/list", job_id=job_id).get("runs", [])]


# Setting rules.


def test_nothing_is_switched_on_and_the_token_is_demanded(staged: Served, faults: Faults) -> None:
    told = staged.http.get(FAULTS).json()
    assert told["rules"] == []
    assert set(told["kinds"]) == set(KINDS)
    assert told["calls"] == NAMES
    for method in ("GET", "PUT", "POST", "DELETE"):
        assert httpx.request(method, staged.host + FAULTS).status_code == 401


def test_rules_are_replaced_added_and_cleared_one_by_one_or_all(faults: Faults) -> None:
    faults.set({"kind": "lost_reply", "call": "run-now"}, {"kind": "throttled"})
    added = faults.http.post(FAULTS, json={"rules": [{"kind": "stall", "parameters": {"seconds": 1}}]}).json()
    assert [rule["kind"] for rule in added["rules"]] == ["lost_reply", "throttled", "stall"]
    assert added["rules"][2]["parameters"] == {"seconds": 1, "when": "before_work"}
    left = faults.http.delete(FAULTS, params={"id": added["rules"][1]["id"]}).json()
    assert [rule["kind"] for rule in left["rules"]] == ["lost_reply", "stall"]
    assert faults.http.delete(FAULTS, params={"id": "nix"}).status_code == 404
    assert faults.http.delete(FAULTS).json()["rules"] == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"kind": "earthquake"}, "rules[0] must be an object whose kind is one of throttled, unavailable"),
        ("throttled", "rules[0] must be an object whose kind is one of throttled, unavailable"),
        ({"kind": "lost_reply", "call": "run-later"}, "rules[0].call must be one of any, run-now"),
        ({"kind": "lost_reply", "count": 0}, "rules[0].count must be a whole number from 1"),
        ({"kind": "lost_reply", "skip": -1}, "rules[0].skip must be a whole number from 0"),
        ({"kind": "lost_reply", "probability": 1.5}, "rules[0].probability must be a number from 0 to 1"),
        ({"kind": "lost_reply", "when": "now"}, "unknown fields: when; allowed are kind, call"),
        ({"kind": "stall", "parameters": {"seconds": 1e9}}, "parameters.seconds must be a number from 0 to 600"),
        ({"kind": "stall", "parameters": {"minutes": 1}}, "unknown names: minutes; stall has: seconds, when"),
        ({"kind": "expired_token", "parameters": {"status": 418}}, "parameters.status must be one of 401, 403"),
        ({"kind": "worker_kill", "call": "run-now"}, "worker_kill strikes a task and not a call"),
    ],
)
def test_a_bad_rule_is_refused_with_what_is_allowed_and_changes_nothing(faults: Faults, rule: Any, said: str) -> None:
    faults.set({"kind": "throttled", "call": "cancel"})
    for method in ("PUT", "POST"):
        response = faults.http.request(method, FAULTS, json={"rules": [rule]})
        assert response.status_code == 400
        assert said in response.json()["message"]
    assert [one["kind"] for one in faults.rules()] == ["throttled"]


def test_every_preset_is_a_rule_that_may_be_set(faults: Faults) -> None:
    for preset in presets():
        told = faults.set(preset["rule"])["rules"]
        assert [rule | preset["rule"] for rule in told] == told
        assert [rule["kind"] for rule in faults.set(*told)["rules"]] == [preset["rule"]["kind"]]


# When a rule fires.


def test_a_rule_skips_fires_so_often_and_then_rests(staged: Served, faults: Faults) -> None:
    faults.set({"kind": "unavailable", "call": "runs/list", "skip": 1, "count": 2})
    seen = [staged.http.get(LIST).status_code for _ in range(5)]
    assert seen == [200, 503, 503, 200, 200]
    [rule] = faults.rules()
    assert (rule["seen"], rule["hits"], rule["active"]) == (3, 2, False)


def test_the_same_seed_throws_the_same_dice(staged: Served, faults: Faults) -> None:
    def pattern(seed: int) -> list[int]:
        faults.set({"kind": "unavailable", "call": f"GET {LIST}", "count": None, "probability": 0.5, "seed": seed})
        return [staged.http.get(LIST).status_code for _ in range(40)]

    first = pattern(7)
    assert set(first) == {200, 503}
    assert pattern(7) == first
    assert pattern(8) != first


def test_a_rule_is_about_its_call_only_and_never_about_the_switchboard(staged: Served, faults: Faults) -> None:
    faults.set({"kind": "unavailable", "call": "runs/list", "count": None})
    assert staged.http.get(LIST).status_code == 503
    assert staged.http.post(LIST).status_code != 503
    assert staged.http.get("/api/2.2/jobs/list").status_code == 200
    faults.set({"kind": "unavailable", "count": None})
    assert staged.http.get("/api/2.2/jobs/list").status_code == 503
    assert staged.http.get("/api/local/health").status_code == 200
    assert staged.http.get("/").status_code == 200


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        ("run-now", "POST", "/api/2.1/jobs/run-now"),
        ("submit", "POST", "/api/2.2/jobs/runs/submit"),
        ("cancel", "POST", "/api/2.2/jobs/runs/cancel"),
        ("repair", "POST", "/api/2.2/jobs/runs/repair"),
        ("runs/get", "GET", "/api/2.0/jobs/runs/get"),
        ("get-output", "GET", "/api/2.2/jobs/runs/get-output"),
        ("clusters", "GET", "/api/2.1/clusters/list"),
        ("statements", "POST", "/api/2.0/sql/statements"),
        ("statements", "GET", "/api/2.0/sql/statements/01ef/result/chunks/1"),
        ("files", "PUT", "/api/2.0/fs/files/Volumes/a/b/c/d.json"),
        ("me", "GET", "/api/2.0/preview/scim/v2/Me"),
    ],
)
def test_every_name_stands_for_a_call_of_the_api(staged: Served, call: str, method: str, path: str) -> None:
    assert matches(call, method, path)
    assert not matches(call, method, path.replace("/api/", "/api/local/"))
    assert staged.http.request(method, path).status_code != 501


def test_a_rule_for_a_while_is_over_by_itself(staged: Served, faults: Faults) -> None:
    faults.set({"kind": "expired_token", "count": None, "for_s": 0.2})
    assert staged.http.get(LIST).status_code == 401
    until(lambda: staged.http.get(LIST).status_code == 200)
    assert faults.rules()[0]["active"] is False


def test_without_the_token_nobody_uses_up_a_fault(staged: Served, faults: Faults) -> None:
    faults.set({"kind": "unavailable", "call": "runs/list"})
    assert httpx.get(staged.host + LIST).status_code == 401
    assert staged.http.get(LIST).status_code == 503


# What callers see, and what was really done.


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [("throttled", 429, 0), ("unavailable", 503, 0), ("expired_token", 401, 0), ("unavailable_after_work", 503, 1)],
)
def test_a_refusal_says_so_and_the_work_is_done_or_not_as_its_kind_says(
    api: Jobs, faults: Faults, kind: str, status: int, done: int
) -> None:
    job_id = api.create([task("bronze")])
    faults.set({"kind": kind, "call": "run-now"})
    assert "a fault that was asked for" in api.post("run-now", status, job_id=job_id, idempotency_token="t")["message"]
    assert len(runs_of(api, job_id)) == done
    run_id = api.run(job_id, idempotency_token="t")
    assert runs_of(api, job_id) == [run_id]


def test_a_throttle_names_its_pause(staged: Served, faults: Faults) -> None:
    faults.set({"kind": "throttled", "call": "runs/list", "parameters": {"retry_after_s": 7}})
    refused = staged.http.get(LIST)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert refused.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert refused.headers["x-databricks-org-id"]


def test_a_lost_reply_closes_the_connection_after_the_work(api: Jobs, staged: Served, faults: Faults) -> None:
    job_id = api.create([task("bronze")])
    faults.set({"kind": "lost_reply", "call": "run-now"})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        staged.http.post("/api/2.2/jobs/run-now", json={"job_id": job_id, "idempotency_token": "t"})
    assert faults.hits() == [1]
    [run_id] = runs_of(api, job_id)
    assert api.run(job_id, idempotency_token="t") == run_id


@pytest.mark.parametrize("when", ["before_work", "after_work"])
def test_a_stalled_call_is_worked_on_in_full_although_its_caller_has_left(
    api: Jobs, staged: Served, faults: Faults, when: str
) -> None:
    job_id = api.create([task("bronze")])
    faults.set({"kind": "stall", "call": "run-now", "parameters": {"seconds": 0.5, "when": when}})
    with pytest.raises(httpx.ReadTimeout):
        staged.http.post("/api/2.2/jobs/run-now", json={"job_id": job_id}, timeout=0.2)
    if when == "after_work":
        assert faults.hits() == [1]
        assert len(runs_of(api, job_id)) == 1
    until(lambda: len(runs_of(api, job_id)) == 1)


def test_a_body_is_cut_off_or_looks_whole_and_is_not(staged: Served, faults: Faults) -> None:
    faults.set({"kind": "truncated_body", "call": "me"})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        staged.http.get("/api/2.0/preview/scim/v2/Me")
    faults.set({"kind": "truncated_body", "call": "me", "parameters": {"framing": "whole"}})
    half = staged.http.get("/api/2.0/preview/scim/v2/Me")
    assert half.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        half.json()
    assert staged.http.get("/api/2.0/preview/scim/v2/Me").json()["active"] is True


def test_a_stale_read_gives_the_answer_from_before_once(api: Jobs, faults: Faults, stage: Stage) -> None:
    gate = threading.Event()
    stage.parts["/nb/bronze"] = held(gate)
    run_id = api.run(api.create([task("bronze")]))
    faults.set({"kind": "stale_read", "call": "runs/get", "skip": 1})
    api.until_task(run_id, "bronze", "RUNNING")
    faults.set({"kind": "stale_read", "call": "runs/get"})
    running = api.read(run_id)
    gate.set()
    until(lambda: not api.get("runs/list", active_only="true").get("runs"))
    assert api.read(run_id) == running
    assert final(api.read(run_id)) == ("TERMINATED", "SUCCESS")
    assert faults.hits() == [1]


@pytest.mark.parametrize("field", ["life_cycle_state", "result_state"])
def test_a_state_that_nobody_knows_is_told_of_runs_and_tasks(api: Jobs, faults: Faults, field: str) -> None:
    run_id = api.run(api.create([task("bronze")]))
    truth = api.ended(run_id)
    faults.set({"kind": "unknown_state", "call": "runs", "parameters": {"field": field, "value": "NAPPING"}})
    told = api.read(run_id)
    assert told["state"][field] == "NAPPING"
    assert tasks_of(told)["bronze"]["state"][field] == "NAPPING"
    assert told["status"]["state"] == ("NAPPING" if field == "life_cycle_state" else "TERMINATED")
    assert api.read(run_id) == truth


def test_the_sdk_meets_the_faults_as_it_would_meet_those_of_databricks(staged: Served, faults: Faults) -> None:
    config = Config(host=staged.host, token=TOKEN, retry_timeout_seconds=30, http_timeout_seconds=5)
    sdk = WorkspaceClient(config=config)
    faults.set({"kind": "throttled", "call": "me", "parameters": {"retry_after_s": 1}})
    assert sdk.current_user.me().active is True  # the SDK waits and asks again by itself
    assert faults.hits() == [1]
    faults.set({"kind": "expired_token", "call": "me", "parameters": {"status": 403}})
    with pytest.raises(PermissionDenied, match="expired"):
        sdk.current_user.me()


# Compute.


def test_a_slow_cluster_start_is_shown_and_then_the_run_goes_on(api: Jobs, faults: Faults) -> None:
    faults.set({"kind": "slow_cluster_start", "parameters": {"seconds": 0.3}})
    run_id = api.run(api.create([task("bronze")]))
    waiting = api.until_task(run_id, "bronze", "PENDING")
    assert waiting["state"]["state_message"] == "Waiting for cluster"
    run = api.ended(run_id)
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert run["tasks"][0]["setup_duration"] >= 300
    assert faults.hits() == [1]


def test_a_cluster_that_does_not_start_fails_the_run_with_its_reason(api: Jobs, faults: Faults) -> None:
    faults.set({"kind": "failed_cluster_start", "parameters": {"message": "The region is full."}})
    job_id = api.create([task("bronze")])
    run = api.ended(api.run(job_id))
    assert final(run) == ("INTERNAL_ERROR", "FAILED")
    assert "The region is full." in run["state"]["state_message"]
    assert final(api.ended(api.run(job_id))) == ("TERMINATED", "SUCCESS")


@pytest.mark.parametrize("after_s", [0, 0.05])
def test_only_the_worker_of_the_chosen_task_is_killed(api: Jobs, faults: Faults, stage: Stage, after_s: float) -> None:
    stage.parts["/nb/silver"] = held(threading.Event())
    faults.set({"kind": "worker_kill", "parameters": {"task_key": "silver", "after_s": after_s}})
    run = api.ended(api.run(api.create([task("bronze"), task("silver", "bronze")])))
    assert tasks_of(run)["bronze"]["state"]["result_state"] == "SUCCESS"
    assert tasks_of(run)["silver"]["state"]["result_state"] == "FAILED"
    assert faults.hits() == [1]


def test_a_killed_worker_is_really_killed_and_the_next_run_is_well(live: Program) -> None:
    client = live.client()
    http = httpx.Client(base_url=live.host, headers={"Authorization": f"Bearer {live.token}"})
    with http:
        Faults(http).set({"kind": "worker_kill", "parameters": {"task_key": "nap"}})
        put_notebook(client, "/live/nap", "import time\ntime.sleep(600)")
        run = ended(client, start(client, notebook_task("nap")))
        assert "SIGKILL" in (output(client, run, "nap").error or "")
        assert Faults(http).hits() == [1]
        put_notebook(client, "/live/nap", "dbutils.notebook.exit('rested')")
        run = ended(client, start(client, notebook_task("nap")))
        told = output(client, run, "nap").notebook_output
        assert told is not None
        assert told.result == "rested"
        http.delete(FAULTS)


# People are told.


def test_the_pages_of_people_are_told_what_is_switched_on(staged: Served, faults: Faults) -> None:
    notice = staged.host + "/api/local/faults/notice"
    assert httpx.get(notice).json() == {"active": []}
    faults.set({"kind": "lost_reply", "call": "run-now"}, {"kind": "worker_kill"})
    assert httpx.get(notice).json() == {"active": ["lost_reply (run-now)", "worker_kill (task)"]}
