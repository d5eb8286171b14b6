"""One backend and one workspace that cases are played on, one after the other, with whoever watches meanwhile."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from backend.tests.durability.processes import BackendProcess, Nursery, WorkspaceProcess
from backend.tests.durability.stores import PostgresqlStore, Row, SqliteStore, Store
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.waiting import until

JOBS = "/api/2.2/jobs"
FAULTS = "/api/local/faults"
SETTLED_S = 180.0
NOTEBOOKS = {
    "bronze_ingestion": "01_bronze_ingestion",
    "silver_transformations": "02_silver_transformations",
    "gold_aggregations": "03_gold_aggregations",
}
FOLDER = "/chaos"
SLOW = "SLOW-1"
# It ends at once, unless it was started for the claim SLOW-1, as a long run would be.
SOURCE = f"""# Databricks notebook source
import time
dbutils.widgets.text("claim_ids", "")
if dbutils.widgets.get("claim_ids") == "{SLOW}":
    time.sleep(600)
dbutils.notebook.exit("{{}}")
"""
PARAMETERS = ("submission_id", "claim_ids", "claim_ids_path", "batch_id")


@dataclass(frozen=True)
class Setting:
    """What a lane's backend is set to: its store (SQLite without a URL) and how it starts runs."""

    database_url: str | None = None
    mode: str = "job"

    @property
    def name(self) -> str:
        return f"{'sqlite' if self.database_url is None else 'postgresql'}, {self.mode}"

    @property
    def starts(self) -> str:
        """The call that starts a run."""
        return "run-now" if self.mode == "job" else "submit"


ON_SQLITE = Setting()


@dataclass
class Case:
    """One click, or what was asked of its run, and what became of it."""

    point: str
    setting: str
    key: str = field(default_factory=lambda: str(uuid4()))
    layer: str = "gold"
    claim_ids: tuple[str, ...] = ()
    submission_id: str | None = None
    run_id: int | None = None
    kills: int = 0
    in_doubt: bool = False
    at_death: str = "nobody died"
    outcome: str = "unsettled"
    seconds: float = 0.0


