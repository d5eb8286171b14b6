"""Files API 2.0 on volumes: files and directories under `/Volumes/<catalog>/<schema>/<volume>`.

Bodies are streamed, so that a file may be as large as the disk allows.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import secrets
from bisect import bisect_right
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local_workspace.api.http import ApiError, answer, boolean, integer, invalid, missing, unsupported
from local_workspace.objects.staging import staged
from local_workspace.storage import InvalidPath, Storage

MAX_FILE_BYTES = 5 * 1024**3
_MAX_PAGE = 1000
_WRITE_BYTES = 1024 * 1024


def routes(storage: Storage) -> list[Route]:
    """The routes of this family."""
    api = _FilesApi(storage)
    file, directory = "/api/2.0/fs/files/{path:path}", "/api/2.0/fs/directories/{path:path}"
    return [
        Route(file, api.download, methods=["GET", "HEAD"]),
        Route(file, api.upload, methods=["PUT"]),
        Route(file, api.delete_file, methods=["DELETE"]),
        Route(file, api.start_upload, methods=["POST"]),
        Route(directory, api.list_directory, methods=["GET", "HEAD"]),
        Route(directory, api.create_directory, methods=["PUT"]),
        Route(directory, api.delete_directory, methods=["DELETE"]),
        Route("/api/2.0/fs/{name:str}", _no_presigned_urls, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Place:
    """A path below an existing volume."""

    uri: str
    local: Path
    is_volume: bool


class OpenFileResponse(FileResponse):
    """Serves the file that its path names at the beginning, also when another one takes the name meanwhile."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with await asyncio.to_thread(open, self.path, "rb") as file:
            self.stat_result = os.fstat(file.fileno())
            self.set_stat_headers(self.stat_result)
            self.path = f"/dev/fd/{file.fileno()}"
            await super().__call__(scope, receive, send)


class _FilesApi:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._scratch = storage.root / "uploads"

    async def download(self, request: Request) -> Response:
        place = self._place(request)
        if not place.local.is_file():
            raise missing(f"The file being accessed is not found. Path: {place.uri}")
        _refuse_modified(request, place.local)
        return OpenFileResponse(place.local, media_type="application/octet-stream")

    async def upload(self, request: Request) -> Response:
        place = self._place(request)
        overwrite = boolean(dict(request.query_params), "overwrite", True)
        if place.is_volume or place.local.is_dir():
            raise invalid(f"The path is a directory, not a file: {place.uri}")
        try:
            with staged(place.local, self._scratch, overwrite=overwrite) as file:
                await _receive(request, file.write)
        except FileExistsError as fault:
            if not place.local.is_file():  # a parent of the path is a file
                raise invalid(f"A parent of the path is not a directory: {place.uri}") from fault
            raise ApiError(
                409, "ALREADY_EXISTS", f"The file being created already exists. Path: {place.uri}"
            ) from fault
        except NotADirectoryError as fault:
            raise invalid(f"A parent of the path is not a directory: {place.uri}") from fault
        return Response(status_code=204)

    async def start_upload(self, request: Request) -> Response:
        """Clients open uploads of 50 MiB and more this way, then ask for presigned URLs.

        Those are refused below, upon which the SDK sends the file in one PUT (measured with databricks-sdk 0.156).
        """
        if request.query_params.get("action") != "initiate-upload":
            raise unsupported("This step of a multipart upload")
        self._place(request)
        return answer({"multipart_upload": {"session_token": secrets.token_urlsafe(16)}})

    async def delete_file(self, request: Request) -> Response:
        place = self._place(request)
        if not place.local.is_file():
            raise missing(f"The file being accessed is not found. Path: {place.uri}")
        place.local.unlink()
        return Response(status_code=204)

    async def list_directory(self, request: Request) -> Response:
        place = self._directory(request)
        if request.method == "HEAD":
            return Response()
        values = dict(request.query_params)
        size = min(integer(values, "page_size", _MAX_PAGE) or _MAX_PAGE, _MAX_PAGE)
        if size < 0:
            raise invalid("page_size must not be negative.")
        after = _decode_token(values.get("page_token", ""))
        return answer(await asyncio.to_thread(_page, place, after, size))

    async def create_directory(self, request: Request) -> Response:
        place = self._place(request)
        try:
            place.local.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as fault:
            raise ApiError(409, "ALREADY_EXISTS", f"A file is in the way of the directory: {place.uri}") from fault
        return Response(status_code=204)

    async def delete_directory(self, request: Request) -> Response:
        place = self._directory(request)
        if place.is_volume:
            raise invalid(f"A volume is deleted through Unity Catalog, not as a directory: {place.uri}")
        if any(place.local.iterdir()):
            raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"The directory is not empty: {place.uri}")
        place.local.rmdir()
        return Response(status_code=204)

    def _directory(self, request: Request) -> _Place:
        place = self._place(request)
        if not place.local.is_dir():
            raise missing(f"The directory being accessed is not found. Path: {place.uri}")
        return place

    def _place(self, request: Request) -> _Place:
        """The path of the request; its volume must exist."""
        uri = "/" + str(request.path_params["path"]).strip("/")
        parts = [part for part in uri.split("/") if part]
        if parts[:1] != ["Volumes"]:
            raise invalid(f"The Files API serves paths that start with /Volumes, got {uri}")
        try:
            local = self._storage.resolve("/" + "/".join(parts))
        except InvalidPath as fault:
            raise invalid(str(fault)) from fault
        if len(parts) < 4 or not self._storage.volume_path(*parts[1:4]).is_dir():
            raise missing(f"Volume '{'.'.join(parts[1:4])}' does not exist.")
        return _Place(uri, local, len(parts) == 4)


