"""The newest commits as read from the log, against delta-rs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from local_workspace.engine.delta_log import newest_commits


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Five commits of four kinds, and a checkpoint."""
    for number in range(3):
        write_deltalake(tmp_path, pa.table({"a": [number], "b": ['"commitInfo"']}), mode="append")
    DeltaTable(tmp_path).delete("a = 1")
    DeltaTable(tmp_path).create_checkpoint()
    DeltaTable(tmp_path).optimize.compact()
    return tmp_path


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_the_newest_commits_are_those_of_delta_rs(table: Path, limit: int) -> None:
    commits = newest_commits(table, limit)
    assert commits == DeltaTable(table).history(limit)
    assert len(commits) == min(limit, 5)


def test_a_commit_that_tells_no_time_has_that_of_its_file(table: Path) -> None:
    newest = table / "_delta_log" / f"{4:020}.json"
    actions = [json.loads(line) for line in newest.read_text().splitlines()]
    newest.write_text("".join(json.dumps(action) + "\n" for action in actions if "commitInfo" not in action))
    os.utime(newest, (1_700_000_000, 1_700_000_000.25))
    assert newest_commits(table, 1) == [{"version": 4, "timestamp": 1_700_000_000_250}]


def test_a_folder_without_a_log_has_no_commits(tmp_path: Path) -> None:
    assert newest_commits(tmp_path, 1) == []
    (tmp_path / "_delta_log").mkdir()
    assert newest_commits(tmp_path, 1) == []
