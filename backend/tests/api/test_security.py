"""Host, Origin, body size and headers, asked of a real server with plain requests."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from app.api.security import SecurityMiddleware
from app.api.server import build_server
from backend.tests.support.waiting import until

LIMIT = 1000


@dataclass
class Served:
    client: httpx.AsyncClient
    port: int


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    app = FastAPI()

    @app.api_route("/api/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def echo(request: Request) -> dict[str, Any]:
        return {"bytes": len(await request.body())}

    app.add_middleware(SecurityMiddleware, allowed_origins=["https://bi.example/"], max_body_bytes=LIMIT)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = build_server(app, host="127.0.0.1", port=0)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await until(lambda: server.started)
            yield Served(client, port)
        server.should_exit = True
        await running


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:8000", "LOCALHOST"])
async def test_loopback_names_are_served(served: Served, host: str) -> None:
    assert (await served.client.get("/api/echo", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "[::2]"])
async def test_a_foreign_host_is_refused(served: Served, host: str) -> None:
    answer = await served.client.get("/api/echo", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json()["code"] == "host_not_allowed"
    assert answer.json()["details"] == {"host": host}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "garbage"])
async def test_a_state_change_from_a_foreign_origin_is_refused(served: Served, method: str, origin: str) -> None:
    answer = await served.client.request(method, "/api/echo", headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json() | {"message": ""} == {
        "code": "origin_not_allowed",
        "message": "",
        "details": {"origin": origin},
    }


async def test_a_state_change_from_our_own_page_a_configured_site_or_no_browser_is_served(served: Served) -> None:
    own = f"http://127.0.0.1:{served.port}"
    for headers in ({"Origin": own}, {"Origin": "https://bi.example"}, {}, {"Sec-Fetch-Site": "same-origin"}):
        assert (await served.client.post("/api/echo", headers=headers)).status_code == 200, headers


async def test_a_page_behind_a_proxy_that_ends_tls_is_our_own(served: Served) -> None:
    for host, origin in (("localhost", "https://localhost"), ("localhost:443", "https://localhost")):
        answer = await served.client.post("/api/echo", headers={"Host": host, "Origin": origin})
        assert answer.status_code == 200, host


async def test_a_cross_site_request_without_an_origin_is_refused(served: Served) -> None:
    answer = await served.client.post("/api/echo", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_reading_is_allowed_from_anywhere(served: Served) -> None:
    assert (await served.client.get("/api/echo", headers={"Origin": "https://evil.example"})).status_code == 200


async def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_refused(served: Served) -> None:
    assert (await served.client.post("/api/echo", content=b"x" * LIMIT)).json() == {"bytes": LIMIT}
    answer = await served.client.post("/api/echo", content=b"x" * (LIMIT + 1))
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"
    assert answer.json()["details"] == {"max_bytes": LIMIT}


async def test_a_body_of_undeclared_length_is_measured(served: Served) -> None:
    async def pieces(total: int) -> AsyncIterator[bytes]:
        for _ in range(total // 100):
            yield b"x" * 100

    assert (await served.client.post("/api/echo", content=pieces(LIMIT))).json() == {"bytes": LIMIT}
    assert (await served.client.post("/api/echo", content=pieces(LIMIT + 100))).status_code == 413


async def test_every_answer_carries_the_security_headers_refusals_included(served: Served) -> None:
    for host in ("127.0.0.1", "evil.example"):
        headers = (await served.client.get("/api/echo", headers={"Host": host})).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "server" not in headers


async def test_a_request_keeps_its_id_and_gets_one_when_it_has_none_or_a_wild_one(served: Served) -> None:
    given = await served.client.get("/api/echo", headers={"X-Request-Id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    for headers in ({}, {"X-Request-Id": "a b{}<>"}):
        made = (await served.client.get("/api/echo", headers=headers)).headers["x-request-id"]
        assert len(made) == 32
