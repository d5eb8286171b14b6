"""Warm workers for notebooks: each serves one task and is replaced when that disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict

import structlog

from local_workspace.engine.nursery import Nursery, Worker, WorkerDied
from local_workspace.engine.process_life import kill_group
from local_workspace.engine.tasks import NoWorker, TaskOutcome, TaskRequest

log = structlog.get_logger(__name__)

_REFILL_AFTER_S = 0.3
_LONG_TASK_S = 5.0


class WorkerPool:
    """Up to `size` warm workers.

    After a task its worker is replaced once the pool has been idle for a moment, or tasks have run for a while, so
    that warming up does not compete with the next task of a pipeline. When the last warm worker is taken, another is
    begun at once.
    """

    def __init__(self, *, nursery: Nursery, size: int) -> None:
        self._size = size
        self._nursery = nursery
        self._workers: set[Worker] = set()
        self._warm: asyncio.Queue[Worker] = asyncio.Queue()
        self._warming: set[asyncio.Task[None]] = set()
        self._busy: dict[int, Worker] = {}
        self._refill: asyncio.TimerHandle | None = None
        self._tasks = 0
        self._stopped = True
        self._fault: str | None = None

    async def start(self) -> None:
        """Return when the first worker is warm; the others follow. Raises: NoWorker when none can start."""
        self._stopped = False
        try:
            worker = await self._new_warm_worker()
        except WorkerDied as death:
            raise NoWorker(f"A worker process {death}.") from death
        self._warm.put_nowait(worker)
        self._refill_later(0)

    async def stop(self) -> None:
        """Kill every worker, running ones too, and free the memory."""
        self._stopped = True
        if self._refill is not None:
            self._refill.cancel()
        for task in self._warming:
            task.cancel()
        if self._warming:
            await asyncio.wait(self._warming)
        await asyncio.gather(*(worker.kill() for worker in list(self._workers)))
        while not self._warm.empty():
            self._warm.get_nowait()

    async def run(self, request: TaskRequest, started: Callable[[], None] = lambda: None) -> TaskOutcome:
        """Run a notebook; `started` is called once a worker has been taken for it.

        Cancelling kills the worker and returns only when that is dead. Raises: NoWorker when none can be started.
        """
        self._tasks += 1
        try:
            worker = await self._take()
            self._busy[request.task_run_id] = worker
            try:
                started()
                return await self._outcome(worker, request)
            finally:
                del self._busy[request.task_run_id]
                await worker.kill()
        finally:
            self._tasks -= 1
            self._refill_later(_REFILL_AFTER_S)

    def kill_worker(self, task_run_id: int) -> bool:
        """Kill the process that runs this task, as a machine that fails would; False when none runs it."""
        worker = self._busy.get(task_run_id)
        if worker is None or worker.pid is None:
            return False
        kill_group(worker.pid)
        return True

    async def _outcome(self, worker: Worker, request: TaskRequest) -> TaskOutcome:
        try:
            answer = await worker.ask({"do": "run", "request": _wire(request)})
        except WorkerDied as death:
            if not self._stopped:
                log.warning("worker_died", task_run_id=request.task_run_id, how=str(death))
            return TaskOutcome("crashed", error=f"The worker process that ran the notebook {death}.")
        return TaskOutcome(**answer["outcome"])

    async def _take(self) -> Worker:
        """A warm worker that is still alive. Raises: NoWorker when none can be had."""
        while True:
            if self._warm.empty() and not self._warming:
                self._begin_warming()
            if self._fault is not None and self._warm.empty():
                fault, self._fault = self._fault, None
                raise NoWorker(f"A worker process {fault}.")
            worker = await self._next_warm()
            if worker is not None and not worker.ended.done():
                if self._warm.empty() and not self._warming and self._size > 1:
                    self._begin_warming()
                else:
                    self._refill_later(_LONG_TASK_S)
                return worker

    async def _next_warm(self) -> Worker | None:
        """None when what was being warmed up ended without one."""
        getting = asyncio.ensure_future(self._warm.get())
        try:
            await asyncio.wait({getting, *self._warming}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if getting.done():
                self._warm.put_nowait(getting.result())
            getting.cancel()
            raise
        if getting.done():
            return getting.result()
        getting.cancel()
        return None

    def _begin_warming(self) -> None:
        if self._stopped:
            raise NoWorker("The workers were stopped with their cluster.")
        task = asyncio.create_task(self._warm_one())
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def _warm_one(self) -> None:
        try:
            worker = await self._new_warm_worker()
        except Exception as fault:  # whatever it is, the task that waits for this worker is told
            log.exception("worker_not_started")
            self._fault = str(fault)
            return
        self._warm.put_nowait(worker)

    async def _new_warm_worker(self) -> Worker:
        """A worker that dies while it warms up is tried once more: its nursery may have died with it unnoticed."""
        try:
            return await self._warmed_up()
        except WorkerDied as death:
            log.warning("worker_died_warming_up", how=str(death))
            return await self._warmed_up()

    async def _warmed_up(self) -> Worker:
        worker = await self._nursery.new_worker()
        self._workers.add(worker)
        worker.ended.add_done_callback(lambda _: self._workers.discard(worker))
        await worker.warm()
        return worker

    def _refill_later(self, delay_s: float) -> None:
        """Fill up after a while; a task that begins meanwhile puts it off until tasks have run long."""
        if self._refill is not None:
            self._refill.cancel()
        if not self._stopped:
            self._refill = asyncio.get_running_loop().call_later(delay_s, self._fill_up)

    def _fill_up(self) -> None:
        """One worker at a time: two that warm up side by side are ready no sooner."""
        self._refill = None
        if self._stopped or self._fault is not None:
            return
        if self._warm.qsize() + len(self._warming) < self._size and not self._warming:
            self._begin_warming()
            for task in self._warming:
                task.add_done_callback(lambda _: self._refill_later(0 if self._tasks == 0 else _LONG_TASK_S))


def _wire(request: TaskRequest) -> dict[str, object]:
    return asdict(request) | {"output_dir": str(request.output_dir)}
