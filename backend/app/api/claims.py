"""Landing a claim in the raw zone, and finding out where a claim is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.api import lake_models as models
from app.api.errors import ErrorBody
from app.api.parts import Requester, ViewPart, ZonePart
from app.domain.claim_ids import CLAIM_ID_PATTERN

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody},
    404: {"model": ErrorBody},
    413: {"model": ErrorBody},
    422: {"model": ErrorBody},
}
router = APIRouter(tags=["claims"], responses=ERRORS)
CLAIM_SCHEMA = {
    "type": "object",
    "properties": {"claim_id": {"type": "string", "pattern": CLAIM_ID_PATTERN}},
    "additionalProperties": True,
    "description": "One claim. claim_id is made when it is left out; every other field is taken as it is sent.",
}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": CLAIM_SCHEMA}}}}


@router.post("/api/claims", status_code=HTTPStatus.CREATED, response_model=models.Landed, openapi_extra=BODY)
async def land(request: Request, zone: ZonePart, requester: Requester) -> JSONResponse:
    """Land one claim. Nothing but its id is judged here: bronze keeps it to the letter, silver applies the rules."""
    claim_id = await zone.land(await request.body(), requested_by=requester)
    return JSONResponse({"claim_id": claim_id}, HTTPStatus.CREATED, {"Location": f"/api/claims/{claim_id}"})


@router.get("/api/claims/{claim_id}", response_model=models.ClaimPlace)
async def find(claim_id: str, view: ViewPart) -> JSONResponse:
    """Where the claim is, layer by layer, and why it is in quarantine if it is."""
    return JSONResponse(await view.claim(claim_id))
