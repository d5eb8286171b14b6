"""Reading runs for people: pages of the history, one run, a task's output, the runs of a snapshot."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import InvalidPageToken, RunNotFound, TaskNotFound, WorkspaceRejected
from app.domain.outputs import exit_value, plain
from app.domain.runs import RunRecord
from app.domain.submissions import ClickNote, Submission, SubmissionState
from app.domain.views import cancel_view, run_view, submission_view
from app.services.current_workspace import CurrentWorkspace
from app.services.eta import shown_now
from app.services.journal import Journal
from app.store import actions, runs, submissions

SNAPSHOT_RECENT = 20
_AFTER_ALL_IDS = "\uffff"

Position = tuple[datetime, int, str]


class OutputApi(Protocol):
    """The call this module makes."""

    async def get_run_output(self, task_run_id: int) -> dict[str, Any]: ...


class RunHistory:
    """Answers from the store; only a task's full output is asked of the workspace."""

    def __init__(self, *, journal: Journal, current: CurrentWorkspace, workspace: OutputApi) -> None:
        self._journal = journal
        self._current = current
        self._workspace = workspace

    async def page(
        self, *, limit: int, page_token: str | None, layer: str | None, state: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Runs, and clicks without a run, newest first; and the token of the next page. Raises InvalidPageToken."""
        before = _read_token(page_token) if page_token else None
        async with self._journal.read() as db:
            records, clicks = await self._both(db, before, limit + 1, layer, state)
            shown = _merged(records, clicks)
            page = shown[:limit]
            views = await self._views(db, page)
        return views, _write_token(page[-1]) if len(shown) > limit else None

    async def get(self, run_id: int) -> dict[str, Any]:
        """One run. Raises RunNotFound."""
        async with self._journal.read(brief=True) as db:
            record = await self._found(db, run_id)
            return (await self._views(db, [record]))[0]

    async def task_output(self, run_id: int, task_key: str) -> dict[str, Any]:
        """The newest attempt's result, error and trace. Raises RunNotFound, TaskNotFound, WorkspaceError."""
        async with self._journal.read() as db:
            record = await self._found(db, run_id)
        task = record.task(task_key)
        if task is None:
            keys = list(record.task_keys)
            raise TaskNotFound(f"Run {run_id} has no task {task_key!r}.", run_id=run_id, task_keys=keys)
        try:
            output = await self._workspace.get_run_output(task.task_run_id)
        except WorkspaceRejected as fault:
            if record.workspace_id == self._current.workspace_id and fault.status not in (400, 404):
                raise
            output = {}  # the workspace keeps outputs for 60 days only; what we kept is shown instead
        result, truncated = exit_value(output)
        kept = task.error or {}
        return {
            "run_id": run_id,
            "task_key": task.task_key,
            "attempt_number": task.attempt_number,
            "result": result,
            "error": plain(output.get("error")) or kept.get("message"),
            "error_trace": plain(output.get("error_trace")) or kept.get("trace_excerpt"),
            "truncated": truncated,
        }

    async def snapshot_runs(self, db: AsyncConnection) -> list[dict[str, Any]]:
        """Active runs and clicks on their way, and the latest that have ended, newest first."""
        active: list[RunRecord | Submission] = list(await runs.active(db, self._current.workspace_id))
        waiting = await submissions.open_ones(db)
        recent, clicks = await self._both(db, None, SNAPSHOT_RECENT, None, None)
        shown = _merged(recent, clicks)[:SNAPSHOT_RECENT]
        known = {_identity(one) for one in shown}
        shown += [one for one in (*active, *waiting) if _identity(one) not in known]
        return await self._views(db, sorted(shown, key=_order, reverse=True))

    async def _both(
        self, db: AsyncConnection, before: Position | None, limit: int, layer: str | None, state: str | None
    ) -> tuple[Sequence[RunRecord], Sequence[Submission]]:
        records: Sequence[RunRecord] = ()
        clicks: Sequence[Submission] = ()
        of_clicks = state is not None and state in set(SubmissionState) - {SubmissionState.ACCEPTED}
        if not of_clicks:
            position = None if before is None else (before[0], before[1])
            records = await runs.page(db, before=position, limit=limit, layer=layer, state=state)
        if of_clicks or state is None:
            place = None if before is None else (before[0], before[2])
            clicks = await submissions.without_run(db, before=place, limit=limit, layer=layer, state=state)
        return records, clicks

    async def _found(self, db: AsyncConnection, run_id: int) -> RunRecord:
        record = await runs.find(db, run_id, workspace_id=self._current.workspace_id)
        if record is None:
            raise RunNotFound(f"There is no run {run_id}.", run_id=run_id)
        return record

    async def _views(self, db: AsyncConnection, shown: Sequence[RunRecord | Submission]) -> list[dict[str, Any]]:
        clicks = await submissions.notes(
            db, (one.submission_id for one in shown if isinstance(one, RunRecord) and one.submission_id)
        )
        asked = await self._cancels(db, [one for one in shown if isinstance(one, RunRecord) and one.active])
        return [
            submission_view(one)
            if isinstance(one, Submission)
            else self._run_view(one, clicks.get(one.submission_id or "")) | {"cancel": asked.get(_identity(one))}
            for one in shown
        ]

    async def _cancels(
        self, db: AsyncConnection, active: Sequence[RunRecord]
    ) -> dict[tuple[str, int | str], dict[str, Any] | None]:
        """What was asked about active runs, for those where anything was asked in their present attempt."""
        if not active:
            return {}
        attempts = {_identity(one): one.attempt for one in active}
        found = await actions.cancels(db, [one.workspace_id for one in active], [one.run_id for one in active])
        return {
            (one.workspace_id, one.run_id): cancel_view(one)
            for one in found
            if attempts.get((one.workspace_id, one.run_id)) == one.attempt
        }

    def _run_view(self, one: RunRecord, click: ClickNote | None) -> dict[str, Any]:
        view = run_view(one, click)
        if one.active:
            eta = shown_now(one, self._journal.clock.now())
            view["eta"] = eta.as_json() if eta else None
        return view


def _merged(records: Sequence[RunRecord], clicks: Sequence[Submission]) -> list[RunRecord | Submission]:
    both: list[RunRecord | Submission] = [*records, *clicks]
    return sorted(both, key=_order, reverse=True)


def _order(one: RunRecord | Submission) -> tuple[datetime, int, int, str]:
    """Newest first when reversed; runs before clicks of the same instant."""
    if isinstance(one, Submission):
        return (one.requested_at, 0, 0, one.submission_id)
    return (one.requested_at, 1, one.run_id, "")


def _identity(one: RunRecord | Submission) -> tuple[str, int | str]:
    return ("click", one.submission_id) if isinstance(one, Submission) else (one.workspace_id, one.run_id)


def _write_token(last: RunRecord | Submission) -> str:
    """Where the next page begins: after this run (and before any click of its instant), or after this click."""
    micros = round((last.requested_at - _EPOCH) / timedelta(microseconds=1))
    place: list[Any] = [micros, last.run_id, _AFTER_ALL_IDS]
    if isinstance(last, Submission):
        place = [micros, -1, last.submission_id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_token(token: str) -> Position:
    try:
        micros, run_id, submission_id = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return (_EPOCH + timedelta(microseconds=int(micros)), int(run_id), str(submission_id))
    except (ValueError, TypeError, OverflowError, binascii.Error) as fault:
        raise InvalidPageToken("The page token was not given out by this server.") from fault


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
