"""The layers and what waits before them. Answered from our store: an open page keeps no warehouse awake."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from app.api import lake_models as models
from app.api.errors import ErrorBody
from app.api.parts import CurrentPart, RelistPart, ViewPart

router = APIRouter(tags=["pipeline"], responses={422: {"model": ErrorBody}})


@router.get("/api/pipeline/status", response_model=models.Status)
async def status(view: ViewPart, relist: RelistPart, current: CurrentPart) -> JSONResponse:
    """Layers with freshness and counts, and how the workspace is doing."""
    relist()
    answer: dict[str, Any] = {
        "layers": await view.layers_now(),
        "workspace": current.status().as_json(),
        "lake": await view.reading(),
    }
    return JSONResponse(answer)


@router.get("/api/pipeline/pending", response_model=models.Pending, response_model_exclude_none=True)
async def pending(
    view: ViewPart,
    relist: RelistPart,
    layer: Annotated[
        Literal["bronze", "silver", "gold", "quarantined"] | None, Query(description="Only this bucket")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Ids per bucket and page")] = 100,
    page_token: Annotated[str | None, Query(max_length=1_000)] = None,
) -> JSONResponse:
    """Claims that wait before each layer, and those in quarantine."""
    relist()
    return JSONResponse(await view.pending(bucket=layer, limit=limit, page_token=page_token))
