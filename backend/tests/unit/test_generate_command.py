"""`petinsure360 data generate` offers what the generator offers; the files it lands are the oracle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def generate(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "data", "generate", "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_history_a_further_day_and_the_scenarios_land_side_by_side(tmp_path: Path) -> None:
    history = generate(tmp_path, "--claims", "60", "--seed", "4", "--as-of", "2026-03-01")
    day = generate(tmp_path, "--append-day")
    scenarios = generate(tmp_path, "--scenarios", "--seed", "4", "--as-of", "2026-03-01")

    assert json.loads(history.stdout)["claims"] == 60
    assert json.loads(day.stdout)["day"] == "2026-03-02"
    assert json.loads(scenarios.stdout)["scenarios"] > 20
    files = {path.name for path in (tmp_path / "claims").iterdir()}
    assert {"claims_2026-03-02.jsonl", "scenarios.jsonl"} <= files


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--claims", "0"], "claims must be between 1 and 5,000,000"),
        (["--seed", "-1"], "seed must be between"),
        (["--as-of", "tomorrow"], "'tomorrow' is not a date; write YYYY-MM-DD"),
        (["--append-day"], "generate a landing zone first"),
        (["--append-day", "--scenarios"], "not allowed with argument"),
        (["--append-day", "--claims", "5"], "leave out --claims"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(tmp_path: Path, options: list[str], reason: str) -> None:
    told = generate(tmp_path / "out", *options)

    assert told.returncode == 2
    assert reason in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
