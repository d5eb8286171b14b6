"""Job notifications of the workspace. They carry no result: they only wake the poller, so any number is harmless."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, cast

import structlog
from fastapi import APIRouter, Body, Request
from starlette.responses import JSONResponse, Response

from app.api.errors import answer

log = structlog.get_logger()

router = APIRouter(tags=["webhooks"])


@router.post("/api/webhooks/databricks", status_code=HTTPStatus.ACCEPTED)
async def databricks_notification(request: Request, body: Annotated[dict[str, Any], Body()]) -> Response:
    """A job or task run has started or ended; ids come quoted or as numbers. The truth is then read by polling."""
    credentials = cast("tuple[str, str] | None", request.app.state.webhook_credentials)
    if credentials is not None and not _matches(request.headers.get("authorization", ""), credentials):
        headers = {"WWW-Authenticate": "Basic"}
        return answer(HTTPStatus.UNAUTHORIZED, "unauthorized", "Wrong webhook credentials.", headers=headers)
    run_id = _number((body.get("run") or {}).get("run_id")) if isinstance(body.get("run"), dict) else None
    log.info("webhook_received", event_type=str(body.get("event_type"))[:64], run_id=run_id)
    cast(Callable[[], None], request.app.state.wake_poller)()
    return JSONResponse({"run_id": run_id}, HTTPStatus.ACCEPTED)


def _matches(header: str, credentials: tuple[str, str]) -> bool:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(given, ":".join(credentials).encode())


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
