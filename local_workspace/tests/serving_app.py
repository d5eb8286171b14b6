"""The real application on a free loopback port, in a thread: for tests of calls that start no worker."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from databricks.sdk import WorkspaceClient
from starlette.types import ASGIApp

from local_workspace.app import build
from local_workspace.compute.cluster import NewPool
from local_workspace.settings import Settings
from local_workspace.tests.waiting import until

TOKEN = "dapi-for-tests"


@dataclass(frozen=True)
class Served:
    """A running workspace: its address, a raw HTTP client with the token, and the official SDK."""

    host: str
    data_dir: Path
    http: httpx.Client
    sdk: WorkspaceClient


@contextmanager
def serving(app: ASGIApp, port: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [port]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        assert server.started, "the application did not start"
        yield
    finally:
        server.should_exit = True
        thread.join(15)


@contextmanager
def workspace(data_dir: Path, new_pool: NewPool | None = None) -> Iterator[Served]:
    """The whole workspace over `data_dir`; `new_pool` replaces worker processes where a test plays the notebooks."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        settings = Settings(data_dir=data_dir, workspace_port=port.getsockname()[1])
        with serving(build(settings, token=TOKEN, new_pool=new_pool), port):
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(base_url=settings.host, headers=headers, timeout=30) as http:
                yield Served(settings.host, data_dir, http, WorkspaceClient(host=settings.host, token=TOKEN))
