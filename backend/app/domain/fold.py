"""From looks at a run to events, and from events to the run's record.

`changes` compares what is kept with what was seen and says what happened; `fold` applies one event to the record. The
record after a transaction is the fold of its events, so replaying the log gives the state rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.domain.advice import advice, is_retryable
from app.domain.clock import iso
from app.domain.eta_display import Prediction, eta_body
from app.domain.events import ADOPTED, COMPLETED, FAILED, PROGRESS, STARTED, TERMINAL_EVENTS, EventDraft
from app.domain.observation import SeenRun
from app.domain.run_states import CONSEQUENCES, EXECUTING_STATES, KNOWN_STATES, SUCCESSES, WAITING_STATES
from app.domain.runs import Json, RunRecord, TaskRecord, parse_instant

_PROGRESS_FIELDS = ("state", "result", "phase", "progress", "eta", "duration_s", "queue_s", "setup_s", "job_url")


def started(record: RunRecord, *, eta: Prediction | None, reason: str | None = None) -> EventDraft:
    """The event that a run (or its next attempt) was accepted."""
    return EventDraft(
        STARTED,
        {
            "run_id": record.run_id,
            "submission_id": record.submission_id,
            "workspace_id": record.workspace_id,
            "job_id": record.job_id,
            "attempt": record.attempt,
            "attempt_since": None if record.attempt_since is None else iso(record.attempt_since),
            "layer": record.layer,
            "tasks": list(record.task_keys),
            "task_set": record.task_set,
            "job_url": record.job_url,
            "claim_ids": list(record.claim_ids),
            "requested_by": record.requested_by,
            "requested_at": iso(record.requested_at),
            "reason": reason,
            **eta_body(eta),
        },
        record.run_id,
    )


def adopted(record: RunRecord, seen: SeenRun, tasks: Sequence[TaskRecord]) -> EventDraft:
    """The event that a run which ended before our time was taken into the history: its whole record, and no news."""
    ended: RunRecord | None = record
    for draft in changes(record, seen, tasks, eta=None):
        ended = fold(ended, draft.type, draft.data)
    assert ended is not None
    return EventDraft(ADOPTED, replace(ended, adopted=True).as_json(), record.run_id)


def changes(
    record: RunRecord, seen: SeenRun, tasks: Sequence[TaskRecord], *, eta: Prediction | None
) -> list[EventDraft]:
    """What one look adds to the record of an active run: nothing, progress, or the end.

    `tasks` are the seen tasks with their outputs and progress. A run never ends without one progress event before.
    """
    if not record.active:
        return []
    body = _progress_body(record, seen, tasks, eta=None if seen.status.terminal else eta)
    drafts: list[EventDraft] = []
    if not record.progress_seen or _differs(record, body):
        drafts.append(EventDraft(PROGRESS, body, record.run_id))
    if seen.status.terminal:
        drafts.append(_end(record, seen, tasks, body))
    return drafts


def fold(record: RunRecord | None, event_type: str, body: Mapping[str, Any]) -> RunRecord | None:
    """The record after one event. Nothing moves a run that has ended, except a new attempt's `started`."""
    if event_type == STARTED:
        return _begun(record, body)
    if event_type == ADOPTED and record is None:
        return RunRecord.from_json(body)
    if record is None or not record.active:
        return record
    if event_type == PROGRESS:
        return _moved(record, body)
    if event_type in TERMINAL_EVENTS:
        return _ended(_moved(record, body), body)
    return record


