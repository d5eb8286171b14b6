"""State rows of runs and tasks: the fold of the events, written in the transaction that appends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, bindparam, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.runs import RunRecord, TaskRecord
from app.domain.submissions import SubmissionState
from app.store.dialect import upsert
from app.store.schema import run_tasks, runs

_TASK_FIELDS = tuple(field.name for field in fields(TaskRecord))
_RUN_FIELDS = tuple(field.name for field in fields(RunRecord) if field.name != "tasks")
# In the order of the records' fields, so that a row makes a record without a look at its names.
_RUN_COLUMNS = tuple(runs.c["tasks" if name == "task_keys" else name] for name in _RUN_FIELDS)
_TASK_COLUMNS = (run_tasks.c.run_id.label("of_run"), *(run_tasks.c[name] for name in _TASK_FIELDS))
# Made once: making a statement costs more than running it.
_ONE = select(*_RUN_COLUMNS).where(runs.c.workspace_id == bindparam("workspace"), runs.c.run_id == bindparam("wanted"))
_MANY = select(*_RUN_COLUMNS).where(
    runs.c.workspace_id == bindparam("workspace"), runs.c.run_id.in_(bindparam("wanted", expanding=True))
)
_BY_ID = select(*_RUN_COLUMNS).where(runs.c.run_id == bindparam("wanted"))
# Chosen and sorted later: asked for more, SQLite would walk an index of all runs instead of the few active ones.
_ACTIVE = select(*_RUN_COLUMNS).where(runs.c.active)
# Not pairs IN pairs: SQLite would read every task of the workspace.
_TASKS_OF = select(*_TASK_COLUMNS).where(
    run_tasks.c.workspace_id == bindparam("workspace"), run_tasks.c.run_id.in_(bindparam("wanted", expanding=True))
)
_RUN_ID, _TASK_KEYS, _CLAIM_IDS = (_RUN_FIELDS.index(name) for name in ("run_id", "task_keys", "claim_ids"))


async def save(db: AsyncConnection, record: RunRecord, *, before: RunRecord | None) -> None:
    """Write the record; of its tasks only those that differ from `before`."""
    await upsert(db, runs, _run_row(record))
    known = {task.task_run_id: task for task in before.tasks} if before else {}
    for task in record.tasks:
        if known.get(task.task_run_id) != task:
            row = {name: getattr(task, name) for name in _TASK_FIELDS}
            await upsert(db, run_tasks, {"workspace_id": record.workspace_id, "run_id": record.run_id, **row})


async def load(db: AsyncConnection, workspace_id: str, run_id: int) -> RunRecord | None:
    """The run with its tasks, or None."""
    found = await _with_tasks(db, _ONE, workspace=workspace_id, wanted=run_id)
    return found[0] if found else None


async def load_many(db: AsyncConnection, workspace_id: str, run_ids: Iterable[int]) -> dict[int, RunRecord]:
    """The runs that are known among `run_ids`."""
    wanted = list(run_ids)
    if not wanted:
        return {}
    found = await _with_tasks(db, _MANY, workspace=workspace_id, wanted=wanted)
    return {record.run_id: record for record in found}


async def find(db: AsyncConnection, run_id: int, *, workspace_id: str | None) -> RunRecord | None:
    """The run by its id alone; should two workspaces have used it, the current one's."""
    found = await _with_tasks(db, _BY_ID, wanted=run_id)
    found.sort(key=lambda record: record.workspace_id != workspace_id)
    return found[0] if found else None


async def active(db: AsyncConnection, workspace_id: str | None = None) -> list[RunRecord]:
    """Runs that have not ended, oldest first."""
    found = await _with_tasks(db, _ACTIVE)
    chosen = [record for record in found if workspace_id in (None, record.workspace_id)]
    return sorted(chosen, key=lambda record: (record.requested_at, record.run_id))


async def page(
    db: AsyncConnection,
    *,
    before: tuple[datetime, int] | None,
    limit: int,
    layer: str | None = None,
    state: str | None = None,
) -> list[RunRecord]:
    """Runs newest first, after the position `before`."""
    query = select(*_RUN_COLUMNS)
    if layer is not None:
        query = query.where(runs.c.layer == layer)
    if before is not None:
        query = query.where(tuple_(runs.c.requested_at, runs.c.run_id) < before)
    if state == SubmissionState.ACCEPTED:
        query = query.where(runs.c.submission_id.is_not(None))
    if state in (None, SubmissionState.ACCEPTED):
        return await _with_tasks(db, query.order_by(*_newest_first(runs)).limit(limit))
    # Each half walks an index in order; with OR the database would read every run of a common state and sort them.
    halves = (
        query.where(runs.c.state == state),
        query.where(runs.c.result == state, runs.c.state.is_distinct_from(state)),
    )
    newest = [select(half.order_by(*_newest_first(runs)).limit(limit).subquery()) for half in halves]
    both = union_all(*newest).subquery()
    return await _with_tasks(db, select(both).order_by(*_newest_first(both)).limit(limit))


def _newest_first(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    return rows.c.requested_at.desc(), rows.c.run_id.desc()


async def any_before(db: AsyncConnection, workspace_id: str, at: datetime) -> bool:
    """Whether a run of the workspace is known that was asked for before `at`."""
    query = select(runs.c.run_id).where(runs.c.workspace_id == workspace_id, runs.c.requested_at < at)
    return (await db.execute(query.order_by(runs.c.requested_at).limit(1))).first() is not None


async def comparable(db: AsyncConnection, workspace_id: str, task_set: str, *, limit: int) -> list[RunRecord]:
    """The latest successful runs of the same tasks, newest first."""
    query = select(*_RUN_COLUMNS).where(
        runs.c.workspace_id == workspace_id,
        runs.c.task_set == task_set,
        runs.c.active.is_(False),
        runs.c.result == "SUCCESS",
        runs.c.attempt == 0,
    )
    return await _with_tasks(db, query.order_by(runs.c.requested_at.desc()).limit(limit))


async def _with_tasks(db: AsyncConnection, query: Select[Any], **values: Any) -> list[RunRecord]:
    rows = (await db.execute(query, values)).all()
    if not rows:
        return []
    tasks: dict[tuple[str, int], list[TaskRecord]] = {}
    for workspace_id in {row[0] for row in rows}:
        run_ids = [row[_RUN_ID] for row in rows if row[0] == workspace_id]
        for run_id, *told in await db.execute(_TASKS_OF, {"workspace": workspace_id, "wanted": run_ids}):
            tasks.setdefault((workspace_id, run_id), []).append(TaskRecord(*told))
    return [_run(row, tasks.get((row[0], row[_RUN_ID]), ())) for row in rows]


def _run_row(record: RunRecord) -> dict[str, Any]:
    row = {field.name: getattr(record, field.name) for field in fields(RunRecord)}
    del row["tasks"]
    row["tasks"] = list(row.pop("task_keys"))
    row["claim_ids"] = list(record.claim_ids)
    return row


def _run(row: Row[Any], tasks: Sequence[TaskRecord]) -> RunRecord:
    values = list(row)
    values[_TASK_KEYS], values[_CLAIM_IDS] = tuple(values[_TASK_KEYS]), tuple(values[_CLAIM_IDS])
    values.append(tuple(sorted(tasks, key=lambda task: (task.position, task.attempt_number, task.task_run_id))))
    return RunRecord(*values)
