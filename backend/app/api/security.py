"""What every request passes before any route: who may ask, how much may be sent, which headers go back.

Plain ASGI, so that streams and WebSockets pass through it untouched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1024 * 1024
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
STATE_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
FIXED_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    status: HTTPStatus
    code: str
    message: str
    details: dict[str, object]

    def response(self) -> JSONResponse:
        return JSONResponse({"code": self.code, "message": self.message, "details": self.details}, self.status)


class SecurityMiddleware:
    """Checks Host, Origin and body size, names each request, and adds the security headers.

    `allowed_hosts` None means any Host is served (behind a proxy, with sign-in); on loopback it is the loopback names,
    so that a foreign web site cannot reach us by pointing its own name at 127.0.0.1.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Collection[str] | None = LOOPBACK_NAMES,
        allowed_origins: Iterable[str] = (),
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._app = app
        self._allowed_hosts = allowed_hosts
        self._allowed_origins = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._serve(scope, receive, _with_headers(send, scope["path"], request_id))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal_of(scope, headers)
        if refusal is None and scope["type"] == "http" and scope["method"] in STATE_CHANGING:
            checked = await self._bounded_body(headers, receive)
            if isinstance(checked, Refusal):
                refusal = checked
            else:
                receive = checked
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal.response()(scope, receive, send)

    def _refusal_of(self, scope: Scope, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if self._allowed_hosts is not None and _host_name(host) not in self._allowed_hosts:
            text = "This address is served on the loopback interface only; open it by its loopback name."
            return Refusal(HTTPStatus.FORBIDDEN, "host_not_allowed", text, {"host": host[:255]})
        changes = scope["type"] == "websocket" or scope["method"] in STATE_CHANGING
        if changes and not self._same_site(headers, host, scope["scheme"]):
            text = "Requests of other web sites are refused. Name the site in PETINSURE_ALLOWED_ORIGINS to allow it."
            return Refusal(
                HTTPStatus.FORBIDDEN, "origin_not_allowed", text, {"origin": headers.get("origin", "")[:255]}
            )
        return None

    def _same_site(self, headers: Headers, host: str, scheme: str) -> bool:
        origin = headers.get("origin")
        if origin is None:  # not a browser, or a navigation that a browser says nothing about
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if origin.rstrip("/").lower() in self._allowed_origins:
            return True
        origin_scheme, _, origin_host = origin.partition("://")
        if origin_scheme not in ("http", "https"):
            return False
        # A proxy that ends TLS passes http on: the scheme of the origin decides the default port on both sides.
        return _with_port(origin_host, origin_scheme) == _with_port(host, origin_scheme)

    async def _bounded_body(self, headers: Headers, receive: Receive) -> Receive | Refusal:
        too_large = Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            f"The request body may have at most {self._max_body_bytes} bytes.",
            {"max_bytes": self._max_body_bytes},
        )
        declared = headers.get("content-length")
        if declared is not None:  # the server holds the client to what it declared
            return too_large if not declared.isdigit() or int(declared) > self._max_body_bytes else receive
        return await self._collected(receive) or too_large

    async def _collected(self, receive: Receive) -> Receive | None:
        """Read a body of undeclared length, up to the limit, and hand it on as one message; None beyond the limit."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return _replay(message, receive)
            body += message.get("body", b"")
            if len(body) > self._max_body_bytes:
                return None
            if not message.get("more_body", False):
                return _replay({"type": "http.request", "body": bytes(body), "more_body": False}, receive)


def _replay(first: Message, receive: Receive) -> Receive:
    pending = [first]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


def _with_headers(send: Send, path: str, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in FIXED_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("content-security-policy", CONTENT_SECURITY_POLICY)
            headers["x-request-id"] = request_id
            if path.startswith("/api/"):
                headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex


def _host_name(host: str) -> str:
    """The name in a Host header, without port and without the brackets of an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _with_port(host: str, scheme: str) -> str:
    has_port = bool(re.search(r":\d+$", host)) and not host.endswith("]")
    return (host if has_port else f"{host}:{443 if scheme == 'https' else 80}").lower()
