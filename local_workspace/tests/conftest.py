"""Fixtures: a workspace whose notebooks the test plays, and the whole program as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from local_workspace.tests.serving_app import Served, workspace
from local_workspace.tests.stages import Stage

collect_ignore = [] if os.environ.get("SPARK_REMOTE") else ["test_engine_spark.py"]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def staged(tmp_path: Path, stage: Stage) -> Iterator[Served]:
    """A served workspace whose notebooks `stage` plays; no worker process is started."""
    with workspace(tmp_path, new_pool=stage.new_pool) as served:
        yield served


@dataclass(frozen=True)
class Program:
    """`python -m local_workspace` while it runs."""

    process: subprocess.Popen[str]
    host: str
    data_dir: Path

    @property
    def token(self) -> str:
        return (self.data_dir / "workspace.token").read_text().strip()

    def client(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.host, token=self.token)


@contextmanager
def program(data_dir: Path, *options: str, port: int = 0) -> Iterator[Program]:
    """The program as a user starts it, on a free port; ended with SIGTERM when the block is left."""
    command = [sys.executable, "-m", "local_workspace", "--port", str(port), "--data-dir", str(data_dir), *options]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield Program(process, _ready_host(process), data_dir)
        finally:
            process.terminate()
            process.wait(10)


def _ready_host(process: subprocess.Popen[str]) -> str:
    """The address that the program says it listens on."""
    assert process.stdout is not None
    for line in process.stdout:
        told = json.loads(line)
        if told["event"] == "workspace_ready":
            return str(told["host"])
    raise AssertionError(f"the program ended with {process.wait()} before it was ready")


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One program for the tests that run notebooks for real; its workers cost seconds, so it is shared."""
    with program(tmp_path_factory.mktemp("live")) as running:
        yield running
