"""Runs, task attempts, outputs, repairs and idempotency tokens in the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from local_workspace.runs.records import (
    Output,
    Repair,
    Run,
    TaskRun,
    output_document,
    repair_of,
    run_of,
    task_run_of,
)
from local_workspace.store import tables
from local_workspace.store.database import Database, add, put


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What runs/list can be asked for. Times are epoch milliseconds, inclusive."""

    job_id: int | None = None
    active: bool | None = None
    run_type: str | None = None
    start_time_from: int | None = None
    start_time_to: int | None = None


class RunStore:
    """Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, run: Run, attempts: Iterable[TaskRun], token: str | None) -> None:
        """A new run with its tasks and, when given, its token: together or not at all."""
        with self._database.write() as db:
            _put_run(db, run)
            for attempt in attempts:
                _put_task(db, attempt)
            if token:
                add(db, tables.idempotency_tokens, token=token, run_id=run.run_id)

    def save(self, run: Run | None = None, *attempts: TaskRun, output: tuple[int, Output] | None = None) -> None:
        """The present state of a run, of some of its attempts and an attempt's output, seen together by readers."""
        with self._database.write() as db:
            if run is not None:
                _put_run(db, run)
            for attempt in attempts:
                _put_task(db, attempt)
            if output is not None:
                put(db, tables.outputs, run_id=output[0], document=output_document(output[1]))

    def run_of_token(self, token: str) -> int | None:
        """The run that a token started, also when that run has been deleted."""
        query = select(tables.idempotency_tokens.c.run_id).where(tables.idempotency_tokens.c.token == token)
        with self._database.read() as db:
            return db.execute(query).scalar_one_or_none()

    def run(self, run_id: int) -> Run | None:
        query = select(tables.runs.c.document).where(tables.runs.c.run_id == run_id)
        with self._database.read() as db:
            document = db.execute(query).scalar_one_or_none()
        return None if document is None else run_of(document)

    def task_run(self, run_id: int) -> TaskRun | None:
        query = select(tables.task_runs.c.document).where(tables.task_runs.c.run_id == run_id)
        with self._database.read() as db:
            document = db.execute(query).scalar_one_or_none()
        return None if document is None else task_run_of(document)

    def attempts(self, *run_ids: int) -> list[TaskRun]:
        """All attempts of some runs, oldest first."""
        column = tables.task_runs.c
        query = select(column.document).where(column.parent_run_id.in_(run_ids)).order_by(column.run_id)
        with self._database.read() as db:
            return [task_run_of(document) for document in db.execute(query).scalars()]

    def output(self, task_run_id: int) -> Output | None:
        query = select(tables.outputs.c.document).where(tables.outputs.c.run_id == task_run_id)
        with self._database.read() as db:
            document = db.execute(query).scalar_one_or_none()
        return None if document is None else Output(**document)

    def page(self, wanted: RunFilter, *, limit: int, before: int | None, after: int | None, offset: int) -> list[Run]:
        """Runs newest first: those before (older than) one run_id, or those just after (newer than) one."""
        column = tables.runs.c.run_id
        query = _filtered(select(tables.runs.c.document), wanted).limit(limit).offset(offset)
        if after is not None:
            query = query.where(column > after).order_by(column)
        else:
            query = query.order_by(column.desc())
            query = query if before is None else query.where(column < before)
        with self._database.read() as db:
            found = [run_of(document) for document in db.execute(query).scalars()]
        return found[::-1] if after is not None else found

    def active(self) -> list[Run]:
        """Every run that has not ended, oldest first."""
        column = tables.runs.c
        query = select(column.document).where(column.active.is_(True)).order_by(column.run_id)
        with self._database.read() as db:
            return [run_of(document) for document in db.execute(query).scalars()]

    def repairs(self, run_id: int) -> list[Repair]:
        """The repair history, original first; empty when the run was never repaired."""
        column = tables.repairs.c
        query = select(column.document).where(column.run_id == run_id).order_by(column.repair_id)
        with self._database.read() as db:
            return [repair_of(document) for document in db.execute(query).scalars()]

    def repair(self, run: Run, attempts: Iterable[TaskRun], history: Iterable[Repair]) -> None:
        """Reopen a run: its new state, its new attempts and its history in one transaction."""
        with self._database.write() as db:
            _put_run(db, run)
            for attempt in attempts:
                _put_task(db, attempt)
            for item in history:
                put(db, tables.repairs, repair_id=item.repair_id, run_id=item.run_id, document=item.document())

    def save_repair(self, item: Repair) -> None:
        with self._database.write() as db:
            put(db, tables.repairs, repair_id=item.repair_id, run_id=item.run_id, document=item.document())

    def delete(self, run_id: int) -> None:
        """Everything of a run but its token."""
        with self._database.write() as db:
            db.execute(delete(tables.runs).where(tables.runs.c.run_id == run_id))


def _put_run(db: Connection, run: Run) -> None:
    put(
        db,
        tables.runs,
        run_id=run.run_id,
        job_id=run.job_id,
        run_type=run.run_type,
        start_time=run.start_time,
        active=not run.state.is_terminal,
        document=run.document(),
    )


def _put_task(db: Connection, attempt: TaskRun) -> None:
    put(
        db,
        tables.task_runs,
        run_id=attempt.run_id,
        parent_run_id=attempt.parent_run_id,
        task_key=attempt.task_key,
        attempt_number=attempt.attempt_number,
        document=attempt.document(),
    )


def _filtered(query: Select[Any], wanted: RunFilter) -> Select[Any]:
    column = tables.runs.c
    for chosen, condition in (
        (wanted.job_id, column.job_id.__eq__),
        (wanted.active, column.active.is_),
        (wanted.run_type, column.run_type.__eq__),
        (wanted.start_time_from, column.start_time.__ge__),
        (wanted.start_time_to, column.start_time.__le__),
    ):
        query = query if chosen is None else query.where(condition(chosen))
    return query
