"""Triggering, following, cancelling and repairing runs."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from fastapi.responses import JSONResponse

from app.api.errors import ErrorBody
from app.api.models import (
    ActionRequest,
    PreviewAnswer,
    ProcessRequest,
    Run,
    Runs,
    TaskOutput,
    Triggered,
    TriggerRequest,
)
from app.api.parts import Requester
from app.api.quick_json import QuickJson
from app.domain import layers
from app.domain.claim_ids import validated
from app.domain.errors import InvalidRequest, RunNotFound
from app.domain.layers import Layer
from app.domain.submissions import IfActive, Wish
from app.services.actions import RunActions
from app.services.history import RunHistory
from app.services.preview import Preview
from app.services.submission import Accepted, Ledger

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody},
    404: {"model": ErrorBody},
    409: {"model": ErrorBody},
    422: {"model": ErrorBody},
}
router = APIRouter(tags=["pipeline"], responses=ERRORS)
RUNS = "/api/pipeline/databricks/runs"
MAX_RUN_ID = 2**63 - 1
PROCESSES = {"bronze-to-silver": layers.BRONZE_TO_SILVER, "silver-to-gold": layers.SILVER_TO_GOLD}


async def _ledger(request: Request) -> Ledger:
    return cast(Ledger, request.app.state.ledger)


async def _history(request: Request) -> RunHistory:
    return cast(RunHistory, request.app.state.history)


async def _actions(request: Request) -> RunActions:
    return cast(RunActions, request.app.state.actions)


def _preview(request: Request) -> Preview:
    return cast(Preview, request.app.state.preview)


async def _run_id(run_id: str) -> int:
    """A run's id from the path; what cannot be one names no run."""
    if run_id.isascii() and run_id.isdigit() and int(run_id[:20]) <= MAX_RUN_ID:
        return int(run_id)
    raise RunNotFound(f"There is no run {run_id[:40]!r}.", run_id=run_id[:40])


LedgerPart = Annotated[Ledger, Depends(_ledger)]
HistoryPart = Annotated[RunHistory, Depends(_history)]
ActionsPart = Annotated[RunActions, Depends(_actions)]
RunId = Annotated[int, Depends(_run_id)]
RequestKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="Repeats with the same key are one run"),
]


@router.post("/api/pipeline/databricks/trigger", status_code=HTTPStatus.ACCEPTED, response_model=Triggered)
@router.post("/pipeline/databricks/trigger", status_code=HTTPStatus.ACCEPTED, response_model=Triggered)
async def trigger(
    body: TriggerRequest, ledger: LedgerPart, requester: Requester, idempotency_key: RequestKey = None
) -> JSONResponse:
    """Run a layer's notebooks. Answers when the workspace has taken the run, at the latest after 20 s."""
    layer = Layer(body.layer)
    return await _submit(ledger, body, (layer, layers.LAYER_TASKS[layer]), requester, idempotency_key)


@router.post("/api/pipeline/process/bronze-to-silver", status_code=HTTPStatus.ACCEPTED, response_model=Triggered)
@router.post("/process/bronze-to-silver", status_code=HTTPStatus.ACCEPTED, response_model=Triggered)
async def bronze_to_silver(
    ledger: LedgerPart,
    requester: Requester,
    body: Annotated[ProcessRequest | None, Body()] = None,
    idempotency_key: RequestKey = None,
) -> JSONResponse:
    """Process Bronze to Silver: notebooks 01 and 02."""
    return await _submit(ledger, body or ProcessRequest(), layers.BRONZE_TO_SILVER, requester, idempotency_key)


@router.post("/api/pipeline/process/silver-to-gold", status_code=HTTPStatus.ACCEPTED, response_model=Triggered)
@router.post("/process/silver-to-gold", status_code=HTTPStatus.ACCEPTED, response_model=Triggered)
async def silver_to_gold(
    ledger: LedgerPart,
    requester: Requester,
    body: Annotated[ProcessRequest | None, Body()] = None,
    idempotency_key: RequestKey = None,
) -> JSONResponse:
    """Process Silver to Gold: notebook 03."""
    return await _submit(ledger, body or ProcessRequest(), layers.SILVER_TO_GOLD, requester, idempotency_key)


@router.get(RUNS, response_model=Runs)
async def list_runs(
    history: HistoryPart,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    page_token: Annotated[str | None, Query(max_length=400)] = None,
    layer: Annotated[str | None, Query(description="bronze, silver, gold or all")] = None,
    state: Annotated[str | None, Query(max_length=64, description="A state, result or submission state")] = None,
) -> JSONResponse:
    """The history, newest first."""
    wanted = layers.parse_layer(layer).value if layer is not None else None
    found, following = await history.page(limit=limit, page_token=page_token, layer=wanted, state=state)
    return QuickJson({"runs": found} | ({"next_page_token": following} if following else {}))


