"""The dashboard's page, its files, and addresses that are neither."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.api import dashboard, errors

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "index.html").write_text("the page")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1.js").write_text("run()")
    app = FastAPI(docs_url=None, redoc_url=None)
    errors.install(app)
    app.state.dashboard = dashboard.Dashboard(tmp_path)
    app.include_router(dashboard.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as found:
        yield found


@pytest.mark.parametrize("path", ["/", "/pipeline", "/overview", "/runs", "/runs/7", "/claims"])
async def test_the_pages_own_addresses_answer_everybody_with_the_page(client: httpx.AsyncClient, path: str) -> None:
    for headers in (BROWSER, {}):
        assert (await client.get(path, headers=headers)).text == "the page"


async def test_a_browser_gets_the_page_for_an_unknown_name_and_a_program_is_told_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/no-such-page", headers=BROWSER)).text == "the page"
    told = await client.get("/no-such-page")
    assert (told.status_code, set(told.json())) == (404, {"code", "message", "details"})


@pytest.mark.parametrize(
    "path", ["/nothing.json", "/assets/gone.js", "/api/nothing", "/process/nothing", "/pipeline/x"]
)
async def test_what_cannot_be_a_page_is_never_answered_with_one(client: httpx.AsyncClient, path: str) -> None:
    for headers in (BROWSER, {}):
        assert (await client.get(path, headers=headers)).status_code == 404


async def test_files_with_a_hash_in_their_name_are_kept_for_ever_and_the_page_is_asked_for_again(
    client: httpx.AsyncClient,
) -> None:
    assert "immutable" in (await client.get("/assets/index-1.js")).headers["cache-control"]
    page = await client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    assert (await client.get("/", headers={"If-None-Match": page.headers["etag"]})).status_code == 304


async def test_an_application_that_is_gone_leaves_no_files_in_memory(client: httpx.AsyncClient) -> None:
    def held() -> int:
        gc.collect()
        return sum(isinstance(one, dashboard.Dashboard) for one in gc.get_objects())

    before = held()
    app = FastAPI()
    app.state.dashboard = dashboard.Dashboard(Path(__file__).parent)
    app.include_router(dashboard.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as found:
        assert (await found.get("/test_dashboard.py")).is_success
    del app, found
    assert held() == before
