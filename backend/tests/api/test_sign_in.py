"""Sign-in by access token, over a real ASGI client."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.api.sign_in import SignInMiddleware
from app.domain.access import parse_access_tokens

OPERATOR, VIEWER = "operator-token-0123456789", "viewer-token-0123456789"


async def who(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.state.user})


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/who", who, methods=["GET", "POST"])])
    guarded = SignInMiddleware(app, tokens=parse_access_tokens(f"ann:operator:{OPERATOR},bob:viewer:{VIEWER}"))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=guarded), base_url="http://server")


async def test_without_a_token_the_browser_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/who")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.json()["code"] == "sign_in_required"


async def test_bearer_and_basic_carry_the_same_token(client: httpx.AsyncClient) -> None:
    bearer = await client.get("/who", headers={"Authorization": f"Bearer {OPERATOR}"})
    basic = await client.get("/who", auth=("anything", VIEWER))
    assert [bearer.json()["user"], basic.json()["user"]] == ["ann", "bob"]


async def test_a_viewer_may_look_but_not_change(client: httpx.AsyncClient) -> None:
    refused = await client.post("/who", auth=("", VIEWER))
    allowed = await client.post("/who", auth=("", OPERATOR))
    assert [refused.status_code, allowed.status_code] == [403, 200]


@pytest.mark.parametrize("header", ["Basic !!!", "Basic /w==", "Digest x", "Bearer", "Bearer wrong"])
async def test_anything_else_is_no_token(client: httpx.AsyncClient, header: str) -> None:
    assert (await client.get("/who", headers={"Authorization": header})).status_code == 401
