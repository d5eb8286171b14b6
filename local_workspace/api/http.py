"""Reading requests and writing answers the way Databricks does.

Clients differ: ids arrive as strings, JSON arrives under any content type, as multipart form or as the body of a GET.
Every API module reads through `arguments` and answers through `answer`, so that these differences are handled once.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

MAX_BODY_BYTES = 16 * 1024 * 1024


class ApiError(Exception):
    """A refusal in the Databricks form `{"error_code", "message"}` with its HTTP status."""

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message


def invalid(message: str) -> ApiError:
    """400 INVALID_PARAMETER_VALUE: the commonest refusal."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> ApiError:
    """404 RESOURCE_DOES_NOT_EXIST."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def unsupported(what: str) -> ApiError:
    """501: said openly, never an empty 200."""
    return ApiError(501, "NOT_IMPLEMENTED", f"{what} is not supported by the local workspace.")


async def read_body(request: Request) -> bytes:
    """The raw body, refused beyond MAX_BODY_BYTES."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise ApiError(413, "MAX_REQUEST_SIZE_EXCEEDED", f"The request body is larger than {MAX_BODY_BYTES} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def arguments(request: Request) -> dict[str, Any]:
    """Query and body as one dictionary; the body wins.

    JSON is read whatever the content type says (the legacy CLI sends text/json), also from the body of a GET
    (Airflow's deferrable operators do that). Multipart files arrive as bytes.
    """
    values: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_part_size=MAX_BODY_BYTES) as form:
            for name, part in form.multi_items():
                values[name] = await part.read() if isinstance(part, UploadFile) else part
        return values
    body = await read_body(request)
    if not body.strip():
        return values
    try:
        parsed = json.loads(body)
    except ValueError as fault:
        raise ApiError(400, "MALFORMED_REQUEST", f"The body is not JSON: {fault}") from fault
    if not isinstance(parsed, dict):
        raise ApiError(400, "MALFORMED_REQUEST", "The body must be a JSON object.")
    return values | parsed


def integer(values: dict[str, Any], name: str, default: int | None = None) -> int:
    """An int64 that may have come as a string."""
    raw = values.get(name, default)
    if raw is None or raw == "":
        raise invalid(f"{name} is required.")
    try:
        if isinstance(raw, bool | float):
            raise ValueError(raw)
        return int(raw)
    except (TypeError, ValueError) as fault:
        raise invalid(f"{name} must be an integer, got {raw!r}.") from fault


def boolean(values: dict[str, Any], name: str, default: bool = False) -> bool:
    """A boolean that may have come as "true" or "false"."""
    raw = values.get(name, default)
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in ("true", "false", ""):
        return raw.lower() == "true"
    raise invalid(f"{name} must be true or false, got {raw!r}.")


def text(values: dict[str, Any], name: str, default: str | None = None) -> str:
    """A string; numbers are taken as their text."""
    raw = values.get(name, default)
    if raw is None:
        raise invalid(f"{name} is required.")
    if isinstance(raw, bytes):
        return raw.decode()
    if isinstance(raw, str | int):
        return str(raw)
    raise invalid(f"{name} must be a string, got {type(raw).__name__}.")


def answer(body: dict[str, Any] | None = None, status: int = 200) -> Response:
    """JSON; a success is at least `{}`, since several clients parse every 200."""
    return Response(json.dumps(body or {}, separators=(",", ":")), status, media_type="application/json")


def refuse(error: ApiError) -> Response:
    """The error body that every Databricks client understands."""
    return answer({"error_code": error.error_code, "message": error.message}, error.status)
