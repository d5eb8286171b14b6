"""What runs/list does not tell about tasks: outputs of finished ones, reported progress of running ones."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import structlog

from app.domain.clock import Clock
from app.domain.errors import WorkspaceError, WorkspaceRejected
from app.domain.observation import SeenRun, SeenTask
from app.domain.outputs import read_progress, records_and_tables, task_error
from app.domain.run_states import CONSEQUENCES, SUCCESSES
from app.domain.runs import Json, RunRecord, TaskRecord

log = structlog.get_logger()

PROGRESS_EVERY_S = 1.0
OUTPUT_PATIENCE_S = 30.0
AT_ONCE = 8


class TaskApi(Protocol):
    """The calls this module makes."""

    async def get_run_output(self, task_run_id: int) -> dict[str, Any]: ...

    async def read_file(self, path: str) -> bytes: ...


class OutputsPending(Exception):
    """An output could not be read yet; the run is looked at again at the next tick."""


class TaskDetails:
    """Turns seen tasks into records. One get-output per finished task, one progress read a second per running one."""

    def __init__(self, *, workspace: TaskApi, clock: Clock, control_path: str) -> None:
        self._workspace = workspace
        self._clock = clock
        # The Files API serves volumes only; elsewhere progress stays at the level of tasks.
        self._progress_root = f"{control_path}/progress" if control_path.startswith("/Volumes/") else None
        self._unread_since: dict[int, float] = {}
        self._progress_read_at: dict[int, float] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def read(self, run: SeenRun, record: RunRecord) -> tuple[TaskRecord, ...]:
        """The run's tasks, all attempts, with their details. Raises OutputsPending."""
        known = {task.task_run_id: task for task in record.tasks}
        tasks = [task for task in run.tasks if record.shows(task.task_key)]
        async with asyncio.TaskGroup() as group:
            reads = [group.create_task(self._task(run, task, known.get(task.task_run_id))) for task in tasks]
        found = [one.result() for one in reads]
        if run.status.terminal and any(one is None for one in found):
            raise OutputsPending
        return tuple(one or _plain(task) for one, task in zip(found, tasks, strict=True))

    @staticmethod
    def as_listed(run: SeenRun, record: RunRecord) -> tuple[TaskRecord, ...]:
        """The same without any call: what the listing tells, for good."""
        return tuple(_plain(task, output_read=True) for task in run.tasks if record.shows(task.task_key))

    def forget(self, record: RunRecord) -> None:
        """The run has ended."""
        for task in record.tasks:
            self._unread_since.pop(task.task_run_id, None)
            self._progress_read_at.pop(task.task_run_id, None)

    async def _task(self, run: SeenRun, task: SeenTask, known: TaskRecord | None) -> TaskRecord | None:
        """The task's record; None while its output is still to be read."""
        if known is not None and known.output_read:
            return _plain(task, known)
        if not task.status.terminal:
            return _plain(task, progress=await self._progress(run, task, known))
        if task.started_at is None or task.status.result in CONSEQUENCES:
            return _plain(task, known, output_read=True)
        return await self._with_output(task, known)

    async def _with_output(self, task: SeenTask, known: TaskRecord | None) -> TaskRecord | None:
        try:
            async with self._slots:
                output = await self._workspace.get_run_output(task.task_run_id)
        except WorkspaceRejected as fault:
            log.info("task_output_refused", task_run_id=task.task_run_id, code=fault.error_code)
            output = {}
        except WorkspaceError as fault:
            now = self._clock.monotonic()
            unread_s = now - self._unread_since.setdefault(task.task_run_id, now)
            log.info("task_output_unread", task_run_id=task.task_run_id, code=fault.code, unread_s=unread_s)
            if unread_s < OUTPUT_PATIENCE_S:
                return None
            output = {}
        records, tables = records_and_tables(output)
        error = None
        if task.status.result not in SUCCESSES:
            error = task_error(output, code=task.status.code, message=task.status.message)
        # Reported progress lags behind; of a task that succeeded its result speaks.
        progress = known.progress if known and task.status.result not in SUCCESSES else None
        return _plain(task, progress=progress, records=records, tables=tables, error=error, output_read=True)

    async def _progress(self, run: SeenRun, task: SeenTask, known: TaskRecord | None) -> Json | None:
        before = known.progress if known else None
        if task.status.state != "RUNNING" or self._progress_root is None:
            return before
        now = self._clock.monotonic()
        if now - self._progress_read_at.get(task.task_run_id, float("-inf")) < PROGRESS_EVERY_S:
            return before
        self._progress_read_at[task.task_run_id] = now
        path = f"{self._progress_root}/{run.run_id}/{task.task_key}.json"
        try:
            async with self._slots:
                return read_progress(await self._workspace.read_file(path), before=before)
        except WorkspaceError:
            return before  # no file yet, or none ever; nothing depends on it


def _plain(
    task: SeenTask,
    known: TaskRecord | None = None,
    *,
    progress: Json | None = None,
    records: Json | None = None,
    tables: list[Any] | None = None,
    error: Json | None = None,
    output_read: bool = False,
) -> TaskRecord:
    """The seen task, with the details given, or those that are `known` already."""
    return TaskRecord(
        task_run_id=task.task_run_id,
        task_key=task.task_key,
        attempt_number=task.attempt_number,
        position=task.position,
        layer=task.layer,
        notebook_path=task.notebook_path,
        state=task.status.state,
        result=task.status.result,
        started_at=task.started_at,
        ended_at=task.ended_at,
        duration_s=task.duration_s,
        setup_s=task.setup_s,
        queue_s=task.queue_s,
        progress=known.progress if known else progress,
        records=known.records if known else records,
        tables=known.tables if known else tables,
        error=known.error if known else error,
        output_read=known.output_read or output_read if known else output_read,
    )
