"""A tick reads everything, then writes one transaction, then publishes once, however many runs have changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from app.domain.events import Envelope
from backend.tests.api.test_pipeline import pipeline
from backend.tests.support.backend import Backend
from backend.tests.support.recorded_workspace import RecordedWorkspace, load

pytestmark = pytest.mark.usefixtures("on_both_stores")

LIST, OUTPUT = "/api/2.2/jobs/runs/list", "/api/2.2/jobs/runs/get-output"
RUNS = 3
of_the_tick: ContextVar[bool] = ContextVar("of_the_tick", default=False)


def runs_elsewhere(workspace: RecordedWorkspace) -> list[int]:
    """Runs of our job that somebody else has just started; their tasks leave outputs."""
    story = load("run_of_somebody_else")
    began_at = story["looks"][0]["start_time"]
    moved_ms = round(time.time() * 1000) + 5_000 - began_at
    started = []
    for number in range(RUNS):
        looks = load("run_of_somebody_else")["looks"]
        for entry in [one for look in looks for one in (look, *look["tasks"])]:
            entry["run_id"] += 1_000 * number
            for name in ("start_time", "end_time"):
                entry[name] += moved_ms if entry.get(name) else 0
        outputs = {int(run_id) + 1_000 * number: output for run_id, output in story["outputs"].items()}
        workspace.outputs |= outputs
        started.append(workspace.has_run(looks))
    return started


class Watched:
    """What one tick does, in order: calls of the workspace, transactions that write, publications."""

    def __init__(self, backend: Backend, workspace: RecordedWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
        self._tracker = backend.app.state.tracker
        self._workspace = workspace
        self.calls_before_writes: list[int] = []
        self.published: list[set[int | None]] = []
        database, hub = backend.app.state.database, backend.app.state.hub
        write, publish = database.write, hub.publish

        def written(*given: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
            if of_the_tick.get():
                self.calls_before_writes.append(len(self.calls()))
            return write(*given, **options)

        def told(envelopes: Sequence[Envelope]) -> None:
            if of_the_tick.get():
                self.published.append({one.run_id for one in envelopes})
            publish(envelopes)

        monkeypatch.setattr(database, "write", written)
        monkeypatch.setattr(hub, "publish", told)

    async def tick(self) -> list[str]:
        """The paths that were called."""
        self.calls_before_writes.clear()
        self.published.clear()
        before = len(self.calls())
        token = of_the_tick.set(True)  # what this task calls; the loops were started before
        try:
            await self._tracker.tick()
        finally:
            of_the_tick.reset(token)
        return self.calls()[before:]

    def calls(self) -> list[str]:
        """Calls about runs, which only the poller makes here."""
        return [call.path for call in self._workspace.calls if call.path.startswith("/api/2.2/jobs/runs/")]


async def test_a_tick_is_one_transaction_and_one_publication_after_everything_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pipeline(tmp_path, poll_interval_s=600) as (backend, workspace):
        await backend.until_event("workspace_status")  # once the first tick is over
        started = runs_elsewhere(workspace)
        watched = Watched(backend, workspace, monkeypatch)
        for look in ("begun", "first task", "second task", "over"):
            called = await watched.tick()
            assert watched.published == [set(started)], look
            assert watched.calls_before_writes == [len(watched.calls())], look  # nothing is read after the write began
            assert called.count(LIST) == 1, look
            for run_id in started:
                workspace.advance(run_id)
        assert called.count(OUTPUT) == 2 * RUNS  # the first task's was read when it had ended
        assert await watched.tick() == [LIST]
        assert (watched.calls_before_writes, watched.published) == ([], [])
