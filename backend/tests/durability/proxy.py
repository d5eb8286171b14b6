"""A backend without idempotency tokens, made from the real one: what it sends loses the token on its way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.tests.durability.processes import free_port
from backend.tests.support.waiting import until

METHODS = ["GET", "PUT", "POST", "DELETE"]
NOT_PASSED_ON = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding"})


@asynccontextmanager
async def without_tokens(host: str) -> AsyncIterator[str]:
    """The address of a proxy in front of `host` that takes the idempotency token out of every call."""
    async with httpx.AsyncClient(base_url=host, timeout=60, trust_env=False) as upstream:

        async def forward(request: Request) -> Response:
            body = await request.body()
            if body.startswith(b"{") and request.method == "POST":
                told = json.loads(body)
                told.pop("idempotency_token", None)
                body = json.dumps(told).encode()
            headers = {name: value for name, value in request.headers.items() if name not in NOT_PASSED_ON}
            target = httpx.URL(path=request.url.path, query=request.url.query.encode())
            answer = await upstream.request(request.method, target, content=body, headers=headers)
            kept = {name: value for name, value in answer.headers.items() if name not in NOT_PASSED_ON}
            return Response(answer.content, answer.status_code, kept)

        port = free_port()
        app = Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            server.force_exit = True
            await serving