def _begun(record: RunRecord | None, body: Json) -> RunRecord:
    requested_at = parse_instant(body["requested_at"])
    assert requested_at is not None
    return RunRecord(
        workspace_id=body["workspace_id"],
        run_id=body["run_id"],
        submission_id=body["submission_id"],
        job_id=body["job_id"],
        layer=body["layer"],
        task_keys=tuple(body["tasks"]),
        task_set=body["task_set"],
        claim_ids=tuple(body["claim_ids"]),
        job_url=body["job_url"],
        requested_by=body["requested_by"],
        requested_at=requested_at,
        attempt=body["attempt"],
        attempt_since=parse_instant(body["attempt_since"]),
        eta=body["eta"],
        eta_at=parse_instant(body.get("eta_at")),
        eta_cause=body.get("eta_cause"),
        tasks=record.tasks if record is not None else (),
    )


def _moved(record: RunRecord, body: Json) -> RunRecord:
    tasks = {task.task_run_id: task for task in record.tasks}
    for one in [*body["tasks"], *body.get("earlier_attempts", ())]:
        task = TaskRecord.from_json(one)
        tasks[task.task_run_id] = task
    return replace(
        record,
        **{name: body[name] for name in _PROGRESS_FIELDS},
        eta_at=parse_instant(body.get("eta_at")),  # logs from before these two were told lack them
        eta_cause=body.get("eta_cause"),
        started_at=parse_instant(body["started_at"]),
        ended_at=parse_instant(body["ended_at"]),
        tasks=tuple(sorted(tasks.values(), key=lambda one: (one.position, one.attempt_number, one.task_run_id))),
        progress_seen=True,
    )


def _ended(record: RunRecord, body: Json) -> RunRecord:
    return replace(
        record,
        active=False,
        records=body["records"],
        tables=body["tables"],
        error=body.get("error"),
        retryable=body.get("retryable"),
        eta=None,
        eta_at=None,
        eta_cause=None,
    )


def _progress_body(
    record: RunRecord, seen: SeenRun, tasks: Sequence[TaskRecord], *, eta: Prediction | None
) -> dict[str, Any]:
    latest = _latest(tasks)
    current = _current_task(latest)
    started_at = _attempt_start(record, seen, latest)
    body: dict[str, Any] = {
        "run_id": record.run_id,
        "submission_id": record.submission_id,
        "attempt": record.attempt,
        "layer": record.layer,
        "state": seen.status.state,
        "result": seen.status.result,
        "message": seen.status.message,
        "task": current.task_key if current else None,
        "tasks": [task.as_json() for task in latest],
        "phase": None if seen.status.terminal else _phase(record, seen, latest),
        "progress": _run_progress(current),
        **eta_body(eta),
        "job_url": seen.job_url or record.job_url,
        "started_at": None if started_at is None else iso(started_at),
        "ended_at": None if seen.ended_at is None or not seen.status.terminal else iso(seen.ended_at),
        "duration_s": _duration_s(record, seen, started_at),
        "queue_s": seen.queue_s,
        "setup_s": next((task.setup_s for task in latest if task.setup_s is not None), None),
    }
    earlier = [task.as_json() for task in tasks if task not in latest]
    return body | ({"earlier_attempts": earlier} if earlier else {})


def _end(record: RunRecord, seen: SeenRun, tasks: Sequence[TaskRecord], moved: dict[str, Any]) -> EventDraft:
    latest = _latest(tasks)
    body = {
        **moved,
        "duration": moved["duration_s"],
        "claim_ids": list(record.claim_ids),
        "records": _run_records(latest),
        "tables": [table for task in latest for table in task.tables or ()],
    }
    if seen.status.result in SUCCESSES:
        return EventDraft(COMPLETED, body, record.run_id)
    body["error"] = _run_error(seen, latest)
    body["retryable"] = is_retryable(seen.status.code)
    return EventDraft(FAILED, body, record.run_id)


def _differs(record: RunRecord, body: Json) -> bool:
    """Whether the look shows what the record does not hold. Of estimates only one set up for a cause is news."""
    if body["eta_cause"] is not None:
        return True
    kept = {task.task_run_id: task for task in record.tasks}
    seen_tasks = [TaskRecord.from_json(one) for one in [*body["tasks"], *body.get("earlier_attempts", ())]]
    if any(kept.get(task.task_run_id) != task for task in seen_tasks):
        return True
    return (record.state, record.result, record.phase) != (body["state"], body["result"], body["phase"])


