"""Run a command beside an Apache Spark Connect server: `python -m deploy.apache_spark COMMAND …`.

The server listens on loopback, has Delta Lake, two cores and an empty catalog, and ends with the command, which finds
it by SPARK_REMOTE. Made by `deploy/install_spark.sh`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[1] / ".venv-spark"
_STARTS_WITHIN_S = 120.0
_CONF = {
    "spark.master": "local[2]",
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.shuffle.partitions": "2",  # as many as there are cores; the default of 200 would be unfair to Spark
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.session.localRelationSizeLimit": "3221225472",  # the default, in the form that pyspark-client 4.2 reads
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}
_SMALL_DATA_CONF = {
    # Compiling a plan takes seconds, its few rows none: with these a test takes a fraction of the time.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}


class SparkMissing(Exception):
    """Apache Spark was not installed, or did not start; the text says what to do."""


@contextmanager
def server(*, small_data: bool = False) -> Iterator[str]:
    """The address of a fresh server, as SPARK_REMOTE wants it. Raises: SparkMissing.

    `small_data` interprets plans instead of compiling them: quick for tests, slow for much data.
    """
    home = _home()
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "server.log")
        command = _command(home, _settings(port, Path(folder), small_data))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=os.environ | {"SPARK_HOME": str(home)}, cwd=folder,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            _wait(process, port, log)
            yield f"sc://127.0.0.1:{port}"
        finally:
            _stop(process)


def _home() -> Path:
    homes = sorted(ENVIRONMENT.glob("lib/python3*/site-packages/pyspark"))
    if not homes or not (ENVIRONMENT / "delta").is_dir():
        raise SparkMissing("Apache Spark is not installed; `make test-spark` installs it, and needs Java 17.")
    return homes[0]


def _settings(port: int, folder: Path, small_data: bool) -> dict[str, str]:
    own = {
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
    }
    return _CONF | own | (_SMALL_DATA_CONF if small_data else {})


def _command(home: Path, conf: dict[str, str]) -> list[str]:
    settings = [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
    jars = ",".join(str(jar) for jar in sorted((ENVIRONMENT / "delta").glob("*.jar")))
    program = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--jars", jars]
    return [str(home / "bin" / "spark-submit"), *program, *settings]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SparkMissing(f"Apache Spark did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The launcher and the Java process are one group of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main(command: list[str]) -> int:
    """The command's exit code."""
    if not command or shutil.which(command[0]) is None:
        sys.stderr.write("usage: python -m deploy.apache_spark COMMAND …\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the server is stopped too
    try:
        with server(small_data=True) as url:
            return subprocess.run(command, env=os.environ | {"SPARK_REMOTE": url}, check=False).returncode
    except SparkMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
