"""Recorded logs fold into the rows that their stories ask for. JavaScript folds the same files to the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.api.event_models import EVENT_MODELS
from app.domain.events import RUN_EVENTS
from app.domain.fold import fold
from app.domain.runs import RunRecord, TaskRecord
from app.domain.views import run_view

LOGS = sorted((Path(__file__).parents[3] / "fixtures" / "event_logs").glob("*.json"))
MODELS = {model.model_fields["type"].annotation.__args__[0]: model for model in EVENT_MODELS}


def folded(events: list[dict[str, Any]]) -> dict[int, RunRecord]:
    records: dict[int, RunRecord] = {}
    for event in events:
        run_id = event["data"].get("run_id")
        if event["type"] in RUN_EVENTS and run_id is not None:
            after = fold(records.get(run_id), event["type"], event["data"])
            assert after is not None
            records[run_id] = after
    return records


def task_row(task: dict[str, Any]) -> list[Any]:
    return [task[name] for name in ("task_key", "task_run_id", "attempt_number", "state", "result")]


def row(record: RunRecord) -> dict[str, Any]:
    view = run_view(record, None)
    plain = ("run_id", "attempt", "active", "state", "result", "phase", "started_at", "ended_at", "duration_s")
    return {name: view[name] for name in (*plain, "retryable")} | {
        "error": view["error"]["code"] if view["error"] else None,
        "tasks": [task_row(task) for task in view["tasks"]],
        "earlier_attempts": [task_row(task) for task in view["earlier_attempts"]],
    }


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.stem)
def test_a_recorded_log_folds_into_its_rows(log: Path) -> None:
    recorded = json.loads(log.read_text())
    assert recorded["rows"]
    assert [row(record) for record in folded(recorded["events"]).values()] == recorded["rows"]


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.stem)
def test_a_recorded_log_is_gap_free_and_of_the_documented_shapes(log: Path) -> None:
    events = json.loads(log.read_text())["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        MODELS[event["type"]].model_validate(event)


def test_the_logs_hold_every_type_of_event() -> None:
    told = {event["type"] for log in LOGS for event in json.loads(log.read_text())["events"]}
    assert told == MODELS.keys() - {"snapshot"}


def test_a_record_in_its_wire_form_comes_back() -> None:
    for log in LOGS:
        for record in folded(json.loads(log.read_text())["events"]).values():
            assert RunRecord.from_json(record.as_json()) == record
            assert all(TaskRecord.from_json(task.as_json()) == task for task in record.tasks)
