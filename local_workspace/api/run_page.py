"""The page of one run, for people: static files, and the view that a per-run key opens.

The key is read-only and good for one run. It comes in the fragment of the link, so it is in no log and no Referer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from local_workspace.api.http import ApiError, missing

STATIC = Path(__file__).resolve().parent.parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}
_ASSETS = {path.name: path for path in STATIC.iterdir() if path.suffix in (".css", ".js")}

_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


class RunReading(Protocol):
    """What the page reads, in the shapes of the Jobs API."""

    def get_run(self, run_id: int) -> dict[str, Any]: ...
    def get_output(self, task_run_id: int) -> dict[str, Any]: ...
    def cells(self, task_run_id: int) -> list[dict[str, Any]]: ...


class KeyCheck(Protocol):
    """Whether a view key opens a run."""

    def verify(self, run_id: int, key: str) -> bool: ...


def routes(runs: RunReading, links: KeyCheck) -> list[Route]:
    """The page, its files, and the view. None of them needs the token; the view needs the run's key."""

    async def view(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        if not links.verify(run_id, request.headers.get("x-view-key", "")):
            raise ApiError(403, "PERMISSION_DENIED", "The view key is missing, expired or of another run.")
        return _tagged(request, await asyncio.to_thread(_view, runs, run_id))

    return [
        Route("/", _page("home.html")),
        Route("/runs/{run_id:int}", _page("run.html")),
        Route("/static/{name}", _asset),
        Route("/api/local/runs/{run_id:int}/view", view),
    ]


def _page(name: str) -> Any:
    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / name, media_type="text/html", headers=_PAGE_HEADERS)

    return page


async def _asset(request: Request) -> Response:
    path = _ASSETS.get(request.path_params["name"])
    if path is None:
        raise missing("No such file.")
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=_PAGE_HEADERS)


def _view(runs: RunReading, run_id: int) -> bytes:
    """The run, each task attempt with its output and cells, as one JSON text."""
    run = runs.get_run(run_id)
    tasks = [
        task | {"output": _output(runs, task["run_id"]), "cells": runs.cells(task["run_id"])}
        for task in run.pop("tasks", [])
    ]
    run.pop("run_view_url", None)  # the key opened this view; it is not handed on
    return json.dumps({"run": run, "tasks": tasks}, separators=(",", ":"), ensure_ascii=False).encode()


def _output(runs: RunReading, task_run_id: int) -> dict[str, Any]:
    output = runs.get_output(task_run_id)
    return {name: output[name] for name in ("notebook_output", "error", "error_trace") if output.get(name) is not None}


def _tagged(request: Request, body: bytes) -> Response:
    """The body, or 304 while nothing has changed: the page asks every second."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
