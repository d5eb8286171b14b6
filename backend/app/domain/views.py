"""Runs and submissions as the API, the snapshot and the command line show them: one shape everywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.domain.clock import iso
from app.domain.runs import RunRecord, TaskRecord
from app.domain.submissions import ActionState, ClickNote, RunAction, Submission


def run_view(record: RunRecord, click: ClickNote | None) -> dict[str, Any]:
    """A run that the workspace has accepted. Runs started elsewhere have no submission."""
    latest = record.latest_tasks()
    return {
        "run_id": record.run_id,
        "submission_id": record.submission_id,
        "submission_state": "ACCEPTED" if record.submission_id else None,
        "attempt": record.attempt,
        "active": record.active,
        "adopted": record.adopted,
        "layer": record.layer,
        "state": record.state,
        "result": record.result,
        "phase": record.phase,
        "job_id": record.job_id,
        "job_url": record.job_url,
        "requested_by": record.requested_by,
        "requested_at": iso(record.requested_at),
        "reason": click.reason if click else None,
        "started_at": _iso(record.started_at),
        "ended_at": _iso(record.ended_at),
        "duration_s": record.duration_s,
        "queue_s": record.queue_s,
        "setup_s": record.setup_s,
        "claim_ids": list(record.claim_ids),
        "progress": record.progress,
        "records": record.records,
        "tables": record.tables,
        "eta": record.eta,
        "eta_cause": record.eta_cause,
        "error": record.error,
        "retryable": record.retryable,
        "unmapped": list(click.unmapped) if click else [],
        "next_try_at": None,
        "cancel": None,
        "task_keys": list(record.task_keys),
        "tasks": [task_view(task) for task in latest],
        "earlier_attempts": [task_view(task) for task in record.tasks if task not in latest],
    }


def submission_view(submission: Submission) -> dict[str, Any]:
    """A click that has no run (yet), in the shape of a run; what only the workspace can tell is null."""
    return {
        "run_id": submission.run_id,
        "submission_id": submission.submission_id,
        "submission_state": submission.state.value,
        "attempt": 0,
        "active": submission.state.open,
        "adopted": False,
        "layer": submission.layer,
        "state": None,
        "result": None,
        "phase": None,
        "job_id": submission.job_id,
        "job_url": submission.job_url,
        "requested_by": submission.requested_by,
        "requested_at": iso(submission.requested_at),
        "reason": submission.reason,
        "started_at": None,
        "ended_at": None,
        "duration_s": None,
        "queue_s": None,
        "setup_s": None,
        "claim_ids": list(submission.claim_ids),
        "progress": None,
        "records": None,
        "tables": None,
        "eta": None,
        "eta_cause": None,
        "error": submission.error,
        "retryable": None if submission.state.open else True,
        "unmapped": list(submission.unmapped or ()),
        "next_try_at": _iso(submission.next_try_at),
        "cancel": None,
        "task_keys": list(submission.tasks),
        "tasks": [],
        "earlier_attempts": [],
    }


def cancel_view(action: RunAction) -> dict[str, Any] | None:
    """A cancellation that was asked for and has not ended its run yet; None for one that came to nothing."""
    if action.state in {ActionState.REFUSED, ActionState.LOST}:
        return None
    return {
        "state": action.state.value,
        "requested_by": action.requested_by,
        "requested_at": iso(action.requested_at),
        "next_try_at": _iso(action.next_try_at),
        "error": action.error if action.state.open else None,
    }


def task_view(task: TaskRecord) -> dict[str, Any]:
    """One attempt of a task of a run."""
    return task.as_json()


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
