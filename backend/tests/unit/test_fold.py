"""The laws of the fold: whatever the workspace shows, the log tells it once, in order, and the rows follow the log."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.events import COMPLETED, FAILED, PROGRESS, STARTED, TERMINAL_EVENTS, EventDraft
from app.domain.fold import changes, fold, started
from app.domain.lost_runs import DELETED, lost
from app.domain.observation import SeenRun, read_run
from app.domain.runs import RunRecord, TaskRecord

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
T0_MS = round(T0.timestamp() * 1000)
STATES = ("QUEUED", "PENDING", "RUNNING", "TERMINATING", "TERMINATED", "INTERNAL_ERROR", "SKIPPED", "NEVER_SEEN")
RESULTS = (None, "SUCCESS", "FAILED", "CANCELED", "SUCCESS_WITH_FAILURES", "UPSTREAM_FAILED", "BRAND_NEW")
KEYS = ("bronze_ingestion", "silver_transformations")


def record() -> RunRecord:
    return RunRecord(
        workspace_id="1",
        run_id=7,
        submission_id=None,
        job_id=5,
        layer="silver",
        task_keys=KEYS,
        task_set=",".join(KEYS),
        claim_ids=("CLM-1",),
        job_url=None,
        requested_by="somebody",
        requested_at=T0,
    )


def look(state: str, result: str | None, tasks: list[tuple[str, str | None]]) -> dict[str, Any]:
    def entity(life: str, end: str | None) -> dict[str, Any]:
        return {"state": {"life_cycle_state": life, "state_message": "m"} | ({"result_state": end} if end else {})}

    entries = [
        {"run_id": 70 + n, "task_key": KEYS[n], "attempt_number": 0, "start_time": T0_MS, **entity(life, end)}
        for n, (life, end) in enumerate(tasks)
    ]
    over = {"end_time": T0_MS + 9_000} if state in {"TERMINATED", "INTERNAL_ERROR", "SKIPPED"} else {}
    return {"run_id": 7, "job_id": 5, "start_time": T0_MS, "tasks": entries, **over, **entity(state, result)}


def records_of(seen: SeenRun) -> tuple[TaskRecord, ...]:
    return tuple(
        TaskRecord(
            task_run_id=task.task_run_id,
            task_key=task.task_key,
            attempt_number=task.attempt_number,
            position=task.position,
            state=task.status.state,
            result=task.status.result,
            started_at=task.started_at,
        )
        for task in seen.tasks
    )


def told(looks: list[dict[str, Any]]) -> tuple[RunRecord | None, list[EventDraft]]:
    """Play looks against a fresh run; the record and every event of it."""
    drafts = [started(record(), eta=None)]
    present = fold(None, STARTED, drafts[0].data)
    for raw in looks:
        assert present is not None
        seen = read_run(raw)
        for draft in changes(present, seen, records_of(seen), eta=None):
            drafts.append(draft)
            present = fold(present, draft.type, draft.data)
    return present, drafts


task_states = st.tuples(st.sampled_from(STATES), st.sampled_from(RESULTS))
looks_strategy = st.lists(
    st.builds(look, st.sampled_from(STATES), st.sampled_from(RESULTS), st.lists(task_states, min_size=2, max_size=2)),
    max_size=8,
)


@given(looks_strategy)
def test_a_run_ends_at_most_once_after_progress_and_nothing_follows(looks: list[dict[str, Any]]) -> None:
    _, drafts = told(looks)
    types = [draft.type for draft in drafts]
    ends = [place for place, kind in enumerate(types) if kind in TERMINAL_EVENTS]
    assert len(ends) <= 1
    for place in ends:
        assert place == len(types) - 1
        assert PROGRESS in types[:place]


@given(looks_strategy)
def test_replaying_the_log_gives_the_record(looks: list[dict[str, Any]]) -> None:
    present, drafts = told(looks)
    replayed: RunRecord | None = None
    for draft in drafts:
        wire = json.loads(json.dumps(draft.data))
        replayed = fold(replayed, draft.type, wire)
    assert replayed == present


@given(looks_strategy)
def test_seeing_the_same_again_says_nothing(looks: list[dict[str, Any]]) -> None:
    _, once = told(looks)
    _, twice = told([one for raw in looks for one in (raw, raw)])
    assert [draft.type for draft in once] == [draft.type for draft in twice]


@given(st.sampled_from(RESULTS))
def test_only_success_completes(result: str | None) -> None:
    _, drafts = told([look("TERMINATED", result, [("TERMINATED", result)] * 2)])
    completed = result in {"SUCCESS", "SUCCESS_WITH_FAILURES"}
    assert drafts[-1].type == (COMPLETED if completed else FAILED)


def test_a_state_nobody_knows_is_shown_and_not_an_end() -> None:
    present, drafts = told([look("NEVER_SEEN", None, [("NEVER_SEEN", None)] * 2)])
    assert present is not None
    assert (present.state, present.active) == ("NEVER_SEEN", True)
    assert [draft.type for draft in drafts] == [STARTED, PROGRESS]


def test_a_new_attempt_starts_the_run_again_and_keeps_earlier_tasks() -> None:
    failed = [look("TERMINATED", "FAILED", [("TERMINATED", "SUCCESS"), ("TERMINATED", "FAILED")])]
    present, _ = told(failed)
    assert present is not None
    again = RunRecord(
        **{name: getattr(present, name) for name in ("workspace_id", "run_id", "submission_id", "job_id", "layer")},
        **{name: getattr(present, name) for name in ("task_keys", "task_set", "claim_ids", "job_url", "requested_by")},
        requested_at=present.requested_at,
        attempt=1,
        attempt_since=T0 + timedelta(seconds=9),
    )
    begun = fold(present, STARTED, started(again, eta=None).data)
    assert begun is not None
    assert (begun.active, begun.attempt, begun.result, begun.records) == (True, 1, None, None)
    assert {task.task_run_id for task in begun.tasks} == {70, 71}


def test_a_run_that_vanished_unseen_is_told_as_unknown_before_its_end() -> None:
    drafts = lost(record(), DELETED, ended_at=T0 + timedelta(seconds=9))
    assert [draft.type for draft in drafts] == [PROGRESS, FAILED]
    assert (drafts[0].data["state"], drafts[0].data["phase"], drafts[0].data["ended_at"]) == (None, None, None)
    ended: RunRecord | None = record()
    for draft in drafts:
        ended = fold(ended, draft.type, draft.data)
    assert ended is not None
    assert (ended.active, ended.state, ended.result, ended.progress_seen) == (False, None, None, True)
    assert ended.error is not None
    assert ended.error["code"] == "RUN_DELETED"


def test_a_run_that_vanished_keeps_what_was_seen_of_it() -> None:
    seen = replace(record(), state="RUNNING", progress_seen=True)
    drafts = lost(seen, DELETED, ended_at=None)
    assert [(draft.type, draft.data["state"]) for draft in drafts] == [(FAILED, "RUNNING")]
