"""What the API shows of a run, beside what the events say of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.runs import RunRecord, TaskRecord
from app.domain.views import run_view

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)
SILVER = "silver_transformations"


def attempt(task_run_id: int, number: int, result: str | None) -> TaskRecord:
    """The silver task's attempt `number`."""
    return TaskRecord(
        task_run_id=task_run_id,
        task_key=SILVER,
        attempt_number=number,
        position=0,
        state="TERMINATED" if result else "RUNNING",
        result=result,
        started_at=T0 + timedelta(seconds=10 * number),
    )


def test_a_repaired_run_shows_the_newest_attempt_and_keeps_the_earlier_ones_apart() -> None:
    record = RunRecord(
        workspace_id="1",
        run_id=7,
        submission_id=None,
        job_id=5,
        layer="silver",
        task_keys=(SILVER,),
        task_set=SILVER,
        claim_ids=(),
        job_url=None,
        requested_by="somebody",
        requested_at=T0,
        tasks=(attempt(71, 0, "FAILED"), attempt(72, 1, "FAILED"), attempt(73, 2, None)),
    )
    shown = run_view(record, None)
    assert [task["task_run_id"] for task in shown["tasks"]] == [73]
    assert [(task["task_run_id"], task["result"]) for task in shown["earlier_attempts"]] == [
        (71, "FAILED"),
        (72, "FAILED"),
    ]
    assert run_view(replace(record, tasks=record.tasks[-1:]), None)["earlier_attempts"] == []
