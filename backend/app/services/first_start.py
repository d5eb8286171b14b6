"""What `serve` does by itself on the local workspace: deploy; on an empty data directory, demo data and one full run.

A marker file makes the first run survive a kill: it is there from the decision until the ledger holds the submission.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

import structlog

from app.domain.errors import WorkspaceError
from app.services.deployment import Deployment, WorkspaceApi

log = structlog.get_logger()
T = TypeVar("T")

FIRST_RUN_MARKER = "first-run.pending"  # in the data directory

RETRY_PAUSE_S = 1.0  # doubles with every further one
LONGEST_PAUSE_S = 60.0


class DemoDataFailed(Exception):
    """The data generator ended with an error; the text carries its last words."""


class FirstStart:
    """Prepares the local workspace once per start of the server."""

    def __init__(
        self,
        *,
        api: WorkspaceApi,
        deployment: Deployment,
        prepared: asyncio.Event,
        landing_path: str,
        demo_claims: int,
        marker: Path,
        start_first_run: Callable[[], Awaitable[None]],
    ) -> None:
        """`prepared` is set once notebooks and, on a first start, landing data are there, or will not be."""
        self._api = api
        self._deployment = deployment
        self._prepared = prepared
        self._landing_path = landing_path
        self._demo_claims = demo_claims
        self._marker = marker
        self._start_first_run = start_first_run

    async def run(self) -> None:
        """Deploy; then, where the marker stands, generate the landing data and start the first full run."""
        is_first = self._marker.exists()
        try:
            await _until_it_works(self._deployment.deploy)
            if is_first:
                await generate_demo_data(await _until_it_works(self._landing_folder), self._demo_claims)
        finally:
            self._prepared.set()
        if is_first:
            await _until_it_works(self._start_first_run)
            self._marker.unlink()

    async def _landing_folder(self) -> Path:
        """The local folder behind the landing path; the local workspace names it as the volume's storage location."""
        _, catalog, schema, volume, *below = self._landing_path.strip("/").split("/")
        found = await self._api.get(f"/api/2.1/unity-catalog/volumes/{catalog}.{schema}.{volume}")
        return Path(urlparse(str(found["storage_location"])).path, *below)


async def _until_it_works(attempt: Callable[[], Awaitable[T]]) -> T:
    """What it returns, however often it has to be tried: whoever waits for the first run cannot ask for it again."""
    pause_s = RETRY_PAUSE_S
    while True:
        try:
            return await attempt()
        except WorkspaceError as fault:
            log.warning("first_start_postponed", reason=str(fault), retry_in_s=pause_s)
        except Exception:
            log.exception("first_start_postponed", retry_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def generate_demo_data(folder: Path, claims: int) -> None:
    """Write demo landing data with so many claims; a program of its own, so that no numpy is loaded here."""
    log.info("demo_data_started", folder=str(folder))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "data_generator", "--out", str(folder), "--claims", str(claims),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise DemoDataFailed(said.decode(errors="replace")[-2000:])
    log.info("demo_data_finished", folder=str(folder))
