"""Who may talk to the workspace.

It executes code as its user, so: loopback only, a token for every call, and nothing that a web page could reach.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_workspace.api.http import ApiError, refuse

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def workspace_token(path: Path) -> str:
    """The token in `path`, created with mode 0600 when there is none.

    Raises: PermissionError when others may read the file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} may be read by other users; make it private: chmod 600 {path}") from None
        return path.read_text().strip()
    token = f"dapi{secrets.token_urlsafe(24)}"
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token


class Guard:
    """Refuses foreign hosts, foreign origins and calls without the token, before any route is looked up.

    `open_paths` and what begins with one of `open_prefixes` need no token; they are still loopback only.
    """

    def __init__(
        self, app: ASGIApp, *, token: str, workspace_id: str, open_paths: frozenset[str], open_prefixes: tuple[str, ...]
    ) -> None:
        self._app = app
        self._token = token.encode()
        self._workspace_id = workspace_id
        self._open_paths = open_paths
        self._open_prefixes = open_prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_open = scope["path"] in self._open_paths or scope["path"].startswith(self._open_prefixes)
        fault = self._fault(scope["method"], Headers(scope=scope), is_open)
        if fault is not None:
            await refuse(fault)(scope, receive, send)
            return
        await self._app(scope, receive, send if is_open else self._named(send))

    def _fault(self, method: str, headers: Headers, is_open: bool) -> ApiError | None:
        if not is_loopback(headers.get("host", "")):
            return ApiError(403, "PERMISSION_DENIED", "This workspace answers to 127.0.0.1 and localhost only.")
        origin = headers.get("origin")
        if method not in SAFE_METHODS and origin is not None and not _same_origin(origin, headers.get("host", "")):
            return ApiError(403, "PERMISSION_DENIED", "Requests from other web sites are refused.")
        if is_open:
            return None
        given = _credential(headers.get("authorization", ""))
        if given is None:
            return ApiError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type.")
        if not hmac.compare_digest(given, self._token):
            return ApiError(403, "PERMISSION_DENIED", "Invalid access token.")
        return None

    def _named(self, send: Send) -> Send:
        """Every authenticated answer tells which workspace gave it; the SDK reads its workspace id from here."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-databricks-org-id"] = self._workspace_id
            await send(message)

        return sending


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine, with any port; guards against DNS rebinding."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def _same_origin(origin: str, host: str) -> bool:
    return origin == f"http://{host}"


def _credential(header: str) -> bytes | None:
    """The token of `Bearer <token>` or of `Basic token:<token>` (as `curl -u token:…` sends it)."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode()
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).partition(b":")
    except binascii.Error:
        return None
    return password if user == b"token" else None
