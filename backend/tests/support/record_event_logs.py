"""Records the event logs in fixtures/event_logs: `python -m backend.tests.support.record_event_logs`.

The logs are what the real application says of stories played in the simulated workspace. The expected rows beside them
are written by hand, from the story; this program keeps them.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.store import events
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.clock import ManualClock
from backend.tests.support.driven_backend import CountingLoop, DrivenBackend
from backend.tests.support.simulated_workspace import LIST, RUN_NOW, Fault, SimulatedWorkspace

FOLDER = Path(__file__).parents[3] / "fixtures" / "event_logs"
Story = Callable[[DrivenBackend, SimulatedWorkspace], Awaitable[None]]


async def click(backend: DrivenBackend, layer: str) -> int:
    body = {"layer": layer, "claim_ids": ["CLM-1"] if layer == "gold" else [], "if_active": "queue"}
    answer = await backend.during(backend.http.post(TRIGGER, json=body))
    assert answer.status_code == 202, answer.text
    return int(answer.json()["run_id"] or 0)


async def play(
    backend: DrivenBackend, workspace: SimulatedWorkspace, run_id: int, *, fails_at: int | None = None
) -> None:
    """The run to its end, step by step; the step `fails_at` fails."""
    step = 0
    while workspace.runs[run_id].active:
        workspace.advance(run_id, fails=step == fails_at)
        step += 1
        await backend.elapse(3)


async def ends_well_and_badly(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
    """A success; a failure that a repair heals; a canceled run; a deleted one; a refused click; one in a new state."""
    await play(backend, workspace, await click(backend, "all"))
    failing = await click(backend, "all")
    await play(backend, workspace, failing, fails_at=3)
    await backend.during(backend.http.post(f"{RUNS}/{failing}/repair"))
    await play(backend, workspace, failing)
    canceled = await click(backend, "gold")
    workspace.advance(canceled)
    await backend.elapse(2)
    await backend.during(backend.http.post(f"{RUNS}/{canceled}/cancel"))
    await backend.elapse(5)
    workspace.delete(await click(backend, "bronze"))
    await backend.elapse(100, step_s=5)
    workspace.expired = True
    await click(backend, "silver")
    workspace.heal()
    await backend.elapse(20)
    unknown = await click(backend, "silver")
    workspace.advance(unknown)
    await backend.elapse(2)
    workspace.runs[unknown].state = "HIBERNATING"
    await backend.elapse(4)


async def troubled(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
    """A click that is taken at the third try; a task that is retried; an outage in the middle of a run."""
    workspace.faults[RUN_NOW].extend([Fault.THROTTLED, Fault.LOST_REPLY])
    await click(backend, "all")
    await backend.elapse(30)
    [run_id] = workspace.runs
    workspace.advance(run_id)
    await backend.elapse(3)
    run = workspace.runs[run_id]
    first = run.tasks[0]
    first |= {"life": "TERMINATED", "result": "FAILED", "end_time": round(backend.clock.now().timestamp() * 1000)}
    again = {**first, "run_id": 9_100, "attempt_number": 1, "life": "RUNNING", "result": None, "end_time": 0}
    run.tasks.insert(1, again | {"start_time": first["end_time"]})
    await backend.elapse(3)
    workspace.faults[LIST].extend([Fault.UNAVAILABLE] * 12)
    await backend.elapse(12)
    workspace.heal()
    await backend.elapse(20)
    await play(backend, workspace, run_id)
    workspace.start_elsewhere()
    await backend.elapse(15)


async def before_our_time(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
    """Runs that had ended before this store met their workspace, and one that was active."""
    await backend.elapse(15)


def ended_before(workspace: SimulatedWorkspace, clock: ManualClock) -> None:
    for fails_at in (None, 1, None):
        run_id, step = workspace.start_elsewhere(), 0
        while workspace.runs[run_id].active and not (fails_at is None and len(workspace.runs) == 3):
            clock.advance(10)
            workspace.advance(run_id, fails=step == fails_at)
            step += 1
    clock.advance(600)


STORIES: dict[str, Story] = {
    "ends_well_and_badly": ends_well_and_badly,
    "troubled": troubled,
    "before_our_time": before_our_time,
}


async def record(name: str) -> list[dict[str, Any]]:
    clock = ManualClock()
    workspace = SimulatedWorkspace(lambda: round(clock.now().timestamp() * 1000))
    if name == "before_our_time":
        ended_before(workspace, clock)
    with tempfile.TemporaryDirectory() as folder:
        backend = DrivenBackend(Path(folder), workspace, clock)
        await backend.start()
        await STORIES[name](backend, workspace)
        assert backend.app is not None
        async with backend.app.state.database.read() as db:
            log = (await events.after(db, 0, limit=10_000)).envelopes
        await backend.kill()
    return [json.loads(envelope.text) for envelope in log]


def main() -> None:
    for name, story in STORIES.items():
        path = FOLDER / f"{name}.json"
        kept = json.loads(path.read_text())["rows"] if path.exists() else []
        with asyncio.Runner(loop_factory=CountingLoop) as runner:
            log = runner.run(record(name))
        body = {"story": story.__doc__, "events": log, "rows": kept}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, indent=1) + "\n")


if __name__ == "__main__":
    main()
