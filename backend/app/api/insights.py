"""Figures of gold, served as they were read after the run that changed them. No request runs SQL."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api import insight_questions as asked
from app.api import lake_models as models
from app.api.errors import ErrorBody
from app.api.parts import CurrentPart, EtaPart, InsightsPart
from app.domain.errors import NotFound
from app.domain.eta_quality import Quality
from app.domain.events import compact_json
from app.domain.layers import layer_of_tasks
from app.store.insights import Kept

router = APIRouter(prefix="/api/insights", tags=["insights"])
KnownTag = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


def _reply(kept: Kept, known: str | None) -> Response:
    etag = f'"{kept.etag}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if known is not None and etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(compact_json(kept.body), media_type="application/json", headers=headers)


@router.get("/overview", response_model=models.Overview, operation_id="overview_figures")
async def overview(insights: InsightsPart, known: KnownTag = None) -> Response:
    """The book at a glance, month by month."""
    return _reply(await insights.page("overview"), known)


@router.get("/monthly", response_model=models.Monthly, operation_id="monthly_figures")
async def monthly(insights: InsightsPart, known: KnownTag = None) -> Response:
    """Every column of monthly_kpis."""
    return _reply(await insights.page("monthly"), known)


@router.get("/claims", response_model=models.ClaimFigures, operation_id="claims_figures")
async def claims(
    wanted: Annotated[asked.OfClaims, Query()], insights: InsightsPart, known: KnownTag = None
) -> Response:
    """Claims by month of service, status, category, species, denial reason and diagnosis; the largest as a list."""
    return _reply(await insights.answer("claims", wanted.question(), wanted.page_token), known)


@router.get("/customers", response_model=models.CustomerFigures, operation_id="customers_figures")
async def customers(
    wanted: Annotated[asked.OfCustomers, Query()], insights: InsightsPart, known: KnownTag = None
) -> Response:
    """Customers by tier and state, offers that suit; the most valuable as a list. `offer` is the next best one."""
    return _reply(await insights.answer("customers", wanted.question(), wanted.page_token), known)


@router.get("/providers", response_model=models.ProviderFigures, operation_id="providers_figures")
async def providers(
    wanted: Annotated[asked.OfProviders, Query()], insights: InsightsPart, known: KnownTag = None
) -> Response:
    """Providers by type, state and network; those billed most as a list."""
    return _reply(await insights.answer("providers", wanted.question(), wanted.page_token), known)


@router.get("/risk", response_model=models.RiskFigures, operation_id="risk_figures")
async def risk(wanted: Annotated[asked.OfRisk, Query()], insights: InsightsPart, known: KnownTag = None) -> Response:
    """Relativities of species, breed, age and condition; the riskiest as a list."""
    return _reply(await insights.answer("risk", wanted.question(), wanted.page_token), known)


@router.get("/eta-quality", response_model=models.EtaQuality)
async def eta_quality(eta: EtaPart, current: CurrentPart) -> JSONResponse:
    """How good the estimates of the time left have been: coverage and pinball loss, beside two simple guesses."""
    judged = await eta.quality(current.workspace_id)
    return JSONResponse({"task_sets": [_judged(tasks, found) for tasks, found in judged]})


def _judged(tasks: Sequence[str], found: Quality) -> dict[str, object]:
    layer = layer_of_tasks(tasks)
    return {
        "tasks": list(tasks),
        "layer": layer.value if layer else None,
        "n": found.n,
        "p50_coverage": round(found.p50_coverage, 4),
        "p90_coverage": round(found.p90_coverage, 4),
        "pinball_loss_s": round(found.pinball_s, 4),
        "baselines": {name: {"pinball_loss_s": round(loss_s, 4)} for name, loss_s in found.baselines_s.items()},
        "gain": None if found.gain is None else round(found.gain, 4),
    }


def _definitions_file(request: Request) -> Path:
    path: Path = request.app.state.kpi_definitions
    return path


@router.get("/definitions", response_model=models.Definitions, responses={404: {"model": ErrorBody}})
async def definitions(path: Annotated[Path, Depends(_definitions_file)]) -> JSONResponse:
    """Formula, grain, unit and exclusions of every figure."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as fault:
        raise NotFound("The definitions are not part of this installation.") from fault
    return JSONResponse({"format": "markdown", "text": text}, headers={"Cache-Control": "no-cache"})
