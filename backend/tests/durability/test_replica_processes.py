"""Two real backends on one PostgreSQL and one real workspace: one of them is killed, and nobody notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import websockets

from backend.tests.durability.lane import FAULTS, JOBS, SLOW, deployed
from backend.tests.durability.points import LATE_S, RUN_NOW, stall
from backend.tests.durability.processes import BackendProcess, WorkspaceProcess, nursery
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.waiting import until

WITHIN_S = 120.0
TERMINAL = ("databricks_job_completed", "databricks_job_failed")


@dataclass
class Replicas:
    leader: BackendProcess
    other: BackendProcess
    workspace: WorkspaceProcess

    async def click(self, backend: BackendProcess, **body: Any) -> dict[str, Any]:
        answer = await backend.http.post(TRIGGER, json={"layer": "gold", **body})
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def until_run(self, backend: BackendProcess, run_id: int, **wanted: Any) -> None:
        async def so() -> bool:
            run = (await backend.http.get(f"{RUNS}/{run_id}")).json()
            return all(run.get(name) == value for name, value in wanted.items())

        await until(so, within_s=WITHIN_S)

    async def tokens(self) -> list[str]:
        """The oracle: the submission of each run that the workspace has."""
        runs = (await self.workspace.http.get(f"{JOBS}/runs/list", params={"limit": 25})).json().get("runs", [])
        return [{one["name"]: one.get("value") for one in run["job_parameters"]}["submission_id"] for run in runs]


async def leads(backend: BackendProcess) -> bool:
    checks = (await backend.http.get("/api/health/ready")).json()["checks"]
    return bool(checks["poller"]["here"] and checks["workspace"]["ok"])


async def log_of(backend: BackendProcess) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while True:
        query = {"after": events[-1]["seq"] if events else 0, "wait_s": 0}
        more = (await backend.http.get("/api/events/poll", params=query)).json()["events"]
        if not more:
            return events
        events += more


async def follow(backend: BackendProcess, seen: list[dict[str, Any]]) -> None:
    """As a page does: everything from the beginning, for ever."""
    address = f"{backend.url.replace('http', 'ws', 1)}/ws?after=0"
    async with websockets.connect(address, proxy=None) as socket:
        async for frame in socket:
            seen += [json.loads(line) for line in str(frame).splitlines()]


@pytest.fixture
async def replicas(tmp_path: Path, postgresql_url: str) -> AsyncIterator[Replicas]:
    async with _replicas(tmp_path, postgresql_url) as running:
        yield running


@asynccontextmanager
async def _replicas(folder: Path, url: str) -> AsyncIterator[Replicas]:
    workspace = WorkspaceProcess(folder / "workspace")
    async with AsyncExitStack() as stack:
        starter = await stack.enter_async_context(nursery())
        await workspace.start()
        stack.push_async_callback(workspace.stop)
        environment = {
            "DATABASE_URL": url,
            "DATABRICKS_HOST": workspace.host,
            "DATABRICKS_TOKEN": workspace.token,
            "DATABRICKS_JOB_ID": str(await deployed(workspace)),
            "DATABRICKS_WAREHOUSE_ID": "none",
            "PIPELINE_POLL_INTERVAL_S": "0.05",
        }
        both = []
        for name in ("one", "two"):
            backend = BackendProcess(starter, folder / name, environment)
            await backend.start()
            stack.push_async_callback(_end, backend)
            both.append(backend)
            await until(lambda: leads(both[0]), within_s=WITHIN_S)
        yield Replicas(both[0], both[1], workspace)


async def _end(backend: BackendProcess) -> None:
    if backend.runs:
        await backend.kill()


async def test_a_killed_leader_is_replaced_and_the_run_ends_once(replicas: Replicas) -> None:
    leader, other = replicas.leader, replicas.other
    seen: list[dict[str, Any]] = []
    async with asyncio.TaskGroup() as group:
        page = group.create_task(follow(other, seen))
        clicks = [one.http.post(TRIGGER, json={"layer": "gold", "claim_ids": [SLOW]}) for one in (leader, other)]
        answers = await asyncio.gather(*clicks)
        assert sorted(answer.status_code for answer in answers) == [202, 409]
        run_id = next(answer.json()["run_id"] for answer in answers if answer.status_code == 202)
        for backend in (leader, other):
            await replicas.until_run(backend, run_id, state="RUNNING")
        one, another = await log_of(leader), await log_of(other)
        shorter = min(len(one), len(another))  # something may be said between the two looks
        assert shorter > 0
        assert one[:shorter] == another[:shorter]

        await leader.kill()
        await until(lambda: leads(other), within_s=WITHIN_S)
        assert (await other.http.post(f"{RUNS}/{run_id}/cancel")).status_code == 202
        await replicas.until_run(other, run_id, active=False)

        await leader.start()  # it comes back as one that listens
        await until(lambda: log_has(leader, TERMINAL), within_s=WITHIN_S)
        assert not await leads(leader)
        whole = await log_of(leader)
        await until(lambda: len(seen) >= len(whole), within_s=WITHIN_S)
        page.cancel()
    await until(lambda: log_reaches(leader, len(seen)), within_s=WITHIN_S)  # more may have been said since
    whole = await log_of(leader)
    assert seen == whole[: len(seen)]
    assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))
    told = [event["type"] for event in whole if event["data"].get("run_id") == run_id]
    assert told[0] == "databricks_job_started"
    assert [kind for kind in told if kind in TERMINAL] == [told[-1]]
    assert len(await replicas.tokens()) == 1


async def log_reaches(backend: BackendProcess, count: int) -> bool:
    return len(await log_of(backend)) >= count


async def log_has(backend: BackendProcess, types: tuple[str, ...]) -> bool:
    return any(event["type"] in types for event in await log_of(backend))


async def test_a_click_whose_sender_is_killed_in_mid_call_is_answered_by_the_replica_it_was_made_on(
    replicas: Replicas,
) -> None:
    rules = {"rules": [stall(RUN_NOW, "before_work", LATE_S)]}
    assert (await replicas.workspace.http.put(FAULTS, json=rules)).status_code == 200
    click = asyncio.create_task(replicas.click(replicas.other))

    async def on_its_way() -> bool:
        return bool((await replicas.workspace.http.get(FAULTS)).json()["rules"][0]["hits"])

    await until(on_its_way, within_s=WITHIN_S)
    await replicas.leader.kill()
    answer = await click
    await replicas.until_run(replicas.other, await run_of(replicas.other, answer["submission_id"]), active=False)
    assert await replicas.tokens() == [answer["submission_id"]]
    told = [event["type"] for event in await log_of(replicas.other)]
    assert told.count("databricks_job_started") == 1
    assert sum(kind in TERMINAL for kind in told) == 1


async def run_of(backend: BackendProcess, submission_id: str) -> int:
    """The run of a submission, as soon as it is accepted."""
    address = f"/api/pipeline/databricks/submissions/{submission_id}"

    async def accepted() -> bool:
        return bool((await backend.http.get(address)).json()["run_id"])

    await until(accepted, within_s=WITHIN_S)
    return int((await backend.http.get(address)).json()["run_id"])