@router.get(f"{RUNS}/{{run_id}}", response_model=Run)
async def get_run(run_id: RunId, history: HistoryPart) -> JSONResponse:
    """One run with its tasks."""
    return QuickJson(await history.get(run_id))


@router.get(f"{RUNS}/{{run_id}}/tasks/{{task_key}}/output", response_model=TaskOutput)
async def get_task_output(run_id: RunId, task_key: str, history: HistoryPart) -> JSONResponse:
    """A task's exit value, error and trace, as the workspace has them."""
    return JSONResponse(await history.task_output(run_id, task_key))


@router.post(f"{RUNS}/{{run_id}}/cancel", status_code=HTTPStatus.ACCEPTED, response_model=Run)
async def cancel_run(
    run_id: RunId,
    actions: ActionsPart,
    history: HistoryPart,
    requester: Requester,
    body: Annotated[ActionRequest | None, Body()] = None,
) -> JSONResponse:
    """Ask the workspace to cancel the run. The run is canceled when its state says so."""
    await actions.cancel(run_id, requested_by=requester, reason=body.reason if body else None)
    return JSONResponse(await history.get(run_id), HTTPStatus.ACCEPTED)


@router.post(f"{RUNS}/{{run_id}}/repair", status_code=HTTPStatus.ACCEPTED, response_model=Run)
async def repair_run(
    run_id: RunId,
    actions: ActionsPart,
    history: HistoryPart,
    requester: Requester,
    body: Annotated[ActionRequest | None, Body()] = None,
) -> JSONResponse:
    """Run again what failed, under the same run id."""
    await actions.repair(run_id, requested_by=requester, reason=body.reason if body else None)
    return JSONResponse(await history.get(run_id), HTTPStatus.ACCEPTED)


@router.get("/api/pipeline/databricks/submissions/{submission_id}", response_model=Triggered)
async def get_submission(submission_id: str, ledger: LedgerPart) -> JSONResponse:
    """What became of a click."""
    return JSONResponse(_answer(await ledger.get(submission_id[:64])))


@router.get("/api/pipeline/preview", response_model=PreviewAnswer)
async def preview(
    request: Request,
    layer: Annotated[str, Query(description="bronze, silver, gold or all")],
    claim_ids: Annotated[list[str] | None, Query(description="Comma-separated or repeated")] = None,
    process: Annotated[
        Literal["bronze-to-silver", "silver-to-gold"] | None, Query(description="The demo button; wins over layer")
    ] = None,
) -> JSONResponse:
    """What a click would do: claims, tables, cluster, time."""
    wanted = layers.parse_layer(layer)
    what = PROCESSES[process] if process else (wanted, layers.LAYER_TASKS[wanted])
    ids = validated(part for text in claim_ids or () for part in text.split(",") if part)
    return JSONResponse(await _preview(request).of(*what, ids))


async def _submit(
    ledger: Ledger,
    body: ProcessRequest,
    what: tuple[Layer, Sequence[str]],
    requester: str,
    request_key: str | None,
) -> JSONResponse:
    if request_key is not None and not request_key.isprintable():
        raise InvalidRequest("The Idempotency-Key must be printable.")
    layer, tasks = what
    wish = Wish(
        layer=layer.value,
        tasks=tuple(tasks),
        claim_ids=validated(body.claim_ids or ()),
        reason=body.reason,
        if_active=IfActive(body.if_active),
        requested_by=requester,
        request_key=request_key,
    )
    return JSONResponse(_answer(await ledger.trigger(wish)), HTTPStatus.ACCEPTED)


def _answer(found: Accepted) -> dict[str, Any]:
    submission, run = found.submission, found.run
    ids = run.claim_ids if run else submission.claim_ids if submission else ()
    tasks = run.task_keys if run else submission.tasks if submission else ()
    next_try_at = submission.next_try_at if submission else None
    return {
        "submission_id": submission.submission_id if submission else None,
        "submission_state": submission.state.value if submission else None,
        "run_id": run.run_id if run else submission.run_id if submission else None,
        "job_url": (run.job_url if run else None) or (submission.job_url if submission else None),
        "layer": submission.layer if submission else run.layer if run else None,
        "tasks": list(tasks),
        "claim_ids": list(ids),
        "state": run.state if run else None,
        "unmapped": list(submission.unmapped or ()) if submission else [],
        "error": submission.error if submission else None,
        "next_try_at": next_try_at.isoformat().replace("+00:00", "Z") if next_try_at else None,
    }
