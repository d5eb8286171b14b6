"""The command line against the running server; the oracle is the workspace's own list of runs."""

from __future__ import annotations

import os
import subprocess
import sys

from e2e.server import Server


def petinsure360(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PETINSURE_URL": server.url,
        "PETINSURE_DATA_DIR": str(server.data_dir),
        "PETINSURE_WORKSPACE_PORT": str(server.workspace_port),
    }
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words], env=environment, capture_output=True, text=True, check=False
    )


def test_trigger_watch_follows_a_run_to_its_success(server: Server) -> None:
    before = {run.run_id for run in server.workspace().jobs.list_runs()}
    told = petinsure360(server, "trigger", "gold", "--reason", "from the terminal", "--watch")
    assert told.returncode == 0, told.stdout + told.stderr
    [new] = {run.run_id for run in server.workspace().jobs.list_runs()} - before
    assert f"started run {new}" in told.stdout
    assert "SUCCESS in" in told.stdout
    assert str(new) in petinsure360(server, "runs").stdout
    assert petinsure360(server, "watch", str(new)).returncode == 0


def test_refusals_are_words_and_exit_codes(server: Server) -> None:
    unknown_layer = petinsure360(server, "trigger", "platinum")
    unknown_run = petinsure360(server, "cancel", "1")
    nobody = petinsure360(server, "runs", "--url", "http://127.0.0.1:9")
    assert [one.returncode for one in (unknown_layer, unknown_run, nobody)] == [2, 2, 2]
    assert "gold" in unknown_layer.stderr
    assert "petinsure360 serve" in nobody.stderr
    assert "Traceback" not in unknown_layer.stderr + unknown_run.stderr + nobody.stderr


def test_doctor_finds_a_fresh_start_well(server: Server) -> None:
    told = petinsure360(server, "doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "✕" not in told.stdout


def test_listening_beyond_loopback_without_sign_in_is_refused(server: Server) -> None:
    told = petinsure360(server, "serve", "--host", "0.0.0.0", "--port", "0")
    assert told.returncode != 0
    assert "PETINSURE_API_TOKENS" in told.stdout + told.stderr
