"""A backend over a real local workspace with the notebooks deployed and a book landed."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from app.connection import WorkspaceConnection
from app.serve import plan_of
from app.services.deployment import Deployment
from app.services.workspace_process import WorkspaceProcess
from backend.tests.support.backend import Backend, running_backend, settings
from backend.tests.support.book import FILES
from backend.tests.support.waiting import until

RAW = "/Volumes/petinsure360/landing/raw"


@dataclass
class Lake:
    backend: Backend
    workspace: Any
    data_dir: Path

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.backend.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def land(self, claim: dict[str, Any]) -> None:
        answer = await self.backend.http.post("/api/claims", json=claim)
        assert (answer.status_code, answer.json()) == (201, {"claim_id": claim["claim_id"]})

    async def write(self, path: str, text: str) -> None:
        await self.workspace.write_file(f"{RAW}/{path}", text.encode())

    async def run(self, layer: str, **body: Any) -> dict[str, Any]:
        """Run a layer to its end, and wait until what it changed has been read."""
        run_id = (await self.backend.trigger(layer, **body))["run_id"]
        run = await self.backend.ended(run_id, within_s=180)
        assert run["result"] == "SUCCESS", run["error"]

        async def read() -> bool:
            return bool((await self.get("/api/pipeline/status"))["lake"]["run_id"] == run_id)

        await until(read, within_s=90)
        return run

    async def pending(self) -> dict[str, Any]:
        return await self.get("/api/pipeline/pending")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The truth: what delta-rs reads from the table's files."""
        schema, table = name.split(".")
        folder = self.data_dir / "workspace" / "tables" / "petinsure360" / schema / table
        found: list[dict[str, Any]] = DeltaTable(folder).to_pyarrow_table().to_pylist()
        return found

    def version(self, name: str) -> int:
        schema, table = name.split(".")
        return DeltaTable(self.data_dir / "workspace" / "tables" / "petinsure360" / schema / table).version()


@asynccontextmanager
async def running_lake(data_dir: Path) -> AsyncIterator[Lake]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        WorkspaceProcess(data_dir=data_dir, port=port) as process,
        running_backend(data_dir, process.host, process.token, kind="local", poll_interval_s=0.1) as backend,
    ):
        workspace = backend.app.state.workspace
        connection = WorkspaceConnection(kind="local", name="local", host=process.host, token=process.token)
        await Deployment(workspace, plan_of(settings(data_dir), connection)).deploy()
        lake = Lake(backend, workspace, data_dir)
        for path, text in FILES.items():
            await lake.write(path, text)
        yield lake
