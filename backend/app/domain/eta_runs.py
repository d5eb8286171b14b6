"""Runs as the estimate sees them: how long each phase of a finished one took, and where an active one stands."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.eta import Standing
from app.domain.eta_model import FIRST_TASK, PastRun
from app.domain.observation import SeenRun
from app.domain.run_states import WAITING_STATES
from app.domain.runs import RunRecord, TaskRecord

CLAIM_TABLES = (".claims", ".claims_analytics")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an active run stands, which task that is (with its attempt), and how much of it is done, 0 to 1."""

    standing: Standing
    task: str | None
    attempt: int
    fraction: float


def past_run(record: RunRecord) -> PastRun | None:
    """The run's phases; None where its times do not tell them."""
    tasks = record.latest_tasks()
    began_at = work_began_at(record.tasks)
    if record.started_at is None or record.ended_at is None or began_at is None:
        return None
    ends = [task.ended_at for task in tasks]
    if any(end is None for end in ends):
        return None
    queue_s, start_s = _wait(record.started_at, began_at, record.queue_s)
    marks = [began_at, *(end for end in ends if end is not None), record.ended_at]
    work_s = [_between(earlier, later) for earlier, later in itertools.pairwise(marks)]
    return PastRun((queue_s, start_s, *work_s), claims_of(record.claim_ids, tasks))


def place_of(record: RunRecord, seen: SeenRun, tasks: Sequence[TaskRecord], now: datetime, claims: int | None) -> Place:
    """Where the run stands, as seen now. `tasks`: every attempt of each; `claims`: how many it was asked to do."""
    latest = list({task.task_key: task for task in tasks}.values())
    claims = claims_of(record.claim_ids, latest) or claims
    since = seen.started_at or record.requested_at
    began_at = work_began_at(tasks)
    if seen.status.state in WAITING_STATES:
        return Place(Standing((), _between(since, now), claims), None, 0, 0.0)
    if began_at is None or began_at > now:
        queue_s, elapsed_s = _wait(since, now, seen.queue_s)
        return Place(Standing((queue_s,), elapsed_s, claims), None, 0, 0.0)
    behind, mark = [*_wait(since, began_at, seen.queue_s)], began_at
    for task in itertools.takewhile(lambda one: one.ended_at is not None, latest):
        assert task.ended_at is not None
        behind.append(_between(mark, task.ended_at))
        mark = max(mark, task.ended_at)
    standing = Standing(tuple(behind), _between(mark, now), claims)
    done = standing.phase - FIRST_TASK
    task_now = latest[done] if done < len(latest) else None
    fraction = (done + _within(task_now)) / len(latest)
    if task_now is None:
        return Place(standing, None, 0, fraction)
    return Place(standing, task_now.task_key, task_now.attempt_number, fraction)


def claims_of(claim_ids: Sequence[str], tasks: Iterable[TaskRecord]) -> int | None:
    """How many claims a run works on: those chosen, else those its first task has read; None while neither is known."""
    if claim_ids:
        return len(claim_ids)
    for table in (table for task in tasks for table in task.tables or ()):
        read = table.get("rows_in")
        if str(table.get("name", "")).endswith(CLAIM_TABLES) and isinstance(read, int):
            return read
    return None


def work_began_at(tasks: Sequence[TaskRecord]) -> datetime | None:
    """When the first attempt of the first task began to execute: its start plus the time its cluster took."""
    first = min(tasks, key=lambda task: (task.position, task.attempt_number, task.task_run_id), default=None)
    if first is None or first.started_at is None:
        return None
    if first.state != "RUNNING" and first.ended_at is None:
        return None
    return first.started_at + timedelta(seconds=first.setup_s or 0.0)


def _wait(since: datetime, until: datetime, queue_s: float | None) -> tuple[float, float]:
    """The wait for the first task, parted into queue and start. The workspace counts the queue from the run's start."""
    whole_s = _between(since, until)
    queued_s = min(queue_s or 0.0, whole_s)
    return queued_s, whole_s - queued_s


def _within(task: TaskRecord | None) -> float:
    told = task.progress if task else None
    return min(1.0, told["done"] / told["total"]) if told and told.get("total") else 0.0


def _between(earlier: datetime, later: datetime) -> float:
    return max(0.0, (later - earlier).total_seconds())
