"""Every state, result and termination code of the Jobs API, and what events and API show of it.

One run of our job for each, started elsewhere and met by the poller in the same ticks. The columns: `shown` and
`result` are the API's words, `end` is the event that tells the end (none: the run stays active), `code` its error's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from databricks.sdk.service.jobs import (
    RunLifeCycleState,
    RunLifecycleStateV2State,
    RunResultState,
    TerminationCodeCode,
)

from backend.tests.support.backend import running_backend
from backend.tests.support.recorded_workspace import TOKEN, RecordedWorkspace, load

JOB_ID = 591500457291311
COMPLETED, FAILED = "databricks_job_completed", "databricks_job_failed"
NEW = "OF_NEXT_YEAR"
NONE: dict[str, Any] = {}
MAX_RUNS = "MAXIMUM_CONCURRENT_RUNS_REACHED"


@dataclass(frozen=True)
class Told:
    """What the workspace says of the run and of its only task, and what is to be shown."""

    state: dict[str, Any]
    status: dict[str, Any]
    shown: str
    result: str | None = None
    end: str | None = None
    code: str | None = None
    phase: str | None = None


def old(life_cycle: str, result: str | None = None) -> dict[str, Any]:
    return {"life_cycle_state": life_cycle} | ({"result_state": result} if result else {})


def new(state: str, code: str | None = None, kind: str = "CLIENT_ERROR") -> dict[str, Any]:
    return {"state": state} | ({"termination_details": {"code": code, "type": kind}} if code else {})


# Only the deprecated form is told.
LIFE_CYCLES = {
    "QUEUED": Told(old("QUEUED"), NONE, "QUEUED", phase="queued"),
    "BLOCKED": Told(old("BLOCKED"), NONE, "BLOCKED", phase="queued"),
    "WAITING_FOR_RETRY": Told(old("WAITING_FOR_RETRY"), NONE, "WAITING_FOR_RETRY", phase="queued"),
    "PENDING": Told(old("PENDING"), NONE, "PENDING", phase="cluster_starting"),
    "RUNNING": Told(old("RUNNING"), NONE, "RUNNING", phase="running"),
    "TERMINATING": Told(old("TERMINATING"), NONE, "TERMINATING", phase="running"),
    "TERMINATED": Told(old("TERMINATED"), NONE, "TERMINATED", None, FAILED, "TERMINATED"),
    "SKIPPED": Told(old("SKIPPED"), NONE, "SKIPPED", None, FAILED, "SKIPPED"),
    "INTERNAL_ERROR": Told(old("INTERNAL_ERROR"), NONE, "INTERNAL_ERROR", None, FAILED, "INTERNAL_ERROR"),
    NEW: Told(old(NEW), NONE, NEW),
    "": Told(old(""), NONE, ""),
}
RESULTS = {
    result: Told(old("TERMINATED", result), NONE, "TERMINATED", result, end, None if end is COMPLETED else result)
    for result, end in {
        "SUCCESS": COMPLETED,
        "SUCCESS_WITH_FAILURES": COMPLETED,
        "FAILED": FAILED,
        "TIMEDOUT": FAILED,
        "CANCELED": FAILED,
        MAX_RUNS: FAILED,
        "EXCLUDED": FAILED,
        "UPSTREAM_FAILED": FAILED,
        "UPSTREAM_CANCELED": FAILED,
        "DISABLED": FAILED,
        NEW: FAILED,
        "success": FAILED,  # words are compared as they are
    }.items()
}
# Only the current form is told.
STATUSES = {
    "QUEUED": Told(NONE, new("QUEUED"), "QUEUED", phase="queued"),
    "BLOCKED": Told(NONE, new("BLOCKED"), "BLOCKED", phase="queued"),
    "WAITING": Told(NONE, new("WAITING"), "WAITING", phase="queued"),
    "PENDING": Told(NONE, new("PENDING"), "PENDING", phase="cluster_starting"),
    "RUNNING": Told(NONE, new("RUNNING"), "RUNNING", phase="running"),
    "TERMINATING": Told(NONE, new("TERMINATING"), "TERMINATING", phase="running"),
    "TERMINATED": Told(NONE, new("TERMINATED"), "TERMINATED", None, FAILED, "TERMINATED"),
    NEW: Told(NONE, new(NEW, "SUCCESS", "SUCCESS"), NEW),  # not known to be an end, so nothing has succeeded
}
CODES = {
    code: Told(NONE, new("TERMINATED", code), "TERMINATED", result, end, None if end is COMPLETED else code)
    for code, (result, end) in {
        "SUCCESS": ("SUCCESS", COMPLETED),
        "SUCCESS_WITH_FAILURES": ("SUCCESS_WITH_FAILURES", COMPLETED),
        "USER_CANCELED": ("CANCELED", FAILED),
        "CANCELED": ("CANCELED", FAILED),
        "SKIPPED": (None, FAILED),
        "MAX_CONCURRENT_RUNS_EXCEEDED": (MAX_RUNS, FAILED),
        "DISABLED": ("DISABLED", FAILED),
        "INTERNAL_ERROR": ("FAILED", FAILED),
        "DRIVER_ERROR": ("FAILED", FAILED),
        "CLUSTER_ERROR": ("FAILED", FAILED),
        "REPOSITORY_CHECKOUT_FAILED": ("FAILED", FAILED),
        "INVALID_CLUSTER_REQUEST": ("FAILED", FAILED),
        "WORKSPACE_RUN_LIMIT_EXCEEDED": ("FAILED", FAILED),
        "FEATURE_DISABLED": ("FAILED", FAILED),
        "CLUSTER_REQUEST_LIMIT_EXCEEDED": ("FAILED", FAILED),
        "STORAGE_ACCESS_ERROR": ("FAILED", FAILED),
        "RUN_EXECUTION_ERROR": ("FAILED", FAILED),
        "UNAUTHORIZED_ERROR": ("FAILED", FAILED),
        "LIBRARY_INSTALLATION_ERROR": ("FAILED", FAILED),
        "MAX_SPARK_CONTEXTS_EXCEEDED": ("FAILED", FAILED),
        "RESOURCE_NOT_FOUND": ("FAILED", FAILED),
        "INVALID_RUN_CONFIGURATION": ("FAILED", FAILED),
        "CLOUD_FAILURE": ("FAILED", FAILED),
        "MAX_JOB_QUEUE_SIZE_EXCEEDED": ("FAILED", FAILED),
        "BREAKING_CHANGE": ("FAILED", FAILED),
        "BUDGET_POLICY_LIMIT_EXCEEDED": ("FAILED", FAILED),
        "CLUSTER_TERMINATED_BY_USER": ("FAILED", FAILED),
        NEW: (None, FAILED),  # it has ended; how, nobody knows
    }.items()
}
# Both forms, as workspaces tell them today.
SITUATIONS = {
    "queued": Told(old("QUEUED"), new("QUEUED"), "QUEUED", phase="queued"),
    "between attempts": Told(old("WAITING_FOR_RETRY"), new("WAITING"), "WAITING_FOR_RETRY", phase="queued"),
    "stopping with its result": Told(
        old("TERMINATING", "CANCELED"), new("TERMINATING"), "TERMINATING", "CANCELED", phase="running"
    ),
    "ok": Told(
        old("TERMINATED", "SUCCESS"), new("TERMINATED", "SUCCESS", "SUCCESS"), "TERMINATED", "SUCCESS", COMPLETED
    ),
    "a leaf failed": Told(
        old("INTERNAL_ERROR", "FAILED"), new("TERMINATED", "RUN_EXECUTION_ERROR"),
        "INTERNAL_ERROR", "FAILED", FAILED, "RUN_EXECUTION_ERROR",
    ),
    "some failed, leaves ok": Told(
        old("TERMINATED", "SUCCESS_WITH_FAILURES"), new("TERMINATED", "SUCCESS_WITH_FAILURES", "SUCCESS"),
        "TERMINATED", "SUCCESS_WITH_FAILURES", COMPLETED,
    ),
    "canceled by a user": Told(
        old("TERMINATED", "CANCELED"), new("TERMINATED", "USER_CANCELED", "SUCCESS"),
        "TERMINATED", "CANCELED", FAILED, "USER_CANCELED",
    ),
    "timed out": Told(
        old("TERMINATED", "TIMEDOUT"), new("TERMINATED", "CANCELED"), "TERMINATED", "TIMEDOUT", FAILED, "CANCELED"
    ),
    "over the limit of runs": Told(
        old("SKIPPED"), new("TERMINATED", "MAX_CONCURRENT_RUNS_EXCEEDED"),
        "SKIPPED", MAX_RUNS, FAILED, "MAX_CONCURRENT_RUNS_EXCEEDED",
    ),
    "skipped": Told(old("SKIPPED"), new("TERMINATED", "SKIPPED"), "SKIPPED", None, FAILED, "SKIPPED"),
    # The current form decides.
    "the old form says more than the new one": Told(
        old("TERMINATED", "SUCCESS"), new("RUNNING"), "RUNNING", phase="running"
    ),
    "an old word that nobody knows": Told(old(NEW), new("RUNNING"), NEW),
    "a new word that nobody knows": Told(old("TERMINATED", "SUCCESS"), new(NEW), NEW),
    "an end with a word that nobody knows": Told(old(NEW), new("TERMINATED"), NEW, None, FAILED, NEW),
}  # fmt: skip
TABLE = {
    f"{kind}: {name}": told
    for kind, rows in {
        "life cycle": LIFE_CYCLES,
        "result": RESULTS,
        "status": STATUSES,
        "code": CODES,
        "situation": SITUATIONS,
    }.items()
    for name, told in rows.items()
}


def test_the_table_has_every_value_that_the_sdk_knows() -> None:
    for known, rows in (
        (RunLifeCycleState, LIFE_CYCLES),
        (RunResultState, RESULTS),
        (RunLifecycleStateV2State, STATUSES),
        (TerminationCodeCode, CODES),
    ):
        assert {one.value for one in known} - rows.keys() == set()


def a_run(number: int, told: Told) -> dict[str, Any]:
    """Its task says of itself what the run does, and was never begun, so that it left no output."""
    look = load("run_of_somebody_else")["looks"][0]
    words = {name: value for name, value in (("state", told.state), ("status", told.status)) if value}
    plain = {name: value for name, value in look.items() if name not in ("state", "status", "tasks")}
    task = {name: value for name, value in look["tasks"][0].items() if name not in ("state", "status")}
    ended_ms = 1_000 if told.end else 0
    begun_ms = round(time.time() * 1000) + 5_000  # after the backend first met the workspace
    task |= {"run_id": 7_000 + number, "start_time": 0, "end_time": 0, **words}
    times = {"start_time": begun_ms, "end_time": ended_ms and begun_ms + ended_ms}
    return plain | {"run_id": 5_000 + number, "tasks": [task], **times, **words}


async def test_every_state_result_and_code_is_shown_as_told_and_only_a_success_is_one(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    names = {5_000 + number: name for number, name in enumerate(TABLE)}
    for number, told in enumerate(TABLE.values()):
        workspace.has_run([a_run(number, told)])
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, databricks_job_id=JOB_ID) as backend,
    ):
        events: dict[int, list[dict[str, Any]]] = defaultdict(list)
        seq = 0
        while names.keys() - events.keys():
            query = {"after": seq, "wait_s": 20}
            for event in (await backend.http.get("/api/events/poll", params=query)).json()["events"]:
                seq = event["seq"]
                events[event["data"].get("run_id")].append(event)
        found = {names[run_id]: _shown(await backend.run(run_id), events[run_id]) for run_id in names}
    assert found == {name: _wanted(told) for name, told in TABLE.items()}


def _wanted(told: Told) -> dict[str, Any]:
    shown = told.shown or None
    return {
        "run": (shown, told.result, told.end is None, told.phase, told.code),
        "task": (shown, told.result),
        "told": ["databricks_job_started", "databricks_job_progress", *([told.end] if told.end else [])],
        "last event": (shown, told.result, told.phase, told.code),
    }


def _shown(run: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    [task] = run["tasks"]
    last = events[-1]["data"]
    assert [one["result"] for one in last["tasks"]] == [task["result"]]
    return {
        "run": (run["state"], run["result"], run["active"], run["phase"], (run["error"] or {}).get("code")),
        "task": (task["state"], task["result"]),
        "told": [event["type"] for event in events],
        "last event": (last["state"], last["result"], last["phase"], (last.get("error") or {}).get("code")),
    }
