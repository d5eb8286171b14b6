"""Errors of every origin as `{code, message, details}`; the one table from classes to HTTP status."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.domain import errors

log = structlog.get_logger()

STATUS: dict[type[errors.PipelineError], HTTPStatus] = {
    errors.PipelineError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.RunNotFound: HTTPStatus.NOT_FOUND,
    errors.TaskNotFound: HTTPStatus.NOT_FOUND,
    errors.SubmissionNotFound: HTTPStatus.NOT_FOUND,
    errors.ClaimNotFound: HTTPStatus.NOT_FOUND,
    errors.NoFaultSwitchboard: HTTPStatus.NOT_FOUND,
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidClaimIds: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnknownLayer: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidPageToken: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BrokenJson: HTTPStatus.BAD_REQUEST,
    errors.SubmissionConflict: HTTPStatus.CONFLICT,
    errors.RunActive: HTTPStatus.CONFLICT,
    errors.IdempotencyKeyReused: HTTPStatus.CONFLICT,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.RoleNotSufficient: HTTPStatus.FORBIDDEN,
    errors.RunNotActive: HTTPStatus.CONFLICT,
    errors.RunNotRepairable: HTTPStatus.CONFLICT,
    errors.TaskNotMappable: HTTPStatus.CONFLICT,
    errors.StreamPositionLost: HTTPStatus.GONE,
    errors.WorkspaceError: HTTPStatus.BAD_GATEWAY,
    errors.SubmissionInDoubt: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.WorkspaceThrottled: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.WorkspaceUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.WorkspaceUnauthorized: HTTPStatus.BAD_GATEWAY,
    errors.WorkspaceRejected: HTTPStatus.BAD_GATEWAY,
    errors.WorkspaceProtocolError: HTTPStatus.BAD_GATEWAY,
}
MAX_ECHO_CHARS = 200


class ErrorBody(BaseModel):
    """Every error, whatever its origin."""

    code: str = Field(description="Stable; for programs")
    message: str = Field(description="For people")
    details: dict[str, Any] = Field(default_factory=dict)


def status_of(fault: errors.PipelineError) -> HTTPStatus:
    """The status of the nearest class of the tree that the table names."""
    return next(STATUS[kind] for kind in type(fault).__mro__ if kind in STATUS)


def install(app: FastAPI) -> None:
    """Answer every error in the one form."""
    app.add_exception_handler(errors.PipelineError, _pipeline_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def answer(
    status: int, code: str, message: str, details: dict[str, Any] | None = None, headers: Any = None
) -> JSONResponse:
    """An error's answer."""
    return JSONResponse({"code": code, "message": message, "details": details or {}}, status, headers)


def _traced(request: Request, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The details, with the trace's id while requests are traced."""
    trace_id = getattr(request.state, "trace_id", None)
    return {**(details or {})} | ({"trace_id": trace_id} if trace_id else {})


async def _pipeline_error(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, errors.PipelineError)
    retry_after_s = getattr(fault, "retry_after_s", None)
    headers = {"Retry-After": str(max(1, math.ceil(retry_after_s)))} if retry_after_s else None
    return answer(status_of(fault), fault.code, fault.message, _traced(request, fault.details), headers)


async def _validation_error(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)
    found: Sequence[Any] = fault.errors()
    if any(one["type"] == "json_invalid" for one in found) or _is_broken(fault.body):
        return answer(HTTPStatus.BAD_REQUEST, "broken_json", "The request body is not JSON.", _traced(request))
    faults = [{"at": ".".join(str(part) for part in one["loc"]), "message": one["msg"]} for one in found[:20]]
    words = "; ".join(f"{one['at']}: {one['message']}" for one in faults)
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", words, _traced(request, {"faults": faults}))


def _is_broken(body: Any) -> bool:
    """Whether a body that came under another content type than JSON's, and so was not parsed, is no JSON."""
    if not isinstance(body, bytes):
        return False
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


async def _http_error(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)
    status = HTTPStatus(fault.status_code)
    path = request.url.path[:MAX_ECHO_CHARS]
    words = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {path}.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible at {path}.",
    }.get(status, str(fault.detail))
    return answer(
        status, status.phrase.lower().replace(" ", "_"), words, _traced(request, {"path": path}), fault.headers
    )


async def _unexpected(request: Request, fault: Exception) -> JSONResponse:
    request_id = getattr(request.state, "request_id", None)
    trace_id = getattr(request.state, "trace_id", None)
    facts = {"request_id": request_id} | ({"trace_id": trace_id} if trace_id else {})
    log.error("request_failed", path=request.url.path, error=type(fault).__name__, **facts)
    return answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "An unexpected fault; the server's log tells more.",
        _traced(request, {"request_id": request_id}),
    )
