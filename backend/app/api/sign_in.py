"""Sign-in by access token, required beyond loopback.

Programs send `Authorization: Bearer <token>`; a browser asks its user (Basic: any name, the token as password)
and then sends the same on every request, the WebSocket's included.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.access import AccessToken, holder_of

OPEN_PATHS = frozenset({"/api/health/live", "/api/webhooks/databricks"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInMiddleware:
    """Lets only holders of a token in, and only those whose role allows it change anything.

    The holder's name and role are left in `scope["state"]`, as `user` and `role`. The webhook has its own credentials.
    """

    def __init__(self, app: ASGIApp, *, tokens: Sequence[AccessToken]) -> None:
        self._app = app
        self._tokens = tuple(tokens)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        holder = holder_of(_presented(Headers(scope=scope)), self._tokens)
        if holder is None:
            await _refuse(HTTPStatus.UNAUTHORIZED, "sign_in_required", "Sign in with an access token.")(
                scope, receive, send
            )
        elif scope["type"] == "http" and scope["method"] not in READING and not holder.role.may_change:
            text = f"The role {holder.role.value} may look but not change anything."
            await _refuse(HTTPStatus.FORBIDDEN, "role_not_sufficient", text)(scope, receive, send)
        else:
            scope.setdefault("state", {}).update(user=holder.name, role=holder.role)
            await self._app(scope, receive, send)


def _presented(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refuse(status: HTTPStatus, code: str, message: str) -> JSONResponse:
    challenge = {"WWW-Authenticate": 'Basic realm="PetInsure360", charset="UTF-8"'}
    headers = challenge if status is HTTPStatus.UNAUTHORIZED else None
    return JSONResponse({"code": code, "message": message, "details": {}}, status, headers)
