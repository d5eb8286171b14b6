"""A cluster's own time: it ends when nobody has used it for long enough, and never while somebody does."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local_workspace.compute.clusters import SERVERLESS, Clusters
from local_workspace.store.clusters import ClusterStore
from local_workspace.store.database import Database
from local_workspace.tests.stages import Stage


class HandClock:
    """A clock whose sleepers wake only when the test lets the time pass."""

    def __init__(self) -> None:
        self.time_ms = 1_800_000_000_000
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now_ms(self) -> int:
        return self.time_ms

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.time_ms + int(seconds * 1000), woken))
        await woken.wait()

    async def pass_minutes(self, minutes: float) -> None:
        await settle()
        self.time_ms += int(minutes * 60_000)
        for due, woken in self._sleepers:
            if due <= self.time_ms:
                woken.set()
        await settle()


async def settle() -> None:
    """Let everything that is ready happen."""
    for _ in range(50):
        await asyncio.sleep(0)


@asynccontextmanager
async def clusters_of(tmp_path: Path, stage: Stage, clock: HandClock) -> AsyncIterator[Clusters]:
    store = ClusterStore(Database(tmp_path / "workspace.db"), clock)
    registry = Clusters(store, new_pool=stage.new_pool, clock=clock, autotermination_minutes=10)
    async with registry.running():
        yield registry


async def test_leases_that_follow_each_other_at_once_leave_no_coroutine_behind(tmp_path: Path) -> None:
    """The second one calls off a wait for inactivity that has not even begun."""
    async with clusters_of(tmp_path, Stage(), HandClock()) as clusters:
        cluster = clusters.create({"autotermination_minutes": 10})
        await cluster.ensure_running()
        for _ in range(3):
            async with cluster.lease():
                pass
        gc.collect()


async def test_a_cluster_terminates_after_its_time_of_inactivity(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:
        cluster = clusters.create({"autotermination_minutes": 10})
        await cluster.ensure_running()
        await clock.pass_minutes(9)
        assert cluster.record.state == "RUNNING"
        await clock.pass_minutes(1)
        assert cluster.record.state == "TERMINATED"
        assert cluster.record.termination_reason["code"] == "INACTIVITY"
        assert stage.pools_stopped == 1


async def test_a_used_cluster_does_not_terminate_and_its_time_begins_after_the_use(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:
        cluster = clusters.create({"autotermination_minutes": 10})
        await clock.pass_minutes(9)
        async with cluster.lease():
            await clock.pass_minutes(60)
            assert cluster.record.state == "RUNNING"
        await clock.pass_minutes(9)
        assert cluster.record.state == "RUNNING"
        await clock.pass_minutes(1)
        assert cluster.record.state == "TERMINATED"


async def test_one_user_leaving_does_not_end_the_cluster_of_another(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:
        cluster = clusters.create({"autotermination_minutes": 10})
        async with cluster.lease():
            async with cluster.lease():
                pass
            await clock.pass_minutes(60)
            assert cluster.record.state == "RUNNING"


async def test_zero_minutes_means_never(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:
        cluster = clusters.create({"autotermination_minutes": 0})
        await cluster.ensure_running()
        await clock.pass_minutes(100_000)
        assert cluster.record.state == "RUNNING"


async def test_serverless_compute_frees_its_memory_too_and_comes_back(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:
        async with clusters.lease(1, {"task_key": "bronze"}) as lease:
            assert lease.cluster_id == SERVERLESS
        await clock.pass_minutes(10)
        assert (stage.pools_started, stage.pools_stopped) == (1, 1)
        async with clusters.lease(2, {"task_key": "bronze"}):
            assert stage.pools_started == 2


async def test_tasks_that_need_the_same_cluster_at_once_share_one_start(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:

        async def use(run_id: int) -> None:
            async with clusters.lease(run_id, {"task_key": "bronze"}):
                await settle()

        await asyncio.gather(*(use(run_id) for run_id in range(5)))
        assert stage.pools_started == 1


async def test_giving_up_the_wait_for_a_start_does_not_stop_it_for_others(tmp_path: Path) -> None:
    stage, clock = Stage(start_gate=threading.Event()), HandClock()
    assert stage.start_gate is not None
    async with clusters_of(tmp_path, stage, clock) as clusters:
        cluster = clusters.create({"autotermination_minutes": 0})
        impatient = asyncio.ensure_future(cluster.ensure_running())
        patient = asyncio.ensure_future(cluster.ensure_running())
        await settle()
        impatient.cancel()
        await settle()
        stage.start_gate.set()
        await patient
        assert impatient.cancelled()
        assert cluster.record.state == "RUNNING"


async def test_nothing_runs_when_the_registry_has_been_left(tmp_path: Path) -> None:
    stage, clock = Stage(), HandClock()
    async with clusters_of(tmp_path, stage, clock) as clusters:
        await clusters.create({"autotermination_minutes": 10}).ensure_running()
        async with clusters.lease(1, {"task_key": "bronze"}):
            pass
    assert (stage.pools_started, stage.pools_stopped) == (2, 2)
