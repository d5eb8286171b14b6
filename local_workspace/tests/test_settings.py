"""Settings of the local workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_workspace.settings import Settings


def test_a_relative_data_directory_stays_the_same_place_wherever_a_notebook_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PETINSURE_DATA_DIR", raising=False)
    here = Path.cwd()
    assert Settings(data_dir=Path("some/where")).data_dir == here / "some" / "where"
    assert Settings().data_dir == here / ".petinsure"
