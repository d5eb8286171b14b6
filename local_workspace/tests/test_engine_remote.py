"""SPARK_REMOTE: a Spark Connect server that somebody else runs, here a Sail server of its own process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_workspace.engine.nursery import Nursery, WorkerDied
from local_workspace.engine.pool import WorkerPool
from local_workspace.engine.sql_executor import SqlExecutor
from local_workspace.storage import Storage
from local_workspace.tests.live_engine import Bench, LoopThread

ROOT = Path(__file__).parents[2]
_SAIL = """
import sys
from pysail.spark import SparkConnectServer
server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
print(server.listening_address[1], flush=True)
sys.stdin.read()
"""
_CATALOGS = {
    "SAIL_CATALOG__LIST": '[{type="memory", name="petinsure360", initial_database=["default"]}]',
    "SAIL_CATALOG__DEFAULT_CATALOG": "petinsure360",
}


@contextmanager
def sail(**environment: str) -> Iterator[str]:
    """The address of a Sail server that runs until the block is left."""
    command = [sys.executable, "-c", _SAIL]
    told, heard = subprocess.PIPE, subprocess.PIPE
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SAIL_")}
    with subprocess.Popen(command, stdin=heard, stdout=told, text=True, env=clean | environment) as process:
        assert process.stdout is not None
        try:
            yield f"sc://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def refusal(data_dir: Path, url: str) -> str:
    """What a worker says that cannot work with the server at `url`."""
    loop = LoopThread()
    nursery = Nursery(Storage(data_dir), url)
    try:
        with pytest.raises(WorkerDied) as refused:
            loop.call(nursery.prove())
    finally:
        loop.call(nursery.stop())
        loop.close()
    return str(refused.value)


def test_notebooks_and_statements_run_on_the_server_that_was_named(tmp_path: Path) -> None:
    with sail(**_CATALOGS) as url:
        made = Bench(tmp_path)
        nursery = Nursery(made.storage, url)
        made.pool = WorkerPool(nursery=nursery, size=1)
        executor = SqlExecutor(nursery)
        try:
            made.loop.call(made.pool.start())
            source = (
                "spark.sql('CREATE SCHEMA IF NOT EXISTS petinsure360.silver')\n"
                "spark.range(3).write.saveAsTable('petinsure360.silver.three')\n"
                "dbutils.notebook.exit(spark.table('petinsure360.silver.three').count())"
            )
            outcome = made.run(source)
            assert (outcome.status, outcome.result) == ("success", "3"), outcome.error
            rows = made.loop.call(executor.execute("SELECT count(*) FROM petinsure360.silver.three")).rows
            history = made.loop.call(executor.execute("DESCRIBE HISTORY petinsure360.silver.three")).rows
        finally:
            made.loop.call(made.pool.stop())
            made.loop.call(nursery.stop())
            made.loop.close()
    assert rows == [["3"]]
    assert history
    assert (made.storage.table_path("petinsure360", "silver", "three") / "_delta_log").is_dir()


def test_a_server_without_the_catalog_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with sail() as url:
        told = refusal(tmp_path, url)
    assert "has no catalog 'petinsure360'" in told
    assert "SAIL_CATALOG__LIST" in told


def test_a_server_that_does_not_answer_is_refused_at_once_without_telling_a_token(tmp_path: Path) -> None:
    told = refusal(tmp_path, "sc://127.0.0.1:1/;token=secret")
    assert "nothing answers at sc://127.0.0.1:1" in told
    assert "secret" not in told


def test_the_program_refuses_to_start_with_an_engine_that_it_cannot_use(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local_workspace", "--port", "0", "--data-dir", str(tmp_path)]
    environment = os.environ | {"SPARK_REMOTE": "localhost:15002"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        "The local workspace cannot start: its engine could not be started: "
        "SPARK_REMOTE must look like sc://host:port; it is 'localhost:15002'."
    )
