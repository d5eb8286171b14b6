"""Running the application on a loopback socket until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from starlette.applications import Starlette

from local_workspace.server import parent

log = structlog.get_logger(__name__)

_GRACE_S = 2  # open requests get this long; the whole exit takes less than 5 s


def listen(port: int) -> socket.socket:
    """A loopback socket on `port`, or on a free one for 0.

    Raises: OSError when the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    return listening


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would end a clean exit with the signal itself."""

    def __init__(self, config: uvicorn.Config, host: str) -> None:
        super().__init__(config)
        self._host = host

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.leave)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("workspace_ready", host=self._host, pid=os.getpid())

    def leave(self) -> None:
        """Stop; asked a second time, stop waiting for open requests."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(app: Starlette, listening: socket.socket, host: str, *, exit_with: int | None) -> None:
    """Serve until SIGTERM, SIGINT or, when `exit_with` is given, the death of that parent process."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=_GRACE_S, server_header=False
    )
    server = _Server(config, host)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(parent.watch(exit_with, server.leave)) if exit_with else None
        await server.serve(sockets=[listening])
        if watching:
            watching.cancel()
