"""Two replicas of the backend on one PostgreSQL: one ledger, one event log, one poller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.domain.clock import SystemClock
from app.services.replica import NotLeading
from app.store import leadership
from app.store.dialect import LEADER_LOCK
from backend.tests.api.test_pipeline import JOB_ID, finish
from backend.tests.support.backend import RUNS, TRIGGER, Backend, running_backend
from backend.tests.support.postgresql import PostgresqlServer
from backend.tests.support.recorded_workspace import LOST_REPLY, RUN_NOW, TOKEN, Fault, RecordedWorkspace, load
from backend.tests.support.waiting import until

LISTS = "/api/2.2/jobs/runs/list"
CANCEL = "/api/2.2/jobs/runs/cancel"
DIRECTORIES = "/api/2.0/fs/directories"
LEADERS_SESSION = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND granted"
LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


@dataclass
class Pair:
    """`leader` leads and `other` knows the workspace by the leader's word."""

    leader: Backend
    other: Backend
    workspace: RecordedWorkspace
    postgresql: PostgresqlServer

    def listings(self) -> int:
        return len(self.workspace.sent(LISTS))


async def leads(backend: Backend) -> bool:
    ready = await backend.http.get("/api/health/ready")
    return bool(ready.json()["checks"]["poller"]["here"])


async def told_ok(backend: Backend) -> bool:
    return bool((await backend.http.get("/api/pipeline/status")).json()["workspace"]["state"] == "ok")


@asynccontextmanager
async def two_replicas(folder: Path, url: str, postgresql: PostgresqlServer, **more: Any) -> AsyncIterator[Pair]:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.next_run_shows("run_of_somebody_else")
    given: dict[str, Any] = {"databricks_job_id": JOB_ID, "database_url": url, **more}
    async with workspace.serving(), AsyncExitStack() as stack:
        both = []
        for name in ("one", "two"):
            both.append(await stack.enter_async_context(running_backend(folder / name, workspace.host, TOKEN, **given)))
            if name == "one":
                await until(lambda: leads(both[0]))
        for backend in both:
            await until(lambda backend=backend: told_ok(backend))
        yield Pair(both[0], both[1], workspace, postgresql)


@pytest.fixture
async def pair(tmp_path: Path, postgresql_url: str, postgresql: PostgresqlServer) -> AsyncIterator[Pair]:
    async with two_replicas(tmp_path, postgresql_url, postgresql) as pair:
        yield pair


async def log_of(backend: Backend) -> list[tuple[int, str]]:
    return [(event["seq"], event["type"]) for event in await backend.events()]


async def same_stream(pair: Pair) -> bool:
    """Whether both hubs, not only the log behind them, stand at the same place."""
    hubs = {backend.app.state.hub.head_seq for backend in (pair.leader, pair.other)}
    return len(hubs) == 1 and await log_of(pair.leader) == await log_of(pair.other)


async def test_of_two_clicks_on_two_replicas_one_runs_and_one_is_told(pair: Pair) -> None:
    clicks = [one.http.post(TRIGGER, json={"layer": "gold"}) for one in (pair.leader, pair.other)]
    answers = await asyncio.gather(*clicks)
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert len(pair.workspace.sent(RUN_NOW)) == 1


async def poller(backend: Backend) -> dict[str, Any]:
    found: dict[str, Any] = (await backend.http.get("/api/health/ready")).json()["checks"]["poller"]
    return found


async def test_a_replica_that_does_not_poll_says_who_does(pair: Pair) -> None:
    leader, other = await poller(pair.leader), await poller(pair.other)
    assert (leader["here"], leader["leader"], leader["state"]) == (True, leader["replica"], "ok")
    assert other["replica"] not in (None, leader["replica"])
    assert other == {
        "here": False,
        "replica": other["replica"],
        "leader": leader["replica"],
        "ok": True,
        "state": "following",
        "detail": f"Replica {leader['replica']} leads and polls.",
        "age_s": None,
    }


async def test_a_replica_that_has_heard_of_no_leader_does_not_claim_one(
    tmp_path: Path, postgresql_url: str, postgresql: PostgresqlServer
) -> None:
    async with RecordedWorkspace().serving() as workspace, AsyncExitStack() as stack:
        with psycopg.connect(postgresql_url) as somebody:
            somebody.execute(f"SELECT pg_advisory_lock({LEADER_LOCK})")
            given = {"databricks_job_id": JOB_ID, "database_url": postgresql_url}
            backend = await stack.enter_async_context(running_backend(tmp_path, workspace.host, TOKEN, **given))
            found = await poller(backend)
            assert (found["ok"], found["state"], found["leader"]) == (False, "waiting", None)
        await until(lambda: leads(backend))
        assert (await poller(backend))["leader"] == found["replica"]


