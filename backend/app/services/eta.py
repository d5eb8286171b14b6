"""Estimates from the run history that the store keeps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.eta import WARM_SETUP_S, Eta, PastRun, Standing, estimate
from app.domain.runs import RunRecord, TaskRecord
from app.store import runs

HISTORY = 50


class EtaService:
    """Answers how long a click or a run will still take. Keeps each set of tasks' past runs by id, oldest first."""

    def __init__(self) -> None:
        self._history: dict[tuple[str, str], dict[int, PastRun]] = {}

    def learn(self, record: RunRecord) -> None:
        """A run has ended. It joins the history that is kept, so that the next click need not read it anew."""
        kept = self._history.get((record.workspace_id, record.task_set or ""))
        if kept is None or record.result != "SUCCESS" or record.attempt:
            return
        if (past := _past_run(record)) is not None:
            kept[record.run_id] = past
            if len(kept) > HISTORY:
                del kept[next(iter(kept))]

    async def for_click(
        self,
        db: AsyncConnection,
        workspace_id: str | None,
        task_set: str,
        *,
        warm: bool | None,
        writing: bool = False,
    ) -> Eta | None:
        """How long a run of these tasks would take from the click."""
        if workspace_id is None:
            return None
        past = await self._past(db, workspace_id, task_set, writing=writing)
        return estimate(past, Standing(steps_done=0, elapsed_s=0.0), warm=warm)

    async def for_run(
        self,
        db: AsyncConnection,
        record: RunRecord,
        tasks: Sequence[TaskRecord],
        *,
        now: datetime,
        writing: bool = False,
    ) -> Eta | None:
        """How long an active run will still take; None where the history cannot tell."""
        if record.task_set is None or record.attempt:
            return None
        past = await self._past(db, record.workspace_id, record.task_set, writing=writing)
        return estimate(past, _standing(record, tasks, now), warm=_warm(tasks))

    async def _past(self, db: AsyncConnection, workspace_id: str, task_set: str, *, writing: bool) -> list[PastRun]:
        """The history. Only a writer's view is kept: a reader's may be older than what was learned last."""
        key = (workspace_id, task_set)
        kept = self._history.get(key)
        if kept is None:
            found = await runs.comparable(db, workspace_id, task_set, limit=HISTORY)
            kept = {record.run_id: past for record in reversed(found) if (past := _past_run(record)) is not None}
            if writing:
                self._history[key] = kept
        return list(kept.values())


def _past_run(record: RunRecord) -> PastRun | None:
    tasks = record.latest_tasks()
    if record.started_at is None or record.ended_at is None or not tasks:
        return None
    marks = [record.started_at]
    first_start = _work_start(tasks[0])
    if first_start is None:
        return None
    marks.append(first_start)
    for task in tasks:
        if task.ended_at is None:
            return None
        marks.append(task.ended_at)
    steps = [max(0.0, (later - earlier).total_seconds()) for earlier, later in itertools.pairwise(marks)]
    return PastRun(steps_s=tuple(steps), warm=steps[0] < WARM_SETUP_S)


def _standing(record: RunRecord, tasks: Sequence[TaskRecord], now: datetime) -> Standing:
    since = record.started_at or record.requested_at
    first_start = _work_start(tasks[0]) if tasks else None
    if first_start is None or first_start > now:
        return Standing(0, max(0.0, (now - since).total_seconds()))
    done, mark = 1, first_start
    for task in tasks:
        if task.ended_at is None:
            break
        done, mark = done + 1, task.ended_at
    return Standing(min(done, len(tasks)), max(0.0, (now - mark).total_seconds()))


def _work_start(task: TaskRecord) -> datetime | None:
    """When the task began to execute: its start plus the time its cluster took."""
    if task.started_at is None:
        return None
    if task.ended_at is None or task.setup_s is None:
        return task.started_at if task.state == "RUNNING" or task.ended_at is not None else None
    return datetime.fromtimestamp(task.started_at.timestamp() + task.setup_s, task.started_at.tzinfo)


def _warm(tasks: Sequence[TaskRecord]) -> bool | None:
    """Known only once the first task executes."""
    first = tasks[0] if tasks else None
    if first is None or first.setup_s is None or first.state not in {"RUNNING", "TERMINATED"}:
        return None
    return first.setup_s < WARM_SETUP_S
