"""A Databricks workspace that plays recorded answers over real HTTP, and can be told to misbehave.

It keeps the promises of the contract that matter here (idempotency tokens, run ids) and counts every request on the
wire. What it does is decided by tests: a run shows one recorded look after the other.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from backend.tests.support.waiting import until

FIXTURES = Path(__file__).parents[3] / "fixtures" / "databricks"
WORKSPACE_ID = "7405619408519767"
TOKEN = "dapi-recorded"
RUN_NOW = "/api/2.2/jobs/run-now"
SUBMIT = "/api/2.2/jobs/runs/submit"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Fault:
    """`works`: the request has its effect before the fault shows. Without a status the connection is closed."""

    status: int | None
    works: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=lambda: {"error_code": "FAULT", "message": "as told"})


LOST_REPLY = Fault(None, works=True)
UNAVAILABLE_AFTER_WORK = Fault(503, works=True)
THROTTLED = Fault(429, headers={"Retry-After": "1"}, body={"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow"})


class Refusal(Exception):
    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error_code": error_code, "message": message}


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


class RecordedWorkspace:
    def __init__(self) -> None:
        self.workspace_id = WORKSPACE_ID
        self.calls: list[Call] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.jobs: dict[int, dict[str, Any]] = {}
        self.looks: dict[int, list[dict[str, Any]]] = {}
        self.place: dict[int, int] = defaultdict(int)
        self.outputs: dict[int, dict[str, Any]] = {}
        self.tokens: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        self.next_look: list[dict[str, Any]] = []
        self.repairs: list[int] = []
        self.hidden: set[int] = set()
        self.more: dict[str, Callable[[Call], Any]] = {}  # answers of further calls, by path
        self.host = ""
        self._writers: set[asyncio.StreamWriter] = set()

    # What tests tell it ---------------------------------------------------------------------------------------------

    def has_job(self, raw: dict[str, Any]) -> None:
        self.jobs[raw["job_id"]] = raw

    def next_run_shows(self, name: str) -> int:
        """The next run started here shows the recorded looks; returns its id."""
        recorded = load(name)
        self.next_look = recorded["looks"]
        self.outputs |= {int(run_id): output for run_id, output in recorded["outputs"].items()}
        return int(recorded["looks"][0]["run_id"])

    def has_run(self, looks: list[dict[str, Any]]) -> int:
        run_id = int(looks[0]["run_id"])
        self.looks[run_id] = looks
        return run_id

    def advance(self, run_id: int) -> None:
        self.place[run_id] = min(self.place[run_id] + 1, len(self.looks[run_id]) - 1)

    def sent(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    # The server -----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[RecordedWorkspace]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.host = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._writers):
                writer.close()
            await until(lambda: not self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        url = urlsplit(target)
        path = unquote(url.path)
        is_json = content[:1] in (b"{", b"[") and not path.startswith("/api/2.0/fs/")
        call = Call(method, path, dict(parse_qsl(url.query)), json.loads(content) if is_json else content)
        self.calls.append(call)
        fault = self.faults[path].popleft() if self.faults[path] else None
        answer = self._do(call) if fault is None or fault.works else (200, {})
        if fault is not None and fault.status is None:
            return False
        status, body = answer if fault is None else (fault.status, fault.body)
        self._reply(writer, status or 500, body, fault.headers if fault else {})
        await writer.drain()
        return True

    def _reply(self, writer: asyncio.StreamWriter, status: int, body: Any, headers: dict[str, str]) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", f"X-Databricks-Org-Id: {self.workspace_id}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + content)

    def _do(self, call: Call) -> tuple[int, Any]:
        try:
            return 200, self._answer(call)
        except Refusal as refusal:
            return refusal.status, refusal.body

    def _answer(self, call: Call) -> Any:
        if call.path.startswith("/api/2.0/fs/files"):
            return self._file(call)
        answers = {
            "/.well-known/databricks-config": lambda: {"workspace_id": self.workspace_id},
            "/api/2.0/preview/scim/v2/Me": lambda: {"userName": "bi@insurer.example"},
            "/api/2.2/jobs/get": lambda: self._job(call),
            "/api/2.2/jobs/list": lambda: {"jobs": list(self.jobs.values())},
            RUN_NOW: lambda: self._started(call),
            SUBMIT: lambda: self._started(call),
            "/api/2.2/jobs/runs/get": lambda: self._run(call),
            "/api/2.2/jobs/runs/list": lambda: self._listed(call),
            "/api/2.2/jobs/runs/get-output": lambda: self._output(call),
            "/api/2.2/jobs/runs/cancel": lambda: {},
            "/api/2.2/jobs/runs/repair": lambda: self._repaired(call),
        }
        answers |= {path: partial(answer, call) for path, answer in self.more.items()}
        if call.path not in answers:
            raise Refusal(404, "ENDPOINT_NOT_FOUND", f"No API found for '{call.method} {call.path}'")
        return answers[call.path]()

    def _job(self, call: Call) -> dict[str, Any]:
        job_id = int(call.query["job_id"])
        if job_id not in self.jobs:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Job {job_id} does not exist.")
        return self.jobs[job_id]

    def _started(self, call: Call) -> dict[str, Any]:
        token = call.body["idempotency_token"]
        if token not in self.tokens:
            looks = [_starting_now(look) for look in self.next_look]
            self.tokens[token] = self.has_run(looks)
        run_id = self.tokens[token]
        return {"run_id": run_id, "number_in_job": run_id}

    def _run(self, call: Call) -> dict[str, Any]:
        run_id = int(call.query["run_id"])
        if run_id not in self.looks:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Run {run_id} does not exist.")
        return _page_of_tasks(self._shown(run_id), call.query.get("page_token"))

    def _listed(self, call: Call) -> dict[str, Any]:
        job_id = call.query.get("job_id")
        shown = [self._shown(run_id) for run_id in self.looks if run_id not in self.hidden]
        shown = [run for run in shown if job_id is None or run["job_id"] == int(job_id)]
        shown.sort(key=lambda run: run["start_time"], reverse=True)
        start = int(call.query.get("page_token", 0))
        page = [_page_of_tasks(run, None) for run in shown[start : start + 25]]
        for run in page:
            run["has_more"] = run.pop("next_page_token", None) is not None
        following = {"next_page_token": str(start + 25)} if len(shown) > start + 25 else {}
        return {"runs": page, **following} if page else {}

    def _shown(self, run_id: int) -> dict[str, Any]:
        return deepcopy(self.looks[run_id][self.place[run_id]])

    def _output(self, call: Call) -> dict[str, Any]:
        run_id = int(call.query["run_id"])
        if run_id not in self.outputs:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Run {run_id} does not exist.")
        return self.outputs[run_id]

    def _repaired(self, call: Call) -> dict[str, Any]:
        self.repairs.append(int(call.body["run_id"]))
        self.advance(int(call.body["run_id"]))
        return {"repair_id": 990001}

    def _file(self, call: Call) -> Any:
        path = call.path.removeprefix("/api/2.0/fs/files")
        if call.method == "PUT":
            self.files[path] = call.body
            return {}
        if path not in self.files:
            raise Refusal(404, "NOT_FOUND", "The file being accessed is not found.")
        return self.files[path]


def _starting_now(look: dict[str, Any]) -> dict[str, Any]:
    """The recorded look with its times moved, so that the run starts at this moment."""
    moved_ms = round(time.time() * 1000) - look["start_time"]
    shown = deepcopy(look)
    for entry in (shown, *shown["tasks"], *shown.get("repair_history", ())):
        for name in ("start_time", "end_time"):
            if entry.get(name):
                entry[name] += moved_ms
    return shown


def _page_of_tasks(run: dict[str, Any], token: str | None) -> dict[str, Any]:
    start = int(token or 0)
    following = start + 100 if len(run["tasks"]) > start + 100 else None
    run["tasks"] = run["tasks"][start : start + 100]
    return run | ({"next_page_token": str(following)} if following else {})
