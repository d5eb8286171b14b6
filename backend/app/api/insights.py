"""Figures of gold, served as they were read after the run that changed them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse

from app.api import lake_models as models
from app.api.errors import ErrorBody
from app.api.parts import InsightsPart
from app.domain.errors import NotFound
from app.domain.events import compact_json

router = APIRouter(prefix="/api/insights", tags=["insights"])
KnownTag = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


def _page(name: str) -> Callable[..., Awaitable[Response]]:
    async def page(insights: InsightsPart, known: KnownTag = None) -> Response:
        kept = await insights.page(name)
        etag = f'"{kept.etag}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if known is not None and etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(compact_json(kept.body), media_type="application/json", headers=headers)

    return page


PAGES = {
    "overview": (models.Overview, "The book at a glance, month by month"),
    "monthly": (models.Monthly, "Every column of monthly_kpis"),
    "claims": (models.ClaimFigures, "Claims by status, category, species, denial reason and diagnosis"),
    "customers": (models.CustomerFigures, "Customers by tier, offers that suit, the most valuable customers"),
    "providers": (models.ProviderFigures, "Providers by type, and those billed most"),
    "risk": (models.RiskFigures, "Relativities of species, breed, age and condition"),
}
for _name, (_model, _words) in PAGES.items():
    router.add_api_route(
        f"/{_name}", _page(_name), response_model=_model, summary=_words, operation_id=f"{_name}_figures"
    )


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
