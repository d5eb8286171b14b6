"""A pool whose notebooks are played by the test: the outer edge of the scheduler.

What a notebook does is chosen by its path: the test registers a coroutine function per path, and may hold it back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from local_workspace.engine.tasks import TaskOutcome, TaskRequest

Part = Callable[[TaskRequest], Awaitable[TaskOutcome]]


@dataclass
class Stage:
    """What the played notebooks do, what they were asked, and how many pools exist."""

    parts: dict[str, Part] = field(default_factory=dict)
    requests: list[TaskRequest] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    pools_started: int = 0
    pools_stopped: int = 0
    start_fault: Exception | None = None
    start_gate: threading.Event | None = None
    stop_fault: Exception | None = None
    worker_gate: threading.Event | None = None
    worker_fault: Exception | None = None

    def seen(self, path: str) -> list[TaskRequest]:
        return [request for request in self.requests if request.notebook_path == path]

    def new_pool(self) -> StagePool:
        return StagePool(self)


class StagePool:
    """Behaves to the scheduler as a pool of workers does: cancelling a run kills it before it returns."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stopped = asyncio.Event()
        self._crashes: dict[int, asyncio.Event] = {}

    async def start(self) -> None:
        if self._stage.start_gate is not None:
            await opened(self._stage.start_gate)
        if self._stage.start_fault is not None:
            raise self._stage.start_fault
        self._stage.pools_started += 1

    async def stop(self) -> None:
        self._stage.pools_stopped += 1
        self._stopped.set()
        if self._stage.stop_fault is not None:
            raise self._stage.stop_fault

    async def run(self, request: TaskRequest, started: Callable[[], None]) -> TaskOutcome:
        if self._stage.worker_gate is not None:
            await opened(self._stage.worker_gate)
        if self._stage.worker_fault is not None:
            raise self._stage.worker_fault
        crash = self._crashes[request.task_run_id] = asyncio.Event()
        started()
        self._stage.requests.append(request)
        part = asyncio.ensure_future(self._stage.parts.get(request.notebook_path, succeed)(request))
        ends = {asyncio.ensure_future(event.wait()) for event in (self._stopped, crash)}
        try:
            await asyncio.wait({part, *ends}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._stage.killed.append(request.context.task_key)
            raise
        finally:
            del self._crashes[request.task_run_id]
            for end in ends:
                end.cancel()
            if not part.done():
                part.cancel()
        return part.result() if part.done() and not part.cancelled() else TaskOutcome("crashed", error="Killed.")

    def kill_worker(self, task_run_id: int) -> bool:
        crash = self._crashes.get(task_run_id)
        if crash is not None:
            crash.set()
        return crash is not None


async def opened(gate: threading.Event) -> None:
    """Wait for a gate that the test's thread opens."""
    while not gate.is_set():  # noqa: ASYNC110 - it is opened from another thread
        await asyncio.sleep(0.005)


async def succeed(request: TaskRequest) -> TaskOutcome:
    return TaskOutcome("success", result=f'{{"task": "{request.context.task_key}"}}')


async def fail(_request: TaskRequest) -> TaskOutcome:
    return TaskOutcome("failed", error="ValueError: no such claim", error_trace="Traceback: …")


def held(gate: threading.Event, then: Part = succeed) -> Part:
    """Do `then` once the test opens the gate."""

    async def part(request: TaskRequest) -> TaskOutcome:
        await opened(gate)
        return await then(request)

    return part


def in_turn(*parts: Part) -> Part:
    """Another part at each attempt, the last for all that follow."""
    waiting = list(parts)

    async def part(request: TaskRequest) -> TaskOutcome:
        chosen = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return await chosen(request)

    return part
