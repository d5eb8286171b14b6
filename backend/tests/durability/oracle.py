"""What must be true whatever died when. The workspace's own lists are the truth; the event log must agree with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from app.domain.observation import RUN_NAME_PREFIX
from backend.tests.durability.lane import Case, Lane

STARTED, COMPLETED, FAILED = "databricks_job_started", "databricks_job_completed", "databricks_job_failed"
PROGRESS = "databricks_job_progress"


class Broken(AssertionError):
    """A promise was not kept; the text says which."""


def submission_of(run: dict[str, Any]) -> str | None:
    """The submission that a run was started for, as it carries it."""
    name = str(run.get("run_name") or "")
    named = name.rsplit(" ", 1)[-1] if name.startswith(RUN_NAME_PREFIX) else None  # where there is no job
    return next((one["value"] for one in run.get("job_parameters", ()) if one["name"] == "submission_id"), named)


async def check_one_run_per_click(lane: Lane) -> None:
    """Exactly one run in the workspace for each click, and none that nobody asked for."""
    started = Counter(submission_of(run) for run in await lane.workspace_runs())
    wanted = {case.submission_id for case in lane.cases}
    for case in lane.cases:
        if started[case.submission_id] != 1:
            raise Broken(f"{started[case.submission_id]} runs instead of one for {case}")
    if extra := set(started) - wanted:
        raise Broken(f"runs that nobody asked for: {extra}")


async def check_the_log(lane: Lane) -> None:
    """The log is gap-free, tells each run's life once per attempt, in order, and as the workspace does."""
    log = await lane.log()
    if [event["seq"] for event in log] != list(range(1, len(log) + 1)):
        raise Broken("the log has gaps or repeats")
    lives: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for event in log:
        if event["type"].startswith("databricks_job") and event["data"]["run_id"] is not None:
            lives[event["data"]["run_id"]].append(event)
    truth = {run["run_id"]: run for run in await lane.workspace_runs()}
    if set(lives) != set(truth):
        raise Broken(f"the log tells of {set(lives) - set(truth)} and not of {set(truth) - set(lives)}")
    for run_id, events in lives.items():
        _check_life(run_id, events)
        told, true = _result(events[-1]), truth[run_id]["state"].get("result_state")
        if told != true:
            raise Broken(f"run {run_id} ended as {true}, and the log says {told}")
    shown = {(event["seq"], event["type"]) for event in lane.watched}
    missed = {(event["seq"], event["type"]) for event in log} - shown
    if missed or lane.snapshots or [event["seq"] for event in lane.watched] != sorted(seq for seq, _ in shown):
        raise Broken(f"who watched missed {sorted(missed)[:5]}, or saw something twice; {lane.snapshots} snapshots")


def _check_life(run_id: int, events: list[dict[str, Any]]) -> None:
    """started, progress…, one end; again for each repair; nothing after an end but the start of the next attempt."""
    attempt, phase = -1, "ended"
    for event in events:
        kind = event["type"]
        ended = kind in (COMPLETED, FAILED)
        if kind == STARTED:
            attempt += 1
        allowed = {"ended": kind == STARTED, "started": kind == PROGRESS, "progress": kind == PROGRESS or ended}[phase]
        if not allowed or event["data"]["attempt"] != attempt:
            story = [(one["seq"], one["type"], one["data"]["attempt"]) for one in events]
            raise Broken(f"run {run_id}: {kind} (seq {event['seq']}) does not follow: {story}")
        phase = "ended" if ended else "started" if kind == STARTED else "progress"
    if phase != "ended":
        raise Broken(f"run {run_id} has no end in the log")


def _result(event: dict[str, Any]) -> str | None:
    result = event["data"]["result"]
    return None if result is None else str(result)


async def check_repairs(lane: Lane, case: Case, expected: int) -> None:
    """The run was repaired exactly so often."""
    assert case.run_id is not None
    history = (await lane.workspace_run(case.run_id)).get("repair_history", ())
    done = sum(item["type"] == "REPAIR" for item in history)
    if done != expected:
        raise Broken(f"{done} repairs instead of {expected} of {case}")
