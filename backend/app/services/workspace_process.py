"""Keeping the local workspace alive as a child process: started once, restarted when it dies, stopped with us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import httpx
import structlog

log = structlog.get_logger()

STOP_GRACE_S = 8.0
READY_TIMEOUT_S = 180.0  # seconds are usual; the first statement of a cold Apache Spark (SPARK_REMOTE) takes a minute
RESTART_PAUSE_S = (0.2, 1.0, 3.0, 10.0)
LIVED_LONG_S = 60.0


class WorkspaceDidNotStart(Exception):
    """The local workspace ended or stayed silent instead of answering; the text says what to do."""


class WorkspaceProcess:
    """An async context manager around `python -m local_workspace`.

    It runs in a session of its own, so that Ctrl-C reaches it through us and in order, and it ends by itself
    should we be killed (`--exit-with-parent`).
    """

    def __init__(self, *, data_dir: Path, port: int) -> None:
        self._data_dir = data_dir
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def host(self) -> str:
        """The workspace's address, as DATABRICKS_HOST would name it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def token(self) -> str:
        """The token the workspace demands; it made it at its first start."""
        return (self._data_dir / "workspace.token").read_text().strip()

    async def __aenter__(self) -> WorkspaceProcess:
        await self._spawn()
        try:
            await self._until_ready()
        except BaseException:
            await self._stop()
            raise
        self._keeper = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._stop()

    async def _spawn(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "local_workspace",
            "--port", str(self._port), "--data-dir", str(self._data_dir), "--exit-with-parent",
            start_new_session=True,
            env={**os.environ, "RUST_LOG": os.environ.get("RUST_LOG", "error")},
        )  # fmt: skip
        log.info("workspace_started", pid=self._process.pid, port=self._port)

    async def _until_ready(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_TIMEOUT_S
        async with httpx.AsyncClient(trust_env=False) as client:
            while loop.time() < deadline:
                self._raise_if_ended()
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.host}/api/local/health")).is_success:
                        return
                await asyncio.sleep(0.05)
        raise WorkspaceDidNotStart(f"The local workspace did not answer on {self.host} within {READY_TIMEOUT_S:.0f} s.")

    def _raise_if_ended(self) -> None:
        process = self._process
        if process is not None and process.returncode is not None:
            raise WorkspaceDidNotStart(
                f"The local workspace ended at once (exit code {process.returncode}). Is port {self._port} taken? "
                "Its message stands above; PETINSURE_WORKSPACE_PORT names another port."
            )

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            assert self._process is not None
            code = await self._process.wait()
            failures = 0 if loop.time() - started > LIVED_LONG_S else failures + 1
            pause = RESTART_PAUSE_S[min(failures, len(RESTART_PAUSE_S) - 1)]
            log.error("workspace_died", exit_code=code, restart_in_s=pause)
            await asyncio.sleep(pause)
            await self._spawn()

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_GRACE_S)
        except TimeoutError:
            log.error("workspace_killed", pid=process.pid, grace_s=STOP_GRACE_S)
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
