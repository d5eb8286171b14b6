"""Routes that are there before somebody asks for them."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.types import Scope


async def make_routes(app: FastAPI) -> None:
    """Make the routes of every included router, one router at a time.

    FastAPI 0.165 makes them when a request is first compared with them: a tenth of a second, for which the first click
    after a start would wait.
    """
    scope: Scope = {"type": "http", "method": "GET", "path": "/-/", "root_path": "", "headers": []}
    for route in app.router.routes:
        route.matches(dict(scope))
        await asyncio.sleep(0)
