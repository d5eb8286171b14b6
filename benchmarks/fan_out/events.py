"""What is sent in the bursts: progress events as the pipeline's own are, with three tasks of which two have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.domain.clock import iso
from app.domain.events import PROGRESS, EventDraft
from app.domain.runs import TaskRecord

RUN_ID = 4_503_599_627_370_495
BEGAN = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)


def draft(n: int) -> EventDraft:
    """The `n`-th event of a burst."""
    return EventDraft(PROGRESS, {**_RUN, "progress": {"done": n, "total": 10_000, "task": "gold_aggregations"}}, RUN_ID)


def _task(position: int, name: str, layer: str) -> TaskRecord:
    ended = position < 2
    return TaskRecord(
        task_run_id=RUN_ID + 1 + position,
        task_key=name,
        attempt_number=0,
        position=position,
        layer=layer,
        notebook_path=f"/PetInsure360/0{position + 1}_{name}",
        state="TERMINATED" if ended else "RUNNING",
        result="SUCCESS" if ended else None,
        started_at=BEGAN + timedelta(seconds=position),
        ended_at=BEGAN + timedelta(seconds=position + 1) if ended else None,
        duration_s=1.0 if ended else None,
        records={"in": 15_000, "out": 14_950, "quarantined": 50} if ended else None,
        output_read=ended,
    )


_RUN = {
    "run_id": RUN_ID,
    "submission_id": "0b8f7c1e-64c5-4a53-b1d6-2f6d8f1e0a77",
    "attempt": 0,
    "layer": "gold",
    "state": "RUNNING",
    "result": None,
    "message": None,
    "task": "gold_aggregations",
    "tasks": [
        _task(0, "bronze_ingestion", "bronze").as_json(),
        _task(1, "silver_transformations", "silver").as_json(),
        _task(2, "gold_aggregations", "gold").as_json(),
    ],
    "phase": "running",
    "eta": {"p50_s": 2.5, "p90_s": 4.0, "n": 12},
    "job_url": "http://127.0.0.1:8471/#job/1/run/4503599627370495",
    "started_at": iso(BEGAN),
    "ended_at": None,
    "duration_s": None,
    "queue_s": 0.0,
    "setup_s": 0.4,
}