async def test_the_same_idempotency_key_on_two_replicas_at_once_is_one_run(pair: Pair) -> None:
    key = {"Idempotency-Key": "click-1"}
    clicks = [one.http.post(TRIGGER, json={"layer": "gold"}, headers=key) for one in (pair.leader, pair.other) * 3]
    answers = [answer.json() for answer in await asyncio.gather(*clicks)]
    assert len({answer["submission_id"] for answer in answers}) == 1
    assert {answer["submission_state"] for answer in answers} == {"ACCEPTED"}
    assert len(pair.workspace.sent(RUN_NOW)) == 1
    other = await pair.other.http.post(TRIGGER, json={"layer": "bronze"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_click_on_either_replica_is_followed_on_both_with_the_same_numbers(pair: Pair) -> None:
    answer = await pair.other.trigger("all")
    assert answer["submission_state"] == "ACCEPTED"
    run_id = answer["run_id"]
    assert await pair.leader.seen(run_id)
    await finish(pair.other, pair.workspace, run_id)
    await until(lambda: same_stream(pair))
    types = [kind for _, kind in await log_of(pair.other)]
    assert types.count("databricks_job_started") == types.count("databricks_job_completed") == 1
    assert (await pair.leader.run(run_id))["result"] == (await pair.other.run(run_id))["result"] == "SUCCESS"


async def test_whoever_waits_at_a_stream_of_one_replica_hears_what_another_wrote(pair: Pair) -> None:
    for fresh in ("workspace_status", "lake_updated"):  # what a fresh start tells by itself
        await pair.other.until_event(fresh)
    head = pair.other.app.state.hub.head_seq
    poll = {"after": head, "wait_s": 20}
    waiting = asyncio.create_task(pair.other.http.get("/api/events/poll", params=poll))
    await pair.leader.trigger("gold")
    events = (await waiting).json()["events"]
    assert events[0]["type"] == "databricks_job_started"
    assert events[0]["seq"] == head + 1


async def test_only_the_leader_asks_the_workspace_and_the_other_answers_all_the_same(pair: Pair) -> None:
    assert not await leads(pair.other)
    before = pair.listings()
    await until(lambda: pair.listings() > before + 3)
    status = (await pair.other.http.get("/api/pipeline/status")).json()["workspace"]
    assert status["state"] == "ok"
    assert status["last_known_at"] is not None
    assert (await pair.other.http.get("/api/health/ready")).status_code == 200
    told = [kind for _, kind in await log_of(pair.other)]
    assert told.count("workspace_status") == 1  # it is told once, not by each


async def test_a_webhook_and_a_look_at_what_waits_reach_the_leader(
    tmp_path: Path, postgresql_url: str, postgresql: PostgresqlServer
) -> None:
    async with two_replicas(tmp_path, postgresql_url, postgresql, kind="local", poll_interval_s=600) as pair:
        before = pair.listings()
        await pair.other.http.post("/api/webhooks/databricks", json={"event_type": "jobs.on_success"})
        await until(lambda: pair.listings() > before)

        def zone_listings() -> int:
            return sum(call.path.startswith(DIRECTORIES) for call in pair.workspace.calls)

        await until(lambda: zone_listings() > 0)
        listed = zone_listings()

        async def listed_again() -> bool:
            await pair.other.http.get("/api/pipeline/pending")  # asked more often than it is done, which is every 2 s
            return zone_listings() > listed

        await until(listed_again)


async def test_a_cancellation_asked_of_the_other_replica_is_sent_once(pair: Pair) -> None:
    run_id = (await pair.leader.trigger("all"))["run_id"]
    cancel = await pair.other.http.post(f"{RUNS}/{run_id}/cancel")
    assert cancel.status_code == 202, cancel.text
    assert len(pair.workspace.sent(CANCEL)) == 1


async def test_when_the_leaders_session_ends_another_leads_and_nothing_is_told_twice(pair: Pair) -> None:
    run_id = (await pair.other.trigger("all"))["run_id"]
    await pair.other.seen(run_id)

    async def moved() -> bool:
        """The first to try again may be the former leader; sooner or later it is the other one."""
        if await leads(pair.leader):
            pair.postgresql.sql(LEADERS_SESSION)
        return await leads(pair.other)

    await until(moved)
    await until(lambda: told_ok(pair.leader))
    await finish(pair.leader, pair.workspace, run_id)
    await until(lambda: same_stream(pair))
    types = [kind for _, kind in await log_of(pair.leader)]
    assert types.count("databricks_job_completed") == 1
    assert [seq for seq, _ in await log_of(pair.other)] == list(range(1, len(types) + 1))


async def test_what_a_dead_leader_left_in_doubt_is_resent_by_the_next(
    tmp_path: Path, postgresql_url: str, postgresql: PostgresqlServer
) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.hidden.add(run_id := workspace.next_run_shows("run_of_somebody_else"))
    given: dict[str, Any] = {"databricks_job_id": JOB_ID, "database_url": postgresql_url}
    async with workspace.serving(), AsyncExitStack() as stack:
        first = AsyncExitStack()
        leader = await first.enter_async_context(running_backend(tmp_path / "1", workspace.host, TOKEN, **given))
        await until(lambda: told_ok(leader))
        other = await stack.enter_async_context(running_backend(tmp_path / "2", workspace.host, TOKEN, **given))
        await until(lambda: told_ok(other))
        workspace.faults[RUN_NOW] += [LOST_REPLY] + [Fault(503)] * 500
        click = asyncio.create_task(other.http.post(TRIGGER, json={"layer": "all"}))
        await until(lambda: len(workspace.sent(RUN_NOW)) > 1)
        await first.aclose()
        workspace.faults[RUN_NOW].clear()
        answer = (await click).json()
        assert (answer["submission_state"], answer["run_id"]) == ("ACCEPTED", run_id)
        assert len(workspace.tokens) == 1
        assert len(await other.events("databricks_job_started")) == 1


async def test_events_reach_the_other_replica_after_its_notifications_were_cut_off(pair: Pair) -> None:
    pair.postgresql.sql(LISTENERS)
    run_id = (await pair.leader.trigger("all"))["run_id"]
    await finish(pair.leader, pair.workspace, run_id)
    await until(lambda: same_stream(pair))


async def test_a_former_leader_can_write_nothing(pair: Pair) -> None:
    journal = pair.leader.app.state.journal.for_leader()
    async with journal.transaction():
        pass
    async with pair.other.app.state.database.write() as db:
        await leadership.begin_term(db, replica_id="usurper", at=SystemClock().now())
    with pytest.raises(NotLeading):
        async with journal.transaction():
            pytest.fail("it got in")
    with pytest.raises(NotLeading):
        async with pair.other.app.state.journal.for_leader().transaction():
            pytest.fail("it got in")
