"""Workspace API 2.0: import, export, get-status, list, mkdirs, delete, and the workspace-files endpoints of bundles."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import answer, arguments, boolean, invalid, read_body, text
from local_workspace.objects.service import Exported, WorkspaceObject, WorkspaceObjects


def routes(objects: WorkspaceObjects) -> list[Route]:
    """The routes of this family."""
    api = _WorkspaceApi(objects)
    base = "/api/2.0/workspace"
    return [
        Route(f"{base}/import", api.import_, methods=["POST"]),
        Route(f"{base}/export", api.export, methods=["GET"]),
        Route(f"{base}/get-status", api.get_status, methods=["GET"]),
        Route(f"{base}/list", api.list, methods=["GET"]),
        Route(f"{base}/mkdirs", api.mkdirs, methods=["POST"]),
        Route(f"{base}/delete", api.delete, methods=["POST"]),
        Route("/api/2.0/workspace-files/import-file/{path:path}", api.import_file, methods=["POST"]),
        Route("/api/2.0/workspace-files/{path:path}", api.read_file, methods=["GET"]),
    ]


class _WorkspaceApi:
    def __init__(self, objects: WorkspaceObjects) -> None:
        self._objects = objects

    async def import_(self, request: Request) -> Response:
        values = await arguments(request)
        content = _content(values)
        import_format = text(values, "format", "SOURCE").upper()
        language = text(values, "language", "").upper() or None
        overwrite = boolean(values, "overwrite")
        path = text(values, "path")
        await asyncio.to_thread(self._objects.put, path, content, import_format, language, overwrite)
        return answer()

    async def import_file(self, request: Request) -> Response:
        overwrite = boolean(dict(request.query_params), "overwrite")
        content = await read_body(request)
        await asyncio.to_thread(self._objects.put, _path_of(request), content, "AUTO", None, overwrite)
        return answer()

    async def export(self, request: Request) -> Response:
        values = await arguments(request)
        export_format = text(values, "format", "SOURCE").upper()
        exported = await asyncio.to_thread(self._objects.export, text(values, "path"), export_format)
        if boolean(values, "direct_download"):
            return _download(exported)
        encoded = base64.b64encode(exported.content).decode()
        return answer({"content": encoded, "file_type": exported.file_type})

    async def read_file(self, request: Request) -> Response:
        return _download(await asyncio.to_thread(self._objects.export, _path_of(request), "AUTO"))

    async def get_status(self, request: Request) -> Response:
        values = await arguments(request)
        return answer(_info(await asyncio.to_thread(self._objects.status, text(values, "path"))))

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        children = await asyncio.to_thread(self._objects.children, text(values, "path"))
        return answer({"objects": [_info(child) for child in children]} if children else {})

    async def mkdirs(self, request: Request) -> Response:
        values = await arguments(request)
        await asyncio.to_thread(self._objects.mkdirs, text(values, "path"))
        return answer()

    async def delete(self, request: Request) -> Response:
        values = await arguments(request)
        await asyncio.to_thread(self._objects.delete, text(values, "path"), boolean(values, "recursive"))
        return answer()


def _path_of(request: Request) -> str:
    return "/" + str(request.path_params["path"]).lstrip("/")


def _content(values: dict[str, Any]) -> bytes:
    """Multipart carries the bytes themselves, JSON carries base64."""
    raw = values.get("content", "")
    if isinstance(raw, bytes):
        return raw
    try:
        return base64.b64decode(str(raw), validate=True)
    except binascii.Error as fault:
        raise invalid("content must be base64.") from fault


def _download(exported: Exported) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(exported.name)}"
    return Response(
        exported.content, media_type="application/octet-stream", headers={"Content-Disposition": disposition}
    )


def _info(found: WorkspaceObject) -> dict[str, Any]:
    info: dict[str, Any] = {
        "path": found.path,
        "object_type": found.object_type,
        "object_id": found.object_id,
        "resource_id": str(found.object_id),
    }
    if found.language:
        info["language"] = found.language
    if found.object_type != "DIRECTORY":
        info |= {"created_at": found.created_at_ms, "modified_at": found.modified_at_ms}
    if found.object_type == "FILE":
        info["size"] = found.size_bytes
    return info
