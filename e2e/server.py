"""The whole product as a user starts it: `petinsure360 serve` on free ports with a data directory of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from databricks.sdk import WorkspaceClient
from deltalake import DeltaTable

T = TypeVar("T")
READY_S = 60.0


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def until(what: str, look: Callable[[], T | None], within_s: float = 60.0) -> T:
    """The first truthy answer of `look`; fails with `what` when the time is over. A condition, not a pause."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"Waited {within_s:.0f} s in vain for: {what}")


class Server:
    """One data directory and the server process on it; may be stopped, killed and started again."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.workspace_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workspace_url = f"http://127.0.0.1:{self.workspace_port}"
        self._environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def start(self) -> None:
        """Start and wait until the API answers."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
        environment = {**clean, "PETINSURE_WORKSPACE_PORT": str(self.workspace_port), **self._environment}
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir.parent / f"{self.data_dir.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port), "--data-dir", str(self.data_dir)],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until("the server to answer", self._answers, READY_S)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"The server ended:\n{self.log()[-3000:]}"
        try:
            return self.http.get("/api/health/live").is_success
        except httpx.HTTPError:
            return False

    def interrupt(self) -> int:
        """Ctrl-C, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def kill(self) -> None:
        """kill -9 of the server alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """Stop, whatever state it is in."""
        self.http.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self) -> str:
        """Everything the server printed."""
        return (self.data_dir.parent / f"{self.data_dir.name}.log").read_text(errors="replace")

    # The truth that tests compare with: the workspace's own answers and the Delta tables read by delta-rs.

    def workspace(self) -> WorkspaceClient:
        """The official client, talking to the local workspace."""
        token = (self.data_dir / "workspace.token").read_text().strip()
        return WorkspaceClient(host=self.workspace_url, token=token, auth_type="pat")

    def table(self, name: str) -> DeltaTable:
        """A managed table of the lake (`silver.claims`), opened by delta-rs."""
        schema, table = name.split(".")
        return DeltaTable(self.data_dir / "workspace" / "tables" / "petinsure360" / schema / table)

    def rows(self, name: str) -> int:
        """Its row count."""
        return int(self.table(name).to_pyarrow_dataset().count_rows())

    # The product's API

    def get(self, path: str, **query: Any) -> Any:
        """A GET that must succeed."""
        response = self.http.get(path, params=query)
        assert response.is_success, f"{path}: {response.status_code} {response.text[:500]}"
        return response.json()

    def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """A POST, whatever its status."""
        return self.http.post(path, json=body, headers=headers)

    def trigger(self, layer: str, **more: Any) -> Any:
        """Trigger a layer; must be accepted."""
        response = self.post("/api/pipeline/databricks/trigger", {"layer": layer, **more})
        assert response.status_code == 202, response.text
        return response.json()

    def ended(self, run_id: int, within_s: float = 90.0) -> Any:
        """The run's detail once the product says that it has ended."""

        def look() -> Any:
            run = self.get(f"/api/pipeline/databricks/runs/{run_id}")
            return run if run["result"] and run["ended_at"] else None

        return until(f"run {run_id} to end", look, within_s)

    def first_run(self) -> Any:
        """The first run of a fresh start, ended."""

        def look() -> Any:
            runs = self.get("/api/pipeline/databricks/runs")["runs"]
            return runs[-1]["run_id"] if runs else None

        try:
            return self.ended(until("the first run to be accepted", look, 90))
        except AssertionError as vain:
            raise AssertionError(f"{vain}; the server printed:\n{self.log()[-5000:]}") from None


def processes_of(data_dir: Path) -> list[str]:
    """Command lines of live processes that name the data directory: what a stopped server must not leave behind."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environ = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(data_dir) in line or str(data_dir) in environ:
                found.append(f"{entry.name} {line}")
    return found