def _latest(tasks: Iterable[TaskRecord]) -> list[TaskRecord]:
    newest: dict[str, TaskRecord] = {}
    for task in sorted(tasks, key=lambda one: (one.position, one.attempt_number, one.task_run_id)):
        newest[task.task_key] = task
    return list(newest.values())


def _current_task(latest: Sequence[TaskRecord]) -> TaskRecord | None:
    """The task that executes; else the first that has not ended; else the last."""
    executing = next((task for task in latest if task.state in EXECUTING_STATES), None)
    unfinished = next((task for task in latest if task.ended_at is None and task.result is None), None)
    return executing or unfinished or (latest[-1] if latest else None)


def _phase(record: RunRecord, seen: SeenRun, latest: Sequence[TaskRecord]) -> str | None:
    """queued, cluster_starting (accepted, nothing has executed yet in this attempt) or running; None in a state that
    nobody knows.
    """
    if seen.status.state in WAITING_STATES:
        return "queued"
    if any(task.state in EXECUTING_STATES for task in latest):
        return "running"
    since = record.attempt_since
    ended = [task.started_at for task in latest if task.started_at and task.ended_at]
    if any(since is None or started_at >= since for started_at in ended):
        return "running"
    if seen.status.state not in KNOWN_STATES:
        return None
    if latest or seen.status.state == "PENDING":
        return "cluster_starting"
    return "running"


def _run_progress(current: TaskRecord | None) -> dict[str, Any] | None:
    if current is None or current.progress is None:
        return None
    return {**current.progress, "task": current.task_key}


def _attempt_start(record: RunRecord, seen: SeenRun, latest: Sequence[TaskRecord]) -> datetime | None:
    """When the latest attempt began: the run's own start, or after a repair the first task that started since."""
    if record.attempt_since is None:
        return seen.started_at
    since = record.attempt_since
    return min((task.started_at for task in latest if task.started_at and task.started_at >= since), default=None)


def _duration_s(record: RunRecord, seen: SeenRun, started_at: datetime | None) -> float | None:
    if not seen.status.terminal:
        return None
    if started_at is not None and seen.ended_at is not None:
        return max(0.0, (seen.ended_at - started_at).total_seconds())
    return seen.duration_s if record.attempt_since is None else None


def _run_records(latest: Sequence[TaskRecord]) -> dict[str, Any] | None:
    """in = rows read by the first task, out = rows written by the last, quarantined = sum; null where nobody said."""
    told = [task.records for task in latest if task.records is not None]
    if not told:
        return None
    first, last = latest[0].records or {}, latest[-1].records or {}
    quarantined = [one["quarantined"] for one in told if one.get("quarantined") is not None]
    return {"in": first.get("in"), "out": last.get("out"), "quarantined": sum(quarantined) if quarantined else None}


def _run_error(seen: SeenRun, latest: Sequence[TaskRecord]) -> dict[str, Any]:
    culprit = next((task for task in latest if _is_cause(task)), None)
    told = (culprit.error if culprit else None) or {}
    code = seen.status.code or seen.status.result or seen.status.state or "UNKNOWN"
    message = (
        told.get("message") or seen.status.message or f"The run ended as {seen.status.result or seen.status.state}."
    )
    return {
        "code": code,
        "message": message,
        "task": culprit.task_key if culprit else None,
        "trace_excerpt": told.get("trace_excerpt"),
        "advice": advice(told.get("code") or code, seen.status.result),
    }


def _is_cause(task: TaskRecord) -> bool:
    if task.result is None:  # it ended in a way that nobody knows; what it left behind may tell
        return task.error is not None
    return task.result not in SUCCESSES and task.result not in CONSEQUENCES