class Lane:
    """What a case may do: click, let things go wrong, kill, start again, look."""

    def __init__(self, workspace: WorkspaceProcess, backend: BackendProcess, store: Store, setting: Setting) -> None:
        self.workspace = workspace
        self.backend = backend
        self.store = store
        self.setting = setting
        self.cases: list[Case] = []
        self.watched: list[dict[str, Any]] = []
        self.snapshots = 0

    # The workspace.

    async def faults(self, *rules: Mapping[str, Any]) -> None:
        """Let these things go wrong from now on, and nothing else."""
        answer = await self.workspace.http.put(FAULTS, json={"rules": list(rules)})
        assert answer.status_code == 200, answer.text

    async def hit(self, count: int = 1) -> None:
        """Return once the first rule has taken effect `count` times."""

        async def struck() -> bool:
            rules = (await self.workspace.http.get(FAULTS)).json()["rules"]
            return bool(rules[0]["hits"] >= count)

        await until(struck, within_s=SETTLED_S)

    async def workspace_runs(self) -> list[dict[str, Any]]:
        """All runs that there are, as runs/list tells them; the oracle."""
        runs: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 25, "expand_tasks": "true"}
        while True:
            page = (await self.workspace.http.get(f"{JOBS}/runs/list", params=query)).json()
            runs += page.get("runs", [])
            if not page.get("next_page_token"):
                return runs
            query["page_token"] = page["next_page_token"]

    async def workspace_run(self, run_id: int) -> dict[str, Any]:
        """The run by runs/get, with its repairs."""
        query = {"run_id": run_id, "include_history": "true"}
        return dict((await self.workspace.http.get(f"{JOBS}/runs/get", params=query)).json())

    # The backend.

    async def click(self, case: Case) -> dict[str, Any] | None:
        """The answer to the click, or None when there came none: as for a page whose server dies."""
        body = {"layer": case.layer, "if_active": "queue", "claim_ids": list(case.claim_ids)}
        try:
            answer = await self.backend.http.post(TRIGGER, json=body, headers={"Idempotency-Key": case.key})
        except (httpx.TransportError, RuntimeError):  # RuntimeError: the client was closed with its server
            return None
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def ask(self, case: Case, what: str) -> int | None:
        """Cancel or repair the case's run; the status of the answer, or None when there came none."""
        try:
            return (await self.backend.http.post(f"{RUNS}/{case.run_id}/{what}")).status_code
        except (httpx.TransportError, RuntimeError):
            return None

    async def accepted(self, case: Case) -> int:
        """The run of the case, clicking like a patient user until there is one."""

        async def known() -> bool:
            answer = await self.click(case)
            if answer is not None:
                case.submission_id, case.run_id = answer["submission_id"], answer["run_id"]
            return case.run_id is not None

        await until(known, within_s=SETTLED_S)
        assert case.run_id is not None
        return case.run_id

    async def run(self, run_id: int) -> dict[str, Any]:
        answer = await self.backend.http.get(f"{RUNS}/{run_id}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    async def until_run(self, case: Case, **wanted: Any) -> dict[str, Any]:
        """The case's run as the backend shows it, once it shows these values."""
        shown: dict[str, Any] = {}

        async def so() -> bool:
            assert case.run_id is not None
            shown.update(await self.run(case.run_id))
            return all(shown.get(name) == value for name, value in wanted.items())

        try:
            await until(so, within_s=SETTLED_S)
        except TimeoutError as late:
            raise AssertionError(f"{case} never showed {wanted}; last seen {shown}") from late
        return shown

    async def kill(self, case: Case) -> None:
        """kill -9, at this very moment."""
        await self.backend.kill()
        case.kills += 1
        self.note(case)

    def note(self, case: Case) -> None:
        """Keep what the ledger holds of the click at the moment of a death."""
        row = self.row(case)
        in_doubt = row is not None and row.in_doubt and row.state == "SUBMITTING"
        case.at_death = "not recorded" if row is None else row.state + (" in doubt" if in_doubt else "")
        case.in_doubt = case.in_doubt or in_doubt

    async def answered(self, endpoint: str, *, more_than: float) -> float:
        """Return once the backend has taken an answer of the endpoint; it counts them."""
        seen = more_than

        async def counted() -> bool:
            nonlocal seen
            seen = await self.answers_of(endpoint)
            return seen > more_than

        await until(counted, within_s=SETTLED_S)
        return seen

    async def answers_of(self, endpoint: str) -> float:
        """How many answers of the endpoint the backend has taken."""
        text = (await self.backend.http.get("/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith("petinsure_workspace_calls_total")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if f'endpoint="{endpoint}",outcome="ok"' in line)

    def row(self, case: Case) -> Row | None:
        """What the ledger holds of the click."""
        return self.store.row(case.key)

    # The watcher.

    async def watch(self) -> None:
        """Follow the events over every restart, as a page does, and keep what came."""
        epoch: str | None = None
        while True:
            after = self.watched[-1]["seq"] if self.watched else 0
            query = {"after": after, "wait_s": 5} | ({"epoch": epoch} if epoch else {})
            try:
                told = (await self.backend.http.get("/api/events/poll", params=query)).json()
            except (httpx.HTTPError, RuntimeError, ValueError, AttributeError):
                await asyncio.sleep(0.02)
                continue
            epoch = told["epoch"]
            self.snapshots += sum(event["type"] == "snapshot" for event in told["events"])
            self.watched += [event for event in told["events"] if event["type"] != "snapshot"]

    async def log(self) -> list[dict[str, Any]]:
        """The whole event log."""
        events: list[dict[str, Any]] = []
        while True:
            query = {"after": events[-1]["seq"] if events else 0, "wait_s": 0}
            more = (await self.backend.http.get("/api/events/poll", params=query)).json()["events"]
            if not more:
                return events
            events += more


Through = Callable[[str], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def _directly(host: str) -> AsyncIterator[str]:
    yield host


@asynccontextmanager
async def lane(
    starter: Nursery, directory: Path, setting: Setting = ON_SQLITE, *, through: Through = _directly
) -> AsyncIterator[Lane]:
    """A lane with the three notebooks and their job in the workspace, which the backend meets `through` something."""
    workspace = WorkspaceProcess(directory / "workspace")
    await workspace.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(workspace.stop)
        host = await stack.enter_async_context(through(workspace.host))
        job_id = await deployed(workspace)
        environment = {
            "DATABRICKS_HOST": host,
            "DATABRICKS_TOKEN": workspace.token,
            "DATABRICKS_WAREHOUSE_ID": "none",  # no figures are read here
            "PIPELINE_MODE": setting.mode,
            "PIPELINE_POLL_INTERVAL_S": "0.05",
            "PETINSURE_TRIGGER_RATE": "1000",
            "PETINSURE_TRIGGER_BURST": "1000",
        }
        where = {"DATABRICKS_JOB_ID": str(job_id)} if setting.mode == "job" else {"DATABRICKS_NOTEBOOK_ROOT": FOLDER}
        data = {} if setting.database_url is None else {"DATABASE_URL": setting.database_url}
        backend = BackendProcess(starter, directory / "backend", environment | where | data)
        await backend.start()
        played = Lane(workspace, backend, _store_of(setting, backend, stack), setting)
        watching = asyncio.create_task(played.watch())
        try:
            yield played
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            if backend.runs:
                await backend.kill()


def _store_of(setting: Setting, backend: BackendProcess, stack: AsyncExitStack) -> Store:
    if setting.database_url is None:
        return SqliteStore(backend.database)
    return stack.enter_context(contextlib.closing(PostgresqlStore(setting.database_url)))


async def deployed(workspace: WorkspaceProcess) -> int:
    """The job with the three notebooks under their names."""
    content = base64.b64encode(SOURCE.encode()).decode()
    await workspace.http.post("/api/2.0/workspace/mkdirs", json={"path": FOLDER})
    for name in NOTEBOOKS.values():
        notebook = {"path": f"{FOLDER}/{name}", "format": "SOURCE", "language": "PYTHON", "content": content}
        assert (await workspace.http.post("/api/2.0/workspace/import", json=notebook)).is_success
    tasks = [
        {"task_key": key, "notebook_task": {"notebook_path": f"{FOLDER}/{name}"}} for key, name in NOTEBOOKS.items()
    ]
    job = {
        "name": "chaos",
        "tasks": tasks,
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "parameters": [{"name": name, "default": ""} for name in PARAMETERS],
    }
    answer = await workspace.http.post(f"{JOBS}/create", json=job)
    assert answer.is_success, answer.text
    return int(answer.json()["job_id"])
