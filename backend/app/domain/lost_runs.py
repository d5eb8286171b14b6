"""Active runs that nobody can follow any more: they end for us, and what came of them is not made up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.domain.clock import iso
from app.domain.eta_display import eta_body
from app.domain.events import FAILED, PROGRESS, EventDraft
from app.domain.runs import RunRecord

DELETED = {
    "code": "RUN_DELETED",
    "message": "The run was deleted in the workspace before it was seen to end.",
    "advice": "Check the layers' versions to see what it did, then start it again.",
}
WORKSPACE_REPLACED = {
    "code": "WORKSPACE_REPLACED",
    "message": "The run belongs to another workspace than the one that is used now; its last known state is shown.",
    "advice": "Look it up in its own workspace. To do the same work here, start it again.",
}


def lost(record: RunRecord, why: Mapping[str, str], *, ended_at: datetime | None) -> list[EventDraft]:
    """The end of a run whose result is not known. State, tasks and times stay as they were last seen.

    Before the end of a run that was never seen comes a progress that says so: its state is null.
    """
    known = {
        "run_id": record.run_id,
        "submission_id": record.submission_id,
        "attempt": record.attempt,
        "layer": record.layer,
        "state": record.state,
        "result": record.result,
        "message": None,
        "task": None,
        "tasks": [task.as_json() for task in record.latest_tasks()],
        "phase": None,
        "progress": record.progress,
        **eta_body(None),
        "job_url": record.job_url,
        "started_at": None if record.started_at is None else iso(record.started_at),
        "ended_at": None,
        "duration_s": None,
        "queue_s": record.queue_s,
        "setup_s": record.setup_s,
    }
    end = {
        **known,
        "message": why["message"],
        "ended_at": None if ended_at is None else iso(ended_at),
        "duration": None,
        "claim_ids": list(record.claim_ids),
        "records": None,
        "tables": [],
        "error": {**why, "task": None, "trace_excerpt": None},
        "retryable": True,
    }
    drafts = [EventDraft(FAILED, end, record.run_id)]
    return drafts if record.progress_seen else [EventDraft(PROGRESS, known, record.run_id), *drafts]
