"""The one module that talks to Databricks.

Authentication is the SDK's (`Config.authenticate`: tokens, OAuth, Azure, CLI profiles), the endpoints are those the SDK
uses, but requests go out over our own HTTP session: the SDK repeats POSTs on 429, 503 and lost connections for
300 s, so one click could be several wire calls and a throttle would stay hidden. Here one call is one request.
Answers of runs stay raw dictionaries: the SDK's typed objects turn unknown states into None.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import orjson

from app.domain.clock import Clock
from app.domain.errors import (
    SubmissionInDoubt,
    WorkspaceProtocolError,
    WorkspaceRejected,
    WorkspaceUnauthorized,
    WorkspaceUnreachable,
)
from app.services.call_gate import CallGate
from app.services.workspace_answers import (
    DirectoryEntry,
    Identity,
    StartedRun,
    StatementResult,
    is_server_fault,
    never_sent,
    refusal,
    retry_after,
    transport_fault,
)

if TYPE_CHECKING:
    from databricks.sdk.core import Config

JOBS = "/api/2.2/jobs"
MAX_PAGES = 200
PAGED_ARRAYS = ("tasks", "job_parameters", "job_clusters", "repair_history", "parameters")
# Below the idle timeout of common servers and balancers, so that a request seldom meets a connection just closed.
KEEPALIVE_S = 4.0


@cache
def _trusted(trust_env: bool) -> ssl.SSLContext:
    """The authorities httpx trusts by itself; reading them takes longer than making everything else of a client."""
    return httpx.create_ssl_context(trust_env=trust_env)


class DatabricksWorkspace:
    """A workspace over its REST API; whether it is Azure Databricks or the local one makes no difference here.

    `config` is made in a thread on first use, because the SDK's Config itself calls the workspace. There the SDK is
    imported, too: that takes longer than all the rest of a start, and a page needs none of it.
    """

    def __init__(
        self,
        *,
        host: str,
        config: Callable[[], Config],
        executor: Executor,
        clock: Clock,
        timeout_s: float = 30.0,
        on_call: Callable[[str, str], None] = lambda _endpoint, _outcome: None,
        gate: CallGate | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.host = (host if "://" in host else f"https://{host}").rstrip("/")
        self._make_config = config
        self._config: Config | None = None
        self._signing_in = threading.Lock()
        self._lasting_headers: dict[str, str] | None = None
        self._executor = executor
        self._clock = clock
        self._on_call = on_call
        self._gate = gate or CallGate(clock)
        self._org_id: str | None = None
        trust_env = not self.host.startswith("http://127.0.0.1")
        self._http = httpx.AsyncClient(
            base_url=self.host,
            verify=_trusted(trust_env),
            timeout=httpx.Timeout(timeout_s, connect=min(5.0, timeout_s)),
            limits=httpx.Limits(max_connections=20, keepalive_expiry=KEEPALIVE_S),
            headers={"User-Agent": "petinsure360"},
            trust_env=trust_env,
            transport=transport,
        )

    async def aclose(self) -> None:
        """Close the session."""
        await self._http.aclose()

    # Plain calls ---------------------------------------------------------------------------------------------------

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET a JSON object. Raises WorkspaceError; nothing was changed in any case."""
        return self._json(await self._send("GET", path, query=query, repeatable=True), repeatable=True)

    async def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> dict[str, Any]:
        """POST once. Raises SubmissionInDoubt where the work may be done; `repeatable` says that this is harmless."""
        response = await self._send("POST", path, body=body, repeatable=repeatable)
        return self._json(response, repeatable=repeatable)

    async def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """PUT a JSON object; repeating it changes nothing more."""
        return self._json(await self._send("PUT", path, body=body, repeatable=True), repeatable=True)

    async def delete(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """DELETE; repeating it changes nothing more."""
        return self._json(await self._send("DELETE", path, query=query, repeatable=True), repeatable=True)

    # Jobs ----------------------------------------------------------------------------------------------------------

    async def run_job(
        self,
        job_id: int,
        *,
        idempotency_token: str,
        only: Sequence[str] = (),
        job_parameters: Mapping[str, str] | None = None,
        notebook_params: Mapping[str, str] | None = None,
    ) -> StartedRun:
        """Start a run of a job and return its run_id; `only` names the tasks (none = all).

        At most one run starts per token, so resending after SubmissionInDoubt is safe.
        Raises: SubmissionInDoubt, WorkspaceThrottled, WorkspaceUnreachable, WorkspaceUnauthorized, WorkspaceRejected.
        Source: Jobs API 2.2, run-now (documented).
        """
        body: dict[str, Any] = {
            "job_id": job_id,
            "idempotency_token": idempotency_token,
            "queue": {"enabled": True},
        }
        if only:
            body["only"] = list(only)
        if job_parameters:
            body["job_parameters"] = dict(job_parameters)
        if notebook_params:
            body["notebook_params"] = dict(notebook_params)
        return self._started(await self.post(f"{JOBS}/run-now", body), job_id)

    async def run_notebook(
        self,
        notebook_path: str,
        parameters: Mapping[str, str],
        *,
        idempotency_token: str,
        task_key: str = "notebook",
        cluster_id: str | None = None,
    ) -> StartedRun:
        """Run one notebook by itself (runs/submit with one task). Same promise as `run_job`."""
        task: dict[str, Any] = {
            "task_key": task_key,
            "notebook_task": {"notebook_path": notebook_path, "base_parameters": dict(parameters)},
        }
        if cluster_id:
            task["existing_cluster_id"] = cluster_id
        run_name = f"PetInsure360 notebook {idempotency_token}"
        return await self.submit_run(run_name, [task], idempotency_token=idempotency_token)

    async def submit_run(
        self, run_name: str, tasks: Sequence[Mapping[str, Any]], *, idempotency_token: str
    ) -> StartedRun:
        """Start a one-time run of tasks without a job. Same promise as `run_job`. Source: Jobs API 2.2, runs/submit."""
        body = {
            "run_name": run_name,
            "tasks": [dict(task) for task in tasks],
            "idempotency_token": idempotency_token,
            "queue": {"enabled": True},
        }
        return self._started(await self.post(f"{JOBS}/runs/submit", body), None)

    async def get_run_status(self, run_id: int, *, include_history: bool = False) -> dict[str, Any]:
        """The run as the workspace tells it, all pages of its tasks joined (2.2 gives 100 at a time)."""
        query: dict[str, Any] = {"run_id": run_id}
        if include_history:
            query["include_history"] = "true"
        return await self._paged_object(f"{JOBS}/runs/get", query)

    async def get_run_output(self, task_run_id: int) -> dict[str, Any]:
        """Result, error and trace of one task run. A run of several tasks has none of its own (400)."""
        return await self.get(f"{JOBS}/runs/get-output", {"run_id": task_run_id})

    async def cancel_run(self, run_id: int) -> None:
        """Ask for cancellation. It is done when the workspace says so, not when this returns. Repeating is harmless."""
        await self.post(f"{JOBS}/runs/cancel", {"run_id": run_id}, repeatable=True)

    async def repair_run(
        self,
        run_id: int,
        *,
        latest_repair_id: int | None,
        rerun_tasks: Sequence[str] = (),
    ) -> int:
        """Run again what failed (or the tasks named, with all that follow them) and return the repair_id.

        Not idempotent: after SubmissionInDoubt read repair_history, never resend blindly.
        """
        body: dict[str, Any] = {"run_id": run_id}
        if rerun_tasks:
            body |= {"rerun_tasks": list(rerun_tasks), "rerun_dependent_tasks": True}
        else:
            body["rerun_all_failed_tasks"] = True
        if latest_repair_id is not None:
            body["latest_repair_id"] = latest_repair_id
        answer = await self.post(f"{JOBS}/runs/repair", body)
        return _identifier(answer, "repair_id")

    async def list_runs(
        self,
        *,
        job_id: int | None = None,
        active_only: bool = False,
        run_type: str | None = None,
        page_token: str | None = None,
        limit: int = 25,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """One page of runs with their tasks, newest start first, and the token of the next page."""
        query: dict[str, Any] = {"limit": limit, "expand_tasks": "true"}
        wanted = {"job_id": job_id, "run_type": run_type, "page_token": page_token}
        query |= {name: value for name, value in wanted.items() if value is not None}
        if active_only:
            query["active_only"] = "true"
        answer = await self.get(f"{JOBS}/runs/list", query)
        return list(answer.get("runs") or []), answer.get("next_page_token") or None

    async def get_job(self, job_id: int) -> dict[str, Any]:
        """The job with its settings, all pages of tasks and parameters joined."""
        return await self._paged_object(f"{JOBS}/get", {"job_id": job_id}, within="settings")

    async def find_job_by_tag(self, name: str, value: str) -> int | None:
        """The job_id of the job that carries the tag, or None. The newest, should there be several."""
        token: str | None = None
        for _ in range(MAX_PAGES):
            query: dict[str, Any] = {"limit": 100} | ({"page_token": token} if token else {})
            answer = await self.get(f"{JOBS}/list", query)
            for job in answer.get("jobs") or []:
                if ((job.get("settings") or {}).get("tags") or {}).get(name) == value:
                    return _identifier(job, "job_id")
            token = answer.get("next_page_token") or None
            if token is None:
                return None
        return None

    async def get_cluster(self, cluster_id: str) -> dict[str, Any]:
        """The cluster with its state."""
        return await self.get("/api/2.1/clusters/get", {"cluster_id": cluster_id})

    # Files of volumes ----------------------------------------------------------------------------------------------

    async def read_file(self, path: str) -> bytes:
        """The whole file. A missing one is WorkspaceRejected with status 404."""
        return (await self._send("GET", f"/api/2.0/fs/files{quote(path)}", repeatable=True)).content

    async def write_file(self, path: str, content: bytes) -> None:
        """Write or replace the file, with the folders above it."""
        target = f"/api/2.0/fs/files{quote(path)}"
        try:
            await self._send("PUT", target, query={"overwrite": "true"}, content=content, repeatable=True)
        except WorkspaceRejected as fault:
            if fault.status != 404:
                raise
            await self.make_directory(path.rsplit("/", 1)[0])
            await self._send("PUT", target, query={"overwrite": "true"}, content=content, repeatable=True)

    async def make_directory(self, path: str) -> None:
        """Make the folder and those above it; an existing one is fine."""
        await self._send("PUT", f"/api/2.0/fs/directories{quote(path)}", repeatable=True)

    async def list_directory(self, path: str) -> list[DirectoryEntry]:
        """Every entry of the folder (not of those below). A missing folder is WorkspaceRejected with status 404."""
        entries: list[DirectoryEntry] = []
        token: str | None = None
        for _ in range(MAX_PAGES):
            query = {"page_token": token} if token else None
            answer = await self.get(f"/api/2.0/fs/directories{quote(path)}", query)
            entries += [_entry(item) for item in answer.get("contents") or []]
            token = answer.get("next_page_token") or None
            if token is None:
                break
        return entries

    # SQL -----------------------------------------------------------------------------------------------------------

    async def list_warehouses(self) -> list[dict[str, Any]]:
        """The SQL warehouses this user may see."""
        return list((await self.get("/api/2.0/sql/warehouses")).get("warehouses") or [])

    async def execute_statement(
        self,
        statement: str,
        *,
        warehouse_id: str,
        catalog: str | None = None,
        parameters: Sequence[Mapping[str, Any]] = (),
        timeout_s: float = 120.0,
    ) -> StatementResult:
        """Run one statement to its end and return all its rows. Names without a catalog are looked up in `catalog`.

        `statement` is a constant of ours; values travel as `parameters` ({name, value, type}).
        Raises WorkspaceRejected when the statement fails, WorkspaceUnreachable when it is not done in time.
        """
        body = {
            "statement": statement,
            "warehouse_id": warehouse_id,
            "wait_timeout": "10s",
            "on_wait_timeout": "CONTINUE",
            "disposition": "INLINE",
            "format": "JSON_ARRAY",
            "parameters": [dict(one) for one in parameters],
        }
        if catalog is not None:
            body["catalog"] = catalog
        answer = await self.post("/api/2.0/sql/statements", body, repeatable=True)
        answer = await self._finished_statement(answer, timeout_s)
        columns = ((answer.get("manifest") or {}).get("schema") or {}).get("columns") or []
        rows = await self._all_chunks(str(answer.get("statement_id")), answer.get("result") or {})
        names = tuple(str(column["name"]) for column in columns)
        return StatementResult(names, rows, tuple(str(column.get("type_name") or "STRING") for column in columns))

    async def _finished_statement(self, answer: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        deadline = self._clock.monotonic() + timeout_s
        pause_s = 0.1
        while (state := (answer.get("status") or {}).get("state")) in ("PENDING", "RUNNING"):
            if self._clock.monotonic() > deadline:
                raise WorkspaceUnreachable(f"The SQL statement was not done after {timeout_s:.0f} s.")
            await self._clock.sleep(pause_s)
            pause_s = min(2.0, pause_s * 2)
            answer = await self.get(f"/api/2.0/sql/statements/{answer['statement_id']}")
        if state != "SUCCEEDED":
            error = (answer.get("status") or {}).get("error") or {}
            words = str(error.get("message") or f"The SQL statement ended as {state}.")
            raise WorkspaceRejected(words, status=400, error_code=error.get("error_code"))
        return answer

    async def _all_chunks(self, statement_id: str, result: dict[str, Any]) -> list[list[str | None]]:
        rows: list[list[str | None]] = list(result.get("data_array") or [])
        following = result.get("next_chunk_index")
        while following is not None:
            path = f"/api/2.0/sql/statements/{statement_id}/result/chunks/{following}"
            result = await self.get(path)
            rows += result.get("data_array") or []
            following = result.get("next_chunk_index")
        return rows

    # Identity ------------------------------------------------------------------------------------------------------

    async def identity(self) -> Identity:
        """Which workspace answers at the address now. Source: X-Databricks-Org-Id of SCIM Me, as the SDK reads it."""
        response = await self._send("GET", "/api/2.0/preview/scim/v2/Me", repeatable=True)
        user = self._json(response, repeatable=True).get("userName")
        known = self._config.workspace_id if self._config else None
        workspace_id = str(self._org_id or known or self.host)
        return Identity(workspace_id=workspace_id, user_name=str(user) if user else None)

    def job_url(self, job_id: int | None, run_id: int) -> str | None:
        """The run page's address in the Databricks shape, where enough is known to make it."""
        if job_id is None or self._org_id is None:
            return None
        return f"{self.host}/?o={self._org_id}#job/{job_id}/run/{run_id}"

    # The wire ------------------------------------------------------------------------------------------------------

    async def _send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One request, one answer; never repeated here."""
        endpoint = _endpoint(path)
        await self._gate.enter(endpoint)
        try:
            headers = await self._authenticate()
            response = await self._http.request(
                method, path, params=query, json=None if body is None else dict(body), content=content, headers=headers
            )
        except httpx.TransportError as fault:
            self._on_call(f"{method} {endpoint}", type(fault).__name__)
            told = transport_fault(fault, host=self.host, repeatable=repeatable)
            self._gate.failed(endpoint, connection=never_sent(fault), reason=told.message)
            raise told from fault
        except BaseException:
            self._gate.left(endpoint)
            raise
        self._on_call(f"{method} {endpoint}", "ok" if response.is_success else str(response.status_code))
        self._org_id = response.headers.get("x-databricks-org-id", self._org_id)
        self._note(endpoint, response)
        if not response.is_success:
            raise refusal(response, repeatable=repeatable)
        return response

    def _note(self, endpoint: str, response: httpx.Response) -> None:
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._gate.throttled(endpoint, retry_after(response))
        elif is_server_fault(response.status_code):
            words = f"The workspace answered {response.status_code} to {endpoint}."
            self._gate.failed(endpoint, connection=False, reason=words)
            self._gate.pause(endpoint, retry_after(response))
        else:
            self._gate.answered(endpoint)

    async def _authenticate(self) -> dict[str, str]:
        """The headers of this call. Only those that are renewed now and then need a thread, which may block."""
        if self._lasting_headers is None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._fresh_headers)
        return self._lasting_headers

    def _fresh_headers(self) -> dict[str, str]:
        from databricks.sdk.errors import DatabricksError

        try:
            with self._signing_in:  # the first calls come together, and the SDK is not made to begin twice at once
                if self._config is None:
                    self._config = self._make_config()
            headers: dict[str, str] = self._config.authenticate()
            if getattr(self._config, "auth_type", None) == "pat":  # a personal access token, the same at every call
                self._lasting_headers = headers
            return headers
        except DatabricksError as fault:
            raise WorkspaceUnauthorized("The workspace refused the credentials.") from fault
        except ValueError as fault:
            raise WorkspaceUnauthorized("No usable Databricks credentials; see `petinsure360 doctor`.") from fault
        except OSError as fault:
            raise WorkspaceUnreachable(f"The credentials could not be renewed ({type(fault).__name__}).") from fault

    def _json(self, response: httpx.Response, *, repeatable: bool) -> dict[str, Any]:
        """The body as an object; an empty one counts as `{}` (some calls answer so)."""
        if not response.content.strip():
            return {}
        with suppress(ValueError):
            parsed = _parsed(response)
            if isinstance(parsed, dict):
                return parsed
        words = f"The answer of {_endpoint(response.request.url.path)} is not a JSON object."
        raise WorkspaceProtocolError(words) if repeatable else SubmissionInDoubt(words)

    async def _paged_object(self, path: str, query: dict[str, Any], *, within: str | None = None) -> dict[str, Any]:
        whole = await self.get(path, query)
        page = whole
        for _ in range(MAX_PAGES):
            token = page.get("next_page_token")
            if not token:
                break
            page = await self.get(path, {**query, "page_token": token})
            target, source = (whole, page) if within is None else (whole[within], page.get(within) or {})
            for name in PAGED_ARRAYS:
                if source.get(name):
                    target[name] = [*(target.get(name) or []), *source[name]]
        whole.pop("next_page_token", None)
        return whole

    def _started(self, answer: dict[str, Any], job_id: int | None) -> StartedRun:
        try:
            run_id = _identifier(answer, "run_id")
        except WorkspaceProtocolError as fault:
            raise SubmissionInDoubt("The workspace took the run but its answer names no run_id.") from fault
        url = answer.get("run_view_url") or answer.get("run_page_url") or self.job_url(job_id, run_id)
        return StartedRun(run_id=run_id, job_url=url, workspace_id=self._org_id)

    @property
    def answered_as(self) -> str | None:
        """The id of the workspace that gave the last answer, where it told."""
        return self._org_id


def _parsed(response: httpx.Response) -> Any:
    """Rows of a statement are megabytes, and nobody is served while they are parsed: the quick way first."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return response.json()


def _identifier(answer: Mapping[str, Any], name: str) -> int:
    """An int64 id; some servers send it as text."""
    try:
        return int(answer[name])
    except (KeyError, TypeError, ValueError) as fault:
        raise WorkspaceProtocolError(f"The answer has no usable {name}.") from fault


def _entry(item: Mapping[str, Any]) -> DirectoryEntry:
    modified = item.get("last_modified")
    path = str(item.get("path") or "")
    return DirectoryEntry(
        path=path,
        name=str(item.get("name") or path.rstrip("/").rsplit("/", 1)[-1]),
        is_directory=bool(item.get("is_directory")),
        size_bytes=item.get("file_size"),
        modified_at=datetime.fromtimestamp(int(modified) / 1000, UTC) if modified else None,
    )


def _endpoint(path: str) -> str:
    """The path without ids and names, bounded in number for metrics."""
    for prefix in ("/api/2.0/fs/files", "/api/2.0/fs/directories", "/api/2.0/sql/statements", "/api/2.1/unity-catalog"):
        if path.startswith(prefix):
            return prefix
    return path
