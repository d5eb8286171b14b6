"""The workspace, put together: storage, store and the routes of every API module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from local_workspace.api import dbfs, files, identity, workspace
from local_workspace.api.identity import Identity
from local_workspace.clock import SystemClock
from local_workspace.objects.service import WorkspaceObjects
from local_workspace.security import Guard
from local_workspace.server.errors import HANDLERS
from local_workspace.settings import Settings
from local_workspace.storage import Storage
from local_workspace.store.database import Database

# Loopback only, but without the token: what a client asks before it has one, and the run page, which has its own key.
OPEN_PATHS = frozenset({"/", "/favicon.ico", "/api/local/health"})
OPEN_PREFIXES = ("/.well-known/", "/api/local/runs/", "/runs/", "/static/")


def build(settings: Settings, *, token: str) -> Starlette:
    """The ASGI application over the data directory of `settings`; its lifespan starts and stops everything it owns."""
    clock = SystemClock()
    storage = Storage(settings.data_dir)
    database = Database(settings.home / "workspace.db")
    objects = WorkspaceObjects(storage, database.engine, clock)
    workspace_id = database.workspace_id()
    user = Identity(settings.workspace_user, workspace_id, settings.host)
    routes: list[BaseRoute] = [
        *identity.routes(user),
        *workspace.routes(objects),
        *files.routes(storage),
        *dbfs.routes(storage),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(database.close)
            yield

    guard = Middleware(
        Guard, token=token, workspace_id=workspace_id, open_paths=OPEN_PATHS, open_prefixes=OPEN_PREFIXES
    )
    return Starlette(routes=routes, middleware=[guard], exception_handlers=HANDLERS, lifespan=lifespan)
