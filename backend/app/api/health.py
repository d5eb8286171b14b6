"""Probes and metrics."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from app.api.parts import HealthPart

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    status: str


class Ready(BaseModel):
    """`status` is ready or not_ready; each check has `ok`, `state`, `detail` and what it saw."""

    status: str
    checks: dict[str, dict[str, Any]]


@router.get("/api/health/live", response_model=Alive)
async def live() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/api/health/ready", response_model=Ready, responses={503: {"model": Ready}})
async def ready(health: HealthPart) -> JSONResponse:
    """Whether requests can be served: 503 only while the store is unusable.

    An outage of the workspace, a stalled poller or a lag are told and leave the status at 200: pages are still served
    and clicks are kept, and another instance would not fare better.
    """
    is_ready, checks = await health.check()
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": "ready" if is_ready else "not_ready", "checks": checks}, status)


@router.get("/metrics", include_in_schema=False)
async def metrics(health: HealthPart) -> Response:
    """Prometheus."""
    return Response(await health.render_metrics(), media_type=CONTENT_TYPE_LATEST)
