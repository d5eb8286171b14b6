"""Who may talk to the workspace, and what everybody else is told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import httpx
import pytest
from databricks.sdk.errors import PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from local_workspace.runs.links import RunLinks
from local_workspace.security import is_loopback, workspace_token
from local_workspace.tests.serving_app import TOKEN, Served

JOBS = "/api/2.2/jobs/list"
ME = "/api/2.0/preview/scim/v2/Me"


class SetClock:
    """A clock that shows what it was set to."""

    def __init__(self, now_ms: int) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        return self.time_ms

    async def sleep(self, seconds: float) -> None:
        self.time_ms += int(seconds * 1000)


def ask(served: Served, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """A call with these headers only."""
    return httpx.request(method, served.host + path, headers=headers, content="{}" if method == "POST" else None)


def test_without_a_token_a_call_is_unauthenticated_before_its_route_is_looked_up(staged: Served) -> None:
    for path in (JOBS, "/api/2.0/no/such/call", "/anything"):
        refused = ask(staged, path)
        assert (refused.status_code, refused.json()["error_code"]) == (401, "UNAUTHENTICATED")
        assert "x-databricks-org-id" not in refused.headers


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer", "Bearer \u00fc", f"Bearer {TOKEN}x", "Bearer x" + TOKEN])
def test_a_wrong_token_is_refused(staged: Served, value: str) -> None:
    refused = httpx.get(staged.host + JOBS, headers={b"Authorization": value.encode()})
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_bearer_and_basic_are_both_taken(staged: Served) -> None:
    assert ask(staged, JOBS, Authorization=f"Bearer {TOKEN}").status_code == 200
    assert httpx.get(staged.host + JOBS, auth=("token", TOKEN)).status_code == 200
    assert httpx.get(staged.host + JOBS, auth=("admin", TOKEN)).status_code == 401
    assert ask(staged, JOBS, Authorization="Basic !!!").status_code == 401


@pytest.mark.parametrize("path", ["/api/local/health", "/.well-known/databricks-config"])
def test_what_a_client_needs_before_it_has_a_token_is_open(staged: Served, path: str) -> None:
    assert ask(staged, path).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8471", "", "[::2]", "a@b:c"])
def test_a_foreign_host_header_is_refused_even_with_the_token(staged: Served, host: str) -> None:
    for path in (JOBS, "/api/local/health"):
        refused = ask(staged, path, Host=host, Authorization=f"Bearer {TOKEN}")
        assert refused.status_code in (400, 403)
        assert ask(staged, path, Host="localhost:1", Authorization=f"Bearer {TOKEN}").status_code == 200


@given(st.text(max_size=40))
def test_no_host_but_this_machine_passes_for_loopback(host: str) -> None:
    bare = host.lower().rpartition("@")[2]
    if not bare.startswith(("127.0.0.1", "localhost", "[::1]")):
        assert not is_loopback(host)


def test_other_web_sites_cannot_change_anything(staged: Served) -> None:
    token = f"Bearer {TOKEN}"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert ask(staged, "/api/2.2/jobs/create", "POST", Origin=origin, Authorization=token).status_code == 403
    same = ask(staged, "/api/2.2/jobs/run-now", "POST", Origin=staged.host, Authorization=token)
    assert same.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_no_answer_invites_other_web_sites(staged: Served) -> None:
    preflight = ask(staged, JOBS, "OPTIONS", Origin="https://evil.example")
    assert preflight.status_code == 401
    for response in (preflight, ask(staged, JOBS, Origin="https://evil.example", Authorization=f"Bearer {TOKEN}")):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_every_authenticated_answer_names_the_workspace(staged: Served) -> None:
    org = ask(staged, ME, Authorization=f"Bearer {TOKEN}").headers["x-databricks-org-id"]
    assert org.isdigit()
    assert int(org) < 2**53
    assert staged.sdk.get_workspace_id() == int(org)
    assert ask(staged, "/api/2.0/no/such", Authorization=f"Bearer {TOKEN}").headers["x-databricks-org-id"] == org
    assert ask(staged, "/.well-known/databricks-config").json()["workspace_id"] == org


def test_unknown_calls_and_unserved_calls_are_told_apart(staged: Served) -> None:
    unknown = staged.http.get("/api/2.0/no/such")
    assert unknown.status_code == 404
    assert unknown.json() == {
        "error_code": "ENDPOINT_NOT_FOUND",
        "message": "No API found for 'GET /api/2.0/no/such'",
    }
    assert staged.http.put("/api/2.2/jobs/create").status_code in (404, 501)
    assert staged.http.get("/api/2.0/mlflow/experiments/list").status_code == 501


def test_the_user_owns_everything(staged: Served) -> None:
    me = staged.sdk.current_user.me()
    assert me.user_name
    permissions = staged.http.get("/api/2.0/permissions/jobs/1").json()
    assert permissions["access_control_list"][0]["all_permissions"][0]["permission_level"] == "IS_OWNER"


def test_the_sdk_raises_permission_denied_for_a_wrong_token(staged: Served) -> None:
    from databricks.sdk import WorkspaceClient

    with pytest.raises(PermissionDenied):
        WorkspaceClient(host=staged.host, token="dapi-wrong").current_user.me()


def test_the_token_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "workspace.token"
    token = workspace_token(path)
    assert token.startswith("dapi")
    assert len(token) > 30
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert workspace_token(path) == token


def test_a_token_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "workspace.token"
    workspace_token(path)
    os.chmod(path, 0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        workspace_token(path)


DAY_MS = 86_400_000


def links(clock: SetClock, token: str = TOKEN) -> RunLinks:
    return RunLinks(host="http://127.0.0.1:1", workspace_id="7", token=token, clock=clock)


def key_of(url: str) -> str:
    return url.partition("#key=")[2]


def test_a_view_key_opens_its_run_for_thirty_days_and_no_other() -> None:
    clock = SetClock(20_000 * DAY_MS + 1000)
    made = links(clock)
    key = key_of(made.url(17))
    assert made.verify(17, key)
    assert not made.verify(18, key)
    assert not links(clock, "another token").verify(17, key)
    clock.time_ms += 30 * DAY_MS
    assert made.verify(17, key)
    clock.time_ms += DAY_MS
    assert not made.verify(17, key)


def test_a_link_is_the_same_all_day() -> None:
    clock = SetClock(20_000 * DAY_MS)
    morning = links(clock).url(17)
    clock.time_ms += DAY_MS - 1
    assert links(clock).url(17) == morning
    clock.time_ms += 1
    assert links(clock).url(17) != morning


@given(st.text(max_size=80))
def test_no_invented_key_opens_a_run(key: str) -> None:
    assert not links(SetClock(20_000 * DAY_MS)).verify(17, key)


def test_a_key_with_a_later_expiry_is_not_believed() -> None:
    made = links(SetClock(20_000 * DAY_MS))
    expiry, _, signature = key_of(made.url(17)).partition(".")
    assert not made.verify(17, f"{int(expiry) + 1}.{signature}")
