"""The API reference draws itself from our own files only."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.api import dashboard, errors, reference
from app.api.security import CONTENT_SECURITY_POLICY, SecurityMiddleware


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A server with a built dashboard of two files."""
    (tmp_path / "index.html").write_text("the dashboard's page")
    (tmp_path / "api-docs").mkdir()
    (tmp_path / "api-docs" / "init.js").write_text("draw()")
    app = FastAPI(docs_url=None, redoc_url=None)
    errors.install(app)
    app.include_router(reference.router)
    app.state.dashboard = dashboard.Dashboard(tmp_path)
    app.include_router(dashboard.router)
    app.add_middleware(SecurityMiddleware)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


async def test_the_reference_loads_nothing_from_elsewhere_and_runs_nothing_inline(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert "/api-docs/init.js" in loaded
    assert all(re.match(r"/(?!/)", address) for address in loaded)
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=", answer.text)


async def test_the_reference_has_the_same_security_policy_as_every_page(client: httpx.AsyncClient) -> None:
    policies = {(await client.get(path)).headers["content-security-policy"] for path in ("/api/docs", "/pipeline")}
    assert policies == {CONTENT_SECURITY_POLICY}
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "script-src 'self';" in CONTENT_SECURITY_POLICY


async def test_a_missing_file_of_the_reference_is_not_answered_with_the_dashboard(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api-docs/init.js")).text == "draw()"
    missing = await client.get("/api-docs/swagger-ui.css")
    assert missing.status_code == 404
    assert missing.json()["code"] == "not_found"
