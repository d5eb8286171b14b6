"""The local workspace as a program of its own, on the data of a server that has deployed and run once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from e2e.server import Server, free_port, until

POLL_INTERVAL_S = 0.25  # the default against the workspace that `serve` starts itself
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "PETINSURE_"))}


def used_once(data_dir: Path) -> None:
    """Leave in the folder what a first start does: job, notebooks, demo data, one run of all layers."""
    server = Server(data_dir)
    try:
        server.start()
        server.first_run()
        server.interrupt()
    finally:
        server.close()


@contextmanager
def outside_workspace(data_dir: Path) -> Iterator[httpx.Client]:
    """The workspace of the folder, with its token; it ends with the block."""
    port = free_port()
    program = [sys.executable, "-m", "local_workspace", "--exit-with-parent", "--port", str(port)]
    with (data_dir.parent / "workspace.log").open("ab") as log:
        process = subprocess.Popen([*program, "--data-dir", str(data_dir)], env=CLEAN, stdout=log, stderr=log)
    token = (data_dir / "workspace.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False) as client:

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return client.get("/api/local/health").is_success
            return False

        try:
            until("the workspace to answer", answers)
            yield client
        finally:
            process.terminate()
            process.wait(30)


def pointing_at(host: str, workspace: httpx.Client) -> dict[str, str]:
    """Settings of a server that reaches the workspace at `host`, and polls it as it would poll its own."""
    token = workspace.headers["Authorization"].removeprefix("Bearer ")
    return {"DATABRICKS_HOST": host, "DATABRICKS_TOKEN": token, "PIPELINE_POLL_INTERVAL_S": str(POLL_INTERVAL_S)}
