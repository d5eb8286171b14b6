"""The first start goes on when not everything works at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import WorkspaceUnreachable
from app.services.first_start import FirstStart


class Workspace:
    """Fails the first time it is asked anything; knows where its volume lies."""

    def __init__(self, folder: Path, failure: Exception) -> None:
        self.prepared = asyncio.Event()
        self.was_prepared_without_data = False
        self._folder = folder
        self._failure = failure
        self.asked: list[str] = []

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.asked.count(what) == 1:
            raise self._failure

    async def deploy(self) -> None:
        self._answer("deploy")

    async def get(self, path: str, **_more: Any) -> dict[str, Any]:
        self._answer(path)
        self.was_prepared_without_data |= self.prepared.is_set()
        return {"storage_location": self._folder.as_uri()}


@pytest.mark.parametrize(
    "failure", [WorkspaceUnreachable("The workspace does not answer."), RuntimeError("a fault nobody thought of")]
)
async def test_a_failure_delays_the_first_run_and_no_more(tmp_path: Path, failure: Exception) -> None:
    workspace, marker = Workspace(tmp_path / "volume", failure), tmp_path / "first-run.pending"
    marker.touch()
    started: list[str] = []

    async def start() -> None:
        started.append("first run")

    await FirstStart(
        api=workspace,  # type: ignore[arg-type]  # it is only asked for a volume
        deployment=workspace,  # type: ignore[arg-type]
        prepared=workspace.prepared,
        landing_path="/Volumes/petinsure360/landing/raw",
        demo_claims=20,
        marker=marker,
        start_first_run=start,
    ).run()
    volume = "/api/2.1/unity-catalog/volumes/petinsure360.landing.raw"
    assert workspace.asked == ["deploy", "deploy", volume, volume]
    assert started == ["first run"]
    assert workspace.prepared.is_set()
    assert not workspace.was_prepared_without_data
    assert not marker.exists()
    assert list((tmp_path / "volume").rglob("*.jsonl"))
