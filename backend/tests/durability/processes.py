"""The real programs as processes: started, killed without warning, started again at the same address."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from backend.tests.conftest import CHECKOUT
from backend.tests.support.waiting import until

READY_S = 120.0
# A connection that is kept may be closed by the server just as it is used again: a fault that nobody asked for.
ONE_EACH = httpx.Limits(max_keepalive_connections=0)
OURS = ("DATABRICKS_", "PETINSURE_", "PIPELINE_", "DATABASE_URL")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nursery:
    """Starts backends; see nursery.py."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def start(self, **wanted: Any) -> int:
        """The process id of a new backend."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
            return int(await self._process.stdout.readline())


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery while the block lasts; whatever it started ends with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("nursery.py")),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=CLEAN, cwd=CHECKOUT,
    )  # fmt: skip
    try:
        yield Nursery(process)
    finally:
        process.kill()
        await process.wait()


class BackendProcess:
    """One data directory and the backend on it."""

    def __init__(self, starter: Nursery, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.database = directory / "data" / "petinsure.db"
        self.http: httpx.AsyncClient
        self._starter = starter
        self._environment = CLEAN | environment
        self._port = free_port()
        self._pid: int | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.starts = 0

    async def start(self) -> None:
        """Return when it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._pid = await self._starter.start(
            arguments=["serve", "--port", str(self._port), "--data-dir", str(self.directory / "data")],
            environment=self._environment,
            directory=str(self.directory),
            log=str(self.directory / "backend.log"),
        )
        self.starts += 1
        self.http = httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False, limits=ONE_EACH)
        await until(self._answers, within_s=READY_S)

    async def kill(self) -> None:
        """kill -9; returns when it is gone."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
        await until(self._gone)
        self._pid = None
        await self.http.aclose()

    @property
    def runs(self) -> bool:
        return self._pid is not None

    async def _answers(self) -> bool:
        assert not self._gone(), (self.directory / "backend.log").read_text()[-3000:]
        with contextlib.suppress(httpx.TransportError):
            return (await self.http.get("/api/health/live")).is_success
        return False

    def _gone(self) -> bool:
        try:
            os.kill(self._pid or 0, 0)
        except ProcessLookupError:
            return True
        return False


class WorkspaceProcess:
    """The local workspace with its switchboard."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.host = f"http://127.0.0.1:{self._port}"
        self.http: httpx.AsyncClient

    @property
    def token(self) -> str:
        return (self.data_dir / "workspace.token").read_text().strip()

    async def start(self) -> None:
        """Return when it answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        limits = {"PETINSURE_WORKSPACE_WARM_WORKERS": "2", "PETINSURE_AUTOTERMINATION_MINUTES": "0"}
        with (self.data_dir / "workspace.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "local_workspace", "--exit-with-parent",
                "--port", str(self._port), "--data-dir", str(self.data_dir),
                cwd=CHECKOUT, env=CLEAN | limits, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        async with httpx.AsyncClient(trust_env=False) as http:

            async def answers() -> bool:
                assert self._process is not None
                assert self._process.returncode is None, (self.data_dir / "workspace.log").read_text()[-3000:]
                with contextlib.suppress(httpx.TransportError):
                    return (await http.get(f"{self.host}/api/local/health")).is_success
                return False

            await until(answers, within_s=READY_S)
        headers = {"Authorization": f"Bearer {self.token}"}
        self.http = httpx.AsyncClient(base_url=self.host, headers=headers, timeout=60, trust_env=False, limits=ONE_EACH)

    async def kill(self) -> None:
        """kill -9; its workers die with it."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self.http.aclose()

    async def stop(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
            await self.http.aclose()
