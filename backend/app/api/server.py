"""The HTTP server as this application needs it: streams end on shutdown, WebSockets are small and not compressed."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from app.api.ready_frames import ReadyFrameProtocol

MAX_CLIENT_MESSAGE_BYTES = 16 * 1024  # clients of the stream have nothing to say
GRACE_S = 5
# What a client does not take stays in the kernel: not more than this, and not for longer.
UNSENT_BYTES = 256 * 1024
STALLED_AFTER_S = 30


class PipelineServer(uvicorn.Server):
    """Ends the event streams before it waits for open connections: a stream never ends by itself.

    Signals are the caller's: uvicorn's own handling would end a clean exit with the signal itself.
    """

    on_ready: Callable[[], None] | None = None
    stalled_after_s: float = STALLED_AFTER_S

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or ():
            _send_at_once(listening)
            _bound_unsent(listening, self.stalled_after_s)
        await super().startup(sockets)
        if self.started and self.on_ready is not None:
            self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        hub = getattr(app.state, "hub", None) if isinstance(app, FastAPI) else None
        if hub is not None:
            hub.close()
        await super().shutdown(sockets)


def _send_at_once(listening: socket.socket) -> None:
    """Connections accepted here send the end of an answer without waiting for the client to confirm its beginning.

    Clients confirm after 40 ms. asyncio sets this by itself only for sockets that were made with the protocol's number.
    """
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _bound_unsent(listening: socket.socket, stalled_after_s: float) -> None:
    """Have the system end every connection accepted here whose client takes nothing for so long.

    It does so in whatever state the connection is: a write that waits, a response that has ended, a closing handshake
    that is not answered; closing in order would wait for the client instead. Only Linux offers it.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(stalled_after_s * 1000))


def build_server(app: FastAPI, *, host: str, port: int) -> PipelineServer:
    """A server for `app`; WebSocket clients are pinged every 20 s and told 1012 when it stops."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        ws=ReadyFrameProtocol,
        ws_max_size=MAX_CLIENT_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    return PipelineServer(config)
