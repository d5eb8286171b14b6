"""The built dashboard, read once at start: its files, and its page for every address that only the browser knows."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from app.domain.errors import NotFound

FOREVER = "public, max-age=31536000, immutable"  # names under assets/ carry a hash of their content
ASK_AGAIN = "no-cache"
COMPRESSED_TYPES = ("text/", "application/javascript", "application/json", "image/svg")
NOT_PAGES = ("api", "api-docs", "pipeline", "process", "ws", "metrics", "assets")
# "pipeline" is a page too, beside the plan's literal POST /pipeline/databricks/trigger.
PAGES = ("", "pipeline", "overview", "runs", "claims")
NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>PetInsure360</title><main><h1>The dashboard is not built</h1>"
    "<p>Run <code>make setup</code> and start again. The API is here: <a href=/api/docs>/api/docs</a>.</p></main>"
)


@dataclass(frozen=True)
class File:
    """One file in the forms it is sent in."""

    media_type: str
    plain: bytes
    etag: str
    cache: str

    @cached_property
    def compressed(self) -> bytes | None:
        """Made when it is first asked for: compressing every file would delay the start by a tenth of a second."""
        return gzip.compress(self.plain, 6, mtime=0) if self.media_type.startswith(COMPRESSED_TYPES) else None


class Dashboard:
    """The files of `folder` by their address; empty when the dashboard was not built."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path, path.relative_to(folder))
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def find(self, path: str, *, by_browser: bool) -> File | None:
        """The file at an address, or the dashboard's page for one of its own addresses; None for neither.

        A browser gets the page for any name that could be a page's, so that it can say in words that there is none;
        a program is told 404.
        """
        if path in self._files:
            return self._files[path]
        first, _, rest = path.partition("/")
        is_page = first in PAGES and (not rest or first not in NOT_PAGES)
        guessed = by_browser and first not in NOT_PAGES and "." not in path.rpartition("/")[2]
        return self._files.get("index.html") if is_page or guessed else None


async def dashboard_of(request: Request) -> Dashboard:
    """The application's. FastAPI remembers every route it has ever seen: one that held the files would keep them."""
    return cast(Dashboard, request.app.state.dashboard)


DashboardPart = Annotated[Dashboard, Depends(dashboard_of)]

router = APIRouter(include_in_schema=False)
"""To be included last, since it takes every address that is left."""


@router.get("/{path:path}")
async def page(path: str, request: Request, dashboard: DashboardPart) -> Response:
    file = dashboard.find(path, by_browser="text/html" in request.headers.get("accept", ""))
    if file is not None:
        return _answer(file, request)
    if path == "":
        return Response(NOT_BUILT, media_type="text/html")
    raise NotFound(f"There is nothing at /{path}.", path=f"/{path}")


def _answer(file: File, request: Request) -> Response:
    headers = {"ETag": file.etag, "Cache-Control": file.cache, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", "") and file.compressed is not None:
        return Response(file.compressed, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.plain, media_type=file.media_type, headers=headers)


def _read(path: Path, name: Path) -> File:
    plain = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type == "text/javascript":
        media_type = "application/javascript"
    return File(
        media_type=media_type,
        plain=plain,
        etag=f'"{hashlib.sha256(plain).hexdigest()[:20]}"',
        cache=FOREVER if name.parts[0] == "assets" else ASK_AGAIN,
    )
