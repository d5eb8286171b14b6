"""The developer drawer's calls, passed on to the real local workspace."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.store.schema import audit
from backend.tests.api.test_pipeline import pipeline
from backend.tests.conftest import LocalWorkspace
from backend.tests.support.backend import running_backend

FAULTS = "/api/local/faults"
# No call of the poller, which goes on meanwhile, is one of these.
LOST = {"kind": "lost_reply", "call": "run-now", "count": 2}
ADMIN, OPERATOR = "admin-token-0123456789", "operator-token-0123456789"


async def test_rules_are_set_counted_and_cleared_and_every_change_is_audited(
    local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    async with running_backend(tmp_path, local_workspace.host, local_workspace.token, kind="local") as backend:
        told = (await backend.http.get(FAULTS)).json()
        assert told["rules"] == []
        assert "lost-reply" in {preset["name"] for preset in told["presets"]}
        [rule] = (await backend.http.put(FAULTS, json={"rules": [LOST]})).json()["rules"]
        assert {name: rule[name] for name in ("kind", "call", "count", "hits", "active")} == {
            **LOST,
            "hits": 0,
            "active": True,
        }
        there = await backend.app.state.workspace.get(FAULTS)
        assert there["rules"] == [rule]
        preset = next(one["rule"] for one in told["presets"] if one["name"] == "worker-kill")  # the poller meets none
        [first, second] = (await backend.http.post(FAULTS, json={"rules": [preset]})).json()["rules"]
        assert first == rule
        assert (await backend.http.delete(FAULTS, params={"id": first["id"]})).json()["rules"] == [second]
        missing = await backend.http.delete(FAULTS, params={"id": first["id"]})
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
        assert (await backend.http.delete(FAULTS)).json()["rules"] == []
        async with backend.app.state.journal.read() as db:
            rows = (
                await db.execute(select(audit.c.who, audit.c.action, audit.c.what).order_by(audit.c.audit_id))
            ).all()
        assert [row.action for row in rows] == ["set_faults", "add_faults", *["clear_faults"] * 3]
        assert rows[0].who == "local"
        assert rows[0].what == {"rules": [LOST]}


async def test_what_the_workspace_does_not_allow_is_told_in_its_words(
    local_workspace: LocalWorkspace, tmp_path: Path
) -> None:
    async with running_backend(tmp_path, local_workspace.host, local_workspace.token, kind="local") as backend:
        for method in ("PUT", "POST"):
            refused = await backend.http.request(method, FAULTS, json={"rules": [{"kind": "earthquake"}]})
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
            assert "kind is one of throttled" in refused.json()["message"]
        assert (await backend.http.get(FAULTS)).json()["rules"] == []


async def test_only_an_admin_may_look_and_set(local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    tokens = f"ann:admin:{ADMIN},olga:operator:{OPERATOR}"
    async with running_backend(
        tmp_path, local_workspace.host, local_workspace.token, kind="local", petinsure_api_tokens=tokens
    ) as backend:
        for method in ("GET", "PUT", "POST", "DELETE"):
            body = {"json": {"rules": []}} if method in ("PUT", "POST") else {}
            refused = await backend.http.request(method, FAULTS, auth=("", OPERATOR), **body)
            assert (refused.status_code, refused.json()["code"]) == (403, "role_not_sufficient")
            allowed = await backend.http.request(method, FAULTS, auth=("", ADMIN), **body)
            assert allowed.status_code == 200


async def test_a_databricks_has_no_switchboard(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as (backend, workspace):
        refused = await backend.http.get(FAULTS)
        assert (refused.status_code, refused.json()["code"]) == (404, "no_fault_switchboard")
        assert (await backend.http.put(FAULTS, json={"rules": [LOST]})).status_code == 404
        assert not workspace.sent(FAULTS)
