"""The local workspace as a process of its own (the backend meets it over HTTP, in tests too), and both stores."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from backend.tests.support.postgresql import PostgresqlServer

CHECKOUT = Path(__file__).parents[2]
READY_WITHIN_S = 60.0
LANDING = "workspace/volumes/petinsure360/landing/raw"


@dataclass(frozen=True)
class LocalWorkspace:
    host: str
    token: str
    data_dir: Path

    def table(self, name: str) -> Path:
        """The folder of a managed table, `schema.table`."""
        return self.data_dir / "workspace" / "tables" / "petinsure360" / Path(*name.split("."))


@pytest.fixture(scope="session")
def local_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A running local workspace with nothing deployed and a little landing data."""
    data_dir = tmp_path_factory.mktemp("workspace")
    port = _free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "PETINSURE_"))}
    environment = clean | {"PETINSURE_WORKSPACE_WARM_WORKERS": "1"}
    program = [sys.executable, "-m", "local_workspace", "--port", str(port), "--data-dir", str(data_dir)]
    generator = [sys.executable, "-m", "data_generator", "--claims", "400", "--seed", "7", "--out", data_dir / LANDING]
    subprocess.run(generator, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
    with (data_dir / "workspace.log").open("w") as log:
        process = subprocess.Popen(program, cwd=CHECKOUT, env=environment, stdout=log, stderr=log)
    try:
        _until_ready(process, port, data_dir)
        token = (data_dir / "workspace.token").read_text().strip()
        yield LocalWorkspace(f"http://127.0.0.1:{port}", token, data_dir)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of this test session."""
    from backend.tests.support.postgresql import running_postgresql  # only these tests need the driver

    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgresql: PostgresqlServer) -> str:
    """The name of a database at the newest revision, to be copied."""
    return postgresql.make_template()


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer, migrated: str) -> Iterator[str]:
    """A PostgreSQL store of the test's own, empty and at the newest revision."""
    with postgresql.database(migrated) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind at the newest revision; the test runs once on each."""
    if request.param == "sqlite":
        from backend.tests.support.sqlite import lay_store

        here = f"sqlite:///{tmp_path / 'store.db'}"
        lay_store(here)
        return here
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def on_both_stores(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every backend that the test starts uses this store, as DATABASE_URL would have it."""
    monkeypatch.setenv("DATABASE_URL", store_url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(process: subprocess.Popen[bytes], port: int, data_dir: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the local workspace ended: {(data_dir / 'workspace.log').read_text()[-2000:]}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/local/health", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the local workspace was not ready: {(data_dir / 'workspace.log').read_text()[-2000:]}")
