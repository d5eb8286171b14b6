"""A span per request, whose trace id stands in log lines and in the body of errors."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from app.services.tracing import Tracing


class TracingMiddleware:
    """Outermost, so that whatever refuses a request is within its span. Streams are not traced: they last for hours."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/api/events":
            await self._app(scope, receive, send)
            return
        with self._tracing.span("request", method=scope["method"]) as trace_id:
            if trace_id is not None:
                scope.setdefault("state", {})["trace_id"] = trace_id
            await self._app(scope, receive, send)