async def _no_presigned_urls(request: Request) -> Response:
    raise unsupported(f"{request.path_params['name']} (presigned URLs)")


async def _receive(request: Request, write: Any) -> None:
    """Stream the body to disk in pieces worth a thread switch."""
    total, waiting = 0, bytearray()
    try:
        async for chunk in request.stream():
            total += len(chunk)
            if total > MAX_FILE_BYTES:
                raise ApiError(413, "MAX_REQUEST_SIZE_EXCEEDED", "A file may have at most 5 GiB.")
            waiting += chunk
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(write, bytes(waiting))
                waiting.clear()
    except ClientDisconnect as fault:
        raise invalid("The upload ended before the whole body had arrived.") from fault
    if waiting:
        await asyncio.to_thread(write, bytes(waiting))


def _refuse_modified(request: Request, file: Path) -> None:
    """If-Unmodified-Since: a client that resumes a download must not glue two versions together."""
    header = request.headers.get("if-unmodified-since")
    if header is None:
        return
    try:
        limit = parsedate_to_datetime(header).timestamp()
    except ValueError as fault:
        raise invalid("If-Unmodified-Since is not a date.") from fault
    if int(file.stat().st_mtime) > limit:
        raise ApiError(412, "ABORTED", "The file was modified since.")


def _page(place: _Place, after: str, size: int) -> dict[str, Any]:
    """One page of a directory in the order of names; the token is the last name given."""
    names = sorted(entry.name for entry in os.scandir(place.local))
    start = bisect_right(names, after) if after else 0
    chosen = names[start : start + size]
    entries = [entry for name in chosen if (entry := _entry(place, name)) is not None]
    page: dict[str, Any] = {"contents": entries} if entries else {}
    if start + size < len(names):
        page["next_page_token"] = base64.urlsafe_b64encode(chosen[-1].encode()).decode()
    return page


def _entry(place: _Place, name: str) -> dict[str, Any] | None:
    """One entry, or None when the file went away since the names were read."""
    local = place.local / name
    try:
        seen = local.stat()
    except FileNotFoundError:
        return None
    is_directory = local.is_dir()
    entry: dict[str, Any] = {"path": f"{place.uri}/{name}", "name": name, "is_directory": is_directory}
    if not is_directory:
        entry |= {"file_size": seen.st_size, "last_modified": int(seen.st_mtime * 1000)}
    return entry


def _decode_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError) as fault:
        raise invalid("page_token is not one of ours.") from fault
