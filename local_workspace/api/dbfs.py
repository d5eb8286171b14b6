"""DBFS API 2.0: files in base64 and in blocks, for the clients that still speak it. `dbfs:/Volumes/…` is a volume."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import ApiError, answer, arguments, boolean, integer, invalid, missing, text
from local_workspace.objects.staging import publish, staged
from local_workspace.storage import InvalidPath, Storage

MAX_BLOCK_BYTES = 1024 * 1024
_MAX_OPEN_HANDLES = 1000


def routes(storage: Storage) -> list[Route]:
    """The routes of this family."""
    api = _DbfsApi(storage)
    posts = (api.create, api.add_block, api.close, api.put, api.mkdirs, api.move, api.delete)
    gets = (api.read, api.list, api.get_status)
    return [
        *(Route(f"/api/2.0/dbfs/{_name(handler)}", handler, methods=["POST"]) for handler in posts),
        *(Route(f"/api/2.0/dbfs/{_name(handler)}", handler, methods=["GET"]) for handler in gets),
    ]


def _name(handler: Any) -> str:
    return str(handler.__name__).replace("_", "-")


@dataclass(frozen=True, slots=True)
class _OpenFile:
    """A file between create and close: its part, and the name it will get."""

    part: Path
    target: Path
    overwrite: bool


class _DbfsApi:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._scratch = storage.root / "uploads"
        self._open: dict[int, _OpenFile] = {}

    async def create(self, request: Request) -> Response:
        values = await arguments(request)
        target, overwrite = self._local(text(values, "path")), boolean(values, "overwrite")
        _refuse_occupied(target, overwrite)
        if len(self._open) >= _MAX_OPEN_HANDLES:
            raise ApiError(429, "RESOURCE_EXHAUSTED", f"More than {_MAX_OPEN_HANDLES} files are open for writing.")
        handle = secrets.randbelow(2**52)
        self._scratch.mkdir(parents=True, exist_ok=True)
        part = self._scratch / f"dbfs-{handle}"
        part.touch()
        self._open[handle] = _OpenFile(part, target, overwrite)
        return answer({"handle": handle})

    async def add_block(self, request: Request) -> Response:
        values = await arguments(request)
        block = _decoded(text(values, "data"))
        if len(block) > MAX_BLOCK_BYTES:
            raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", "A block may have at most 1 MB.")
        with self._handle(values).part.open("ab") as file:
            file.write(block)
        return answer()

    async def close(self, request: Request) -> Response:
        values = await arguments(request)
        opened = self._handle(values)
        opened.target.parent.mkdir(parents=True, exist_ok=True)
        try:
            publish(opened.part, opened.target, overwrite=opened.overwrite)
        except FileExistsError as fault:
            raise _occupied(opened.target) from fault
        finally:
            opened.part.unlink(missing_ok=True)
            self._open.pop(integer(values, "handle"))
        return answer()

    async def put(self, request: Request) -> Response:
        values = await arguments(request)
        raw = values.get("file", values.get("contents", ""))
        content = raw if isinstance(raw, bytes) else _decoded(str(raw))
        if not isinstance(raw, bytes) and len(content) > MAX_BLOCK_BYTES:
            raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", "contents may have at most 1 MB; send a multipart form.")
        target, overwrite = self._local(text(values, "path")), boolean(values, "overwrite")
        _refuse_occupied(target, overwrite)
        with staged(target, self._scratch, overwrite=True) as file:
            file.write(content)
        return answer()

    async def mkdirs(self, request: Request) -> Response:
        values = await arguments(request)
        target = self._local(text(values, "path"))
        try:
            target.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as fault:
            raise _occupied(target) from fault
        return answer()

    async def move(self, request: Request) -> Response:
        values = await arguments(request)
        source = self._existing(text(values, "source_path"))
        target = self._local(text(values, "destination_path"))
        if target.exists():
            raise _occupied(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.move, source, target)
        return answer()

    async def delete(self, request: Request) -> Response:
        values = await arguments(request)
        target = self._local(text(values, "path"))
        if target in (self._storage.dbfs_root, self._storage.volumes_root):
            raise invalid("The root cannot be deleted.")
        if target.is_dir() and any(target.iterdir()) and not boolean(values, "recursive"):
            raise ApiError(400, "IO_ERROR", "The directory is not empty; pass recursive to delete it.")
        if target.is_dir():
            await asyncio.to_thread(shutil.rmtree, target)
        else:
            target.unlink(missing_ok=True)  # deleting what is not there succeeds, as `dbfs rm` relies on
        return answer()

    async def read(self, request: Request) -> Response:
        values = await arguments(request)
        file = self._existing(text(values, "path"))
        if not file.is_file():
            raise invalid(f"{values['path']} is a directory.")
        offset, length = integer(values, "offset", 0), integer(values, "length", MAX_BLOCK_BYTES)
        if offset < 0 or length < 0:
            raise invalid("offset and length must not be negative.")
        if length > MAX_BLOCK_BYTES:
            raise ApiError(400, "MAX_READ_SIZE_EXCEEDED", "A read may have at most 1 MB.")
        with file.open("rb") as stream:
            stream.seek(offset)
            block = stream.read(length)
        return answer({"bytes_read": len(block), "data": base64.b64encode(block).decode()})

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        path = "/" + _plain(text(values, "path")).strip("/")
        location = self._existing(path)
        if location.is_file():
            return answer({"files": [_info(path, location)]})
        entries = sorted(location.iterdir(), key=lambda entry: entry.name)
        files = [_info(f"{path.rstrip('/')}/{entry.name}", entry) for entry in entries]
        return answer({"files": files} if files else {})

    async def get_status(self, request: Request) -> Response:
        values = await arguments(request)
        path = text(values, "path")
        return answer(_info(_plain(path), self._existing(path)))

    def _local(self, path: str) -> Path:
        plain = _plain(path)
        try:
            return self._storage.resolve(f"dbfs:{plain}")
        except InvalidPath as fault:
            raise invalid(str(fault)) from fault

    def _existing(self, path: str) -> Path:
        local = self._local(path)
        if local == self._storage.dbfs_root:
            local.mkdir(parents=True, exist_ok=True)
        if not local.exists():
            raise missing(f"No file or directory exists on path {path}.")
        return local

    def _handle(self, values: dict[str, Any]) -> _OpenFile:
        handle = integer(values, "handle")
        if handle not in self._open:
            raise missing(f"No file is open under the handle {handle}.")
        return self._open[handle]


def _plain(path: str) -> str:
    """`dbfs:/x` and `/x` are the same path."""
    plain = path.removeprefix("dbfs:")
    if not plain.startswith("/"):
        raise invalid(f"Path must be absolute: {path}")
    return plain


def _refuse_occupied(target: Path, overwrite: bool) -> None:
    if target.is_dir() or (target.exists() and not overwrite):
        raise _occupied(target)


def _occupied(target: Path) -> ApiError:
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", f"A file or directory already exists at the path: {target.name}")


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as fault:
        raise invalid("The data must be base64.") from fault


def _info(path: str, location: Path) -> dict[str, Any]:
    seen, is_dir = location.stat(), location.is_dir()
    return {
        "path": path,
        "is_dir": is_dir,
        "file_size": 0 if is_dir else seen.st_size,
        "modification_time": int(seen.st_mtime * 1000),
    }
