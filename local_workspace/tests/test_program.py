"""The program as a process: how it starts, how it ends, and what it keeps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local_workspace.tests.conftest import program
from local_workspace.tests.waiting import until

MODULE = [sys.executable, "-m", "local_workspace"]
ROOT = Path(__file__).parents[2]


def is_gone(pid: int) -> bool:
    """No such process, or only its entry for a parent that has not asked yet."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with program(tmp_path) as running:
        assert httpx.get(running.host + "/api/local/health").status_code == 200
        running.process.send_signal(number)
        assert running.process.wait(5) == 0


def test_jobs_survive_a_kill_and_the_workspace_keeps_its_number(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        client = running.client()
        number = client.get_workspace_id()
        job_id = client.jobs.create(name="kept", tasks=[]).job_id
        running.process.kill()
        running.process.wait(5)
    with program(tmp_path) as again:
        assert job_id is not None
        settings = again.client().jobs.get(job_id).settings
        assert settings is not None
        assert settings.name == "kept"
        assert again.client().get_workspace_id() == number


def test_two_servers_never_share_a_data_directory(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        command = [*MODULE, "--port", "0", "--data-dir", str(tmp_path)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 2
        assert f"in use by another local workspace (process {running.process.pid})" in second.stderr


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with program(tmp_path / "a") as running:
        port = running.host.rpartition(":")[2]
        command = [*MODULE, "--port", port, "--data-dir", str(tmp_path / "b")]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 2
    assert second.stderr.startswith("The local workspace cannot start: ")
    assert "Traceback" not in second.stderr


def test_the_program_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    command = [*MODULE, "--port", "0", "--data-dir", str(tmp_path), "--exit-with-parent"]
    starter = f"import subprocess; p = subprocess.Popen({command!r}); print(p.pid, flush=True); p.wait()"
    with subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert json.loads(parent.stdout.readline())["event"] == "workspace_ready"
        parent.kill()
        until(lambda: is_gone(child), deadline_s=10)


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        port = int(running.host.rpartition(":")[2])
        listening = [line.split()[1] for line in _tcp_tables() if line.split()[3] == "0A"]
        mine = [address for address in listening if int(address.rpartition(":")[2], 16) == port]
        assert mine == [f"0100007F:{port:04X}"]


def test_the_token_is_in_no_log(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        running.client().current_user.me()
        token = running.token
        running.process.send_signal(signal.SIGTERM)
        assert running.process.stdout is not None
        rest = running.process.stdout.read()
        assert token not in rest
        assert running.process.wait(5) == 0
    assert os.environ.get("DATABRICKS_TOKEN") != token


def _tcp_tables() -> list[str]:
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    return [line for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
