"""A workspace that behaves as the contract says, behind the HTTP edge and without a network, for the model tests.

It has one job with our three tasks. Its runs move only when told. Faults change what the caller sees; what was done is
done. It remembers everything it ever did, so that it can be asked what is true.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import httpx

from app.domain.layers import NOTEBOOKS, TASK_KEYS

JOB_ID = 70
RUN_NOW = "/api/2.2/jobs/run-now"
REPAIR = "/api/2.2/jobs/runs/repair"
CANCEL = "/api/2.2/jobs/runs/cancel"
LIST = "/api/2.2/jobs/runs/list"
GET = "/api/2.2/jobs/runs/get"
OUTPUT = "/api/2.2/jobs/runs/get-output"
ME = "/api/2.0/preview/scim/v2/Me"
DECLARED = ("catalog", "landing_path", "control_path", "claim_ids", "claim_ids_path", "submission_id")
NOW_ENDS = {"TERMINATED", "INTERNAL_ERROR", "SKIPPED"}


class Fault(Enum):
    """What happens to one call."""

    NO_CONNECTION = "nothing was sent"
    UNAVAILABLE = "503, nothing done"
    UNAVAILABLE_AFTER_WORK = "503, done"
    LOST_REPLY = "done, the connection breaks"
    THROTTLED = "429 with Retry-After, nothing done"
    UNREADABLE = "done, the answer is cut off"
    FORBIDDEN = "403, nothing done"


@dataclass
class Run:
    run_id: int
    submission_id: str
    only: tuple[str, ...]
    started_ms: int
    state: str = "PENDING"
    result: str | None = None
    ended_ms: int = 0
    tasks: list[dict[str, Any]] = field(default_factory=list)
    repairs: list[int] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.state not in NOW_ENDS


class SimulatedWorkspace:
    def __init__(self, now_ms: Callable[[], int], *, obeys_tokens: bool = True) -> None:
        self._now_ms = now_ms
        self._obeys_tokens = obeys_tokens  # False: as if the token were not part of the API
        self.workspace_id = "501"
        self.runs: dict[int, Run] = {}
        self.tokens: dict[str, int] = {}
        self.deleted: set[int] = set()
        self.all_started: list[tuple[int, str]] = []  # every run that ever was: (run_id, submission_id)
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.expired = False
        self.takes_its_time = False  # a canceled run goes on until `stop`
        self.held: asyncio.Event | None = None  # run-now and repair wait for it, before their work or after it
        self.held_after_work = True
        self.waiting = 0
        self.inside = 0
        self.calls: list[tuple[str, str]] = []
        self._next_id = 9_000

    # What tests tell it ---------------------------------------------------------------------------------------------

    def advance(self, run_id: int, *, fails: bool = False) -> None:
        """The next step in the life of a run: a task begins, ends, or the run ends."""
        run = self.runs[run_id]
        if not run.active:
            return
        latest = {task["task_key"]: task for task in run.tasks}
        running = next((task for task in latest.values() if task["life"] == "RUNNING"), None)
        if running is not None:
            self._end_task(running, "FAILED" if fails else "SUCCESS")
            if fails:
                for task in latest.values():
                    if task["life"] == "BLOCKED":
                        self._end_task(task, "UPSTREAM_FAILED")
                self._end(run, "FAILED")
            elif all(task["life"] in NOW_ENDS for task in latest.values()):
                self._end(run, "SUCCESS")
            return
        waiting = next((task for task in latest.values() if task["life"] == "BLOCKED"), None)
        run.state = "RUNNING"
        if waiting is not None:
            waiting |= {"life": "RUNNING", "start_time": self._now_ms()}

    def start_elsewhere(self) -> int:
        """Somebody starts the job in the workspace itself."""
        return self._start("", ())

    def repair_elsewhere(self, run_id: int) -> None:
        """Somebody repairs the run in the workspace itself."""
        run = self.runs[run_id]
        self._repair({"run_id": run_id, "latest_repair_id": run.repairs[-1] if run.repairs else None})

    def stop(self, run_id: int) -> None:
        """A run that was canceled has come to its end."""
        run = self.runs[run_id]
        for task in run.tasks:
            if task["life"] not in NOW_ENDS:
                self._end_task(task, "CANCELED")
        self._end(run, "CANCELED")

    def delete(self, run_id: int) -> None:
        del self.runs[run_id]
        self.deleted.add(run_id)

    def heal(self) -> None:
        """No more faults; what is held is let go."""
        self.faults.clear()
        self.expired = False
        if self.held is not None:
            self.held.set()
            self.held = None

    # The edge -------------------------------------------------------------------------------------------------------

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.inside += 1
        try:
            return await self._handled(request)
        finally:
            self.inside -= 1

    async def _handled(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        fault = self.faults[path].popleft() if self.faults.get(path) else None
        self.calls.append((request.method, path))
        refused = self._refusal(fault, request)
        if refused is not None:
            return refused
        held = self.held if path in (RUN_NOW, REPAIR) else None
        if held is not None and not self.held_after_work:
            await self._hold(held)
        status, body = self._answer(path, request)
        if held is not None and self.held_after_work:
            await self._hold(held)
        if fault is Fault.LOST_REPLY:
            raise httpx.ReadError("closed", request=request)
        if fault is Fault.UNAVAILABLE_AFTER_WORK:
            return self._reply(503, {"error_code": "X", "message": "as told"})
        if fault is Fault.UNREADABLE:
            return httpx.Response(200, content=json.dumps(body).encode()[:-3], headers=self._headers())
        return self._reply(status, body)

    def _refusal(self, fault: Fault | None, request: httpx.Request) -> httpx.Response | None:
        """The answer to a call that has no effect."""
        if fault is Fault.NO_CONNECTION:
            raise httpx.ConnectError("refused", request=request)
        if self.expired:
            return self._reply(401, {"error_code": "UNAUTHENTICATED", "message": "The token has expired."})
        if fault is Fault.THROTTLED:
            return self._reply(429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow"}, {"Retry-After": "7"})
        if fault is Fault.FORBIDDEN:
            return self._reply(403, {"error_code": "PERMISSION_DENIED", "message": "Invalid access token."})
        if fault is Fault.UNAVAILABLE:
            return self._reply(503, {"error_code": "X", "message": "as told"})
        return None

    async def _hold(self, until: asyncio.Event) -> None:
        self.waiting += 1
        try:
            await until.wait()
        finally:
            self.waiting -= 1

    def _headers(self) -> dict[str, str]:
        return {"X-Databricks-Org-Id": self.workspace_id}

    def _reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        return httpx.Response(status, json=body, headers=self._headers() | (headers or {}))

    def _answer(self, path: str, request: httpx.Request) -> tuple[int, Any]:
        body = json.loads(request.content) if request.content and not path.startswith("/api/2.0/fs/") else {}
        query = dict(request.url.params)
        answers: dict[str, Callable[[], tuple[int, Any]]] = {
            ME: lambda: (200, {"userName": "bi@insurer.example"}),
            "/api/2.2/jobs/get": lambda: (200, self._job()),
            RUN_NOW: lambda: self._run_now(body),
            REPAIR: lambda: self._repair(body),
            CANCEL: lambda: self._cancel(body),
            LIST: lambda: (200, self._list(query)),
            GET: lambda: self._get(query),
            OUTPUT: lambda: self._output(query),
        }
        if path not in answers:
            return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API found for {path}"}
        return answers[path]()

    # The API --------------------------------------------------------------------------------------------------------

    def _job(self) -> dict[str, Any]:
        tasks = [{"task_key": key, "notebook_task": {"notebook_path": f"/P/{NOTEBOOKS[key]}"}} for key in TASK_KEYS]
        return {
            "job_id": JOB_ID,
            "settings": {"tasks": tasks, "parameters": [{"name": name, "default": ""} for name in DECLARED]},
        }

    def _run_now(self, body: dict[str, Any]) -> tuple[int, Any]:
        token = body["idempotency_token"]
        known = self.tokens.get(token)
        if known in self.deleted:
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Run {known} does not exist."}
        if known is None or not self._obeys_tokens:
            known = self._start(body["job_parameters"]["submission_id"], tuple(body.get("only") or ()))
            self.tokens[token] = known
        return 200, {"run_id": known, "number_in_job": known}

    def _start(self, submission_id: str, only: tuple[str, ...]) -> int:
        run_id = self._new_id()
        state = "QUEUED" if any(run.active for run in self.runs.values()) else "PENDING"
        run = Run(run_id, submission_id, only or TASK_KEYS, self._now_ms(), state)
        run.tasks = [self._task(key, 0) for key in TASK_KEYS if key in run.only]
        self.runs[run_id] = run
        self.all_started.append((run_id, submission_id))
        return run_id

    def _task(self, key: str, attempt: int) -> dict[str, Any]:
        return {
            "run_id": self._new_id(),
            "task_key": key,
            "attempt_number": attempt,
            "life": "BLOCKED",
            "result": None,
            "start_time": 0,
            "end_time": 0,
        }

    def _repair(self, body: dict[str, Any]) -> tuple[int, Any]:
        run = self.runs.get(int(body["run_id"]))
        refused = {"error_code": "INVALID_PARAMETER_VALUE", "message": "The run cannot be repaired."}
        if run is None or run.active or body.get("latest_repair_id") != (run.repairs[-1] if run.repairs else None):
            return 400, refused
        latest = {task["task_key"]: task for task in run.tasks}
        again = [task for task in latest.values() if task["result"] != "SUCCESS"]
        if not again:
            return 400, refused
        run.tasks += [self._task(task["task_key"], task["attempt_number"] + 1) for task in again]
        run.state, run.result, run.ended_ms = "PENDING", None, 0
        run.repairs.append(self._new_id())
        return 200, {"repair_id": run.repairs[-1]}

    def _cancel(self, body: dict[str, Any]) -> tuple[int, Any]:
        run = self.runs.get(int(body["run_id"]))
        if run is not None and run.active and not self.takes_its_time:
            self.stop(run.run_id)
        return 200, {}

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        runs = sorted(self.runs.values(), key=lambda run: (run.started_ms, run.run_id), reverse=True)
        runs = [run for run in runs if run.active or query.get("active_only") != "true"]
        start = int(query.get("page_token", 0))
        following = {"next_page_token": str(start + 25)} if len(runs) > start + 25 else {}
        return {"runs": [self._shown(run) for run in runs[start : start + 25]], **following}

    def _get(self, query: dict[str, str]) -> tuple[int, Any]:
        run = self.runs.get(int(query["run_id"]))
        if run is None:
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "The run does not exist."}
        history = [{"type": "REPAIR", "id": repair_id} for repair_id in run.repairs]
        return 200, self._shown(run) | ({"repair_history": history} if query.get("include_history") else {})

    def _output(self, query: dict[str, str]) -> tuple[int, Any]:
        for run in self.runs.values():
            for task in run.tasks:
                if task["run_id"] == int(query["run_id"]):
                    failed = {"error": "ValueError: as told"} if task["result"] == "FAILED" else {}
                    return 200, {"metadata": {}, "notebook_output": {}, **failed}
        return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "The run does not exist."}

    def _shown(self, run: Run) -> dict[str, Any]:
        told = {"submission_id": run.submission_id} if run.submission_id else {}
        return deepcopy(
            {
                "run_id": run.run_id,
                "job_id": JOB_ID,
                "run_page_url": f"http://workspace.test/?o={self.workspace_id}#job/{JOB_ID}/run/{run.run_id}",
                "start_time": run.started_ms,
                "end_time": run.ended_ms,
                "state": _state("INTERNAL_ERROR" if run.result == "FAILED" else run.state, run.result),
                "job_parameters": [{"name": name, "default": "", "value": value} for name, value in told.items()],
                "tasks": [
                    {
                        "run_id": task["run_id"],
                        "task_key": task["task_key"],
                        "attempt_number": task["attempt_number"],
                        "notebook_task": {"notebook_path": f"/P/{NOTEBOOKS[task['task_key']]}"},
                        "start_time": task["start_time"],
                        "end_time": task["end_time"],
                        "state": _state(task["life"], task["result"]),
                    }
                    for task in run.tasks
                ],
            }
        )

    def _end_task(self, task: dict[str, Any], result: str) -> None:
        task |= {"life": "SKIPPED" if result == "UPSTREAM_FAILED" else "TERMINATED", "result": result}
        task["end_time"] = self._now_ms()

    def _end(self, run: Run, result: str) -> None:
        run.state, run.result, run.ended_ms = "TERMINATED", result, self._now_ms()
        queued = next((one for one in self.runs.values() if one.state == "QUEUED"), None)
        if queued is not None:
            queued.state = "PENDING"

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id


def _state(life: str, result: str | None) -> dict[str, Any]:
    return {"life_cycle_state": life, "state_message": ""} | ({"result_state": result} if result else {})
