"""Faults of compute: a cluster that starts late or not at all, a worker process that is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from local_workspace.clock import Clock
from local_workspace.compute.cluster import NewPool, Pool
from local_workspace.engine.tasks import NoWorker, TaskOutcome, TaskRequest
from local_workspace.faults.switchboard import ArmedRule, Switchboard


def with_faults(new_pool: NewPool, switchboard: Switchboard, clock: Clock) -> NewPool:
    """Pools as `new_pool` makes them, to which the rules may happen."""

    def make() -> Pool:
        return _FaultyPool(new_pool(), switchboard, clock)

    return make


class _FaultyPool:
    """A pool that behaves as its own one does, as long as no rule fires."""

    def __init__(self, pool: Pool, switchboard: Switchboard, clock: Clock) -> None:
        self._pool = pool
        self._switchboard = switchboard
        self._clock = clock

    async def start(self) -> None:
        armed = self._switchboard.for_cluster()
        if armed is not None:
            armed.struck()
            if armed.rule.kind == "failed_cluster_start":
                raise NoWorker(armed.parameters["message"])
            await self._clock.sleep(armed.parameters["seconds"])
        await self._pool.start()

    async def stop(self) -> None:
        await self._pool.stop()

    async def run(self, request: TaskRequest, started: Callable[[], None]) -> TaskOutcome:
        armed = self._switchboard.for_task(request.context.task_key)
        if armed is None:
            return await self._pool.run(request, started)
        killing: list[asyncio.Task[None]] = []

        def begun() -> None:
            started()
            if armed.parameters["after_s"]:
                killing.append(asyncio.ensure_future(self._kill_later(armed, request.task_run_id)))
            else:  # a short notebook would have ended by the time that a task gets its turn
                self._kill(armed, request.task_run_id)

        try:
            return await self._pool.run(request, begun)
        finally:
            for task in killing:
                task.cancel()

    def kill_worker(self, task_run_id: int) -> bool:
        return self._pool.kill_worker(task_run_id)

    async def _kill_later(self, armed: ArmedRule, task_run_id: int) -> None:
        await self._clock.sleep(armed.parameters["after_s"])
        self._kill(armed, task_run_id)

    def _kill(self, armed: ArmedRule, task_run_id: int) -> None:
        if self._pool.kill_worker(task_run_id):
            armed.struck()
