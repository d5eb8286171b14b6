"""The whole application on a clock that stands still: a test moves time, kills the process, and starts it again.

Everything but the outer edge is real: routes, services, loops, and a SQLite file.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from app.assembly import Surroundings, assemble
from app.connection import WorkspaceConnection
from app.main import create_app
from app.settings import Settings
from backend.tests.support.clock import ManualClock
from backend.tests.support.simulated_workspace import JOB_ID, SimulatedWorkspace
from backend.tests.support.sqlite import lay_store
from backend.tests.support.waiting import until

HOST = "http://workspace.test"
QUIET_TURNS = 300


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that knows whether threads still work for it."""

    in_threads = 0

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        self.in_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._one_less)
        return future

    def _one_less(self, _future: Any) -> None:
        self.in_threads -= 1


class _Credentials:
    workspace_id = None

    def authenticate(self) -> dict[str, str]:
        return {"Authorization": "Bearer of-the-test"}


class _Connection(WorkspaceConnection):
    def sdk_config(self) -> Any:
        return _Credentials()


class DrivenBackend:
    """`start` and `kill` at will; between them requests go to `http` and time passes by `elapse`."""

    def __init__(self, data_dir: Path, workspace: SimulatedWorkspace, clock: ManualClock, **given: Any) -> None:
        given = {"databricks_job_id": JOB_ID, "petinsure_trigger_rate": 1e4, "petinsure_trigger_burst": 1e4} | given
        self.settings = Settings(_env_file=None, petinsure_data_dir=data_dir, **given)  # type: ignore[call-arg]
        self.workspace = workspace
        self.clock = clock
        self.app: FastAPI | None = None
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        connection = _Connection(
            kind="databricks",
            name="simulated",
            host=HOST,
            poll_interval_s=1.0,
            transport=httpx.MockTransport(self.workspace.handle),
        )
        surroundings = Surroundings(self.clock, random.Random(5))
        lay_store(self.settings.store_url)
        self.app = create_app(self.settings, workspace=connection, surroundings=surroundings)
        self._stack = AsyncExitStack()
        loops = await assemble(self.app, self.settings, connection, self._stack, surroundings)
        self._tasks = [asyncio.ensure_future(loop) for loop in loops]
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.http = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60)
        )
        await self.settle()

    async def kill(self) -> None:
        """Everything in memory is gone, without a word to anybody; what was committed stays."""
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await until(self._at_rest)
        await self._stack.aclose()
        self.app = None

    async def elapse(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Let time pass, in steps, and what is due happen."""
        while seconds > 0:
            self.clock.advance(min(step_s, seconds))
            seconds -= step_s
            await self.settle()

    async def during(self, request: Coroutine[Any, Any, httpx.Response], *, within_s: float = 40.0) -> httpx.Response:
        """The answer to a request, while time passes as far as it needs to."""
        pending = asyncio.ensure_future(request)
        await self.settle()
        while not pending.done() and within_s > 0:
            await self.elapse(1.0)
            within_s -= 1.0
        assert pending.done(), "the request was not answered in time"
        return pending.result()

    async def settle(self) -> None:
        """Return when nobody can go on without time passing."""
        quiet = 0
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0 if self._at_rest() else 0.0003)
            quiet = quiet + 1 if self._at_rest() else 0
        self._raise_faults()

    def _at_rest(self) -> bool:
        loop = asyncio.get_running_loop()
        threads: float = loop.in_threads if isinstance(loop, CountingLoop) else 0
        threads += current_default_thread_limiter().borrowed_tokens
        idle = self.app is None or self.app.state.database.idle
        return idle and threads == 0 and self.workspace.inside == self.workspace.waiting

    def _raise_faults(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                raise AssertionError("a background loop has ended") from task.exception()
