"""WebSocket frames that are made once and sent to thousands: an ASGI extension of our own HTTP server."""

from __future__ import annotations

from typing import Any

from fastapi import WebSocket
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.services.stream_tail import Batch

EXTENSION = "petinsure.websocket.frame"


class ReadyFrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which otherwise encodes and copies a text for each client.

    `{"type": "websocket.send", "frame": bytes}` goes to the client as it is. The bytes are shared, so that a client
    that reads slowly holds a reference and not a copy. Needs permessage-deflate to be off.
    """

    async def run_asgi(self) -> None:
        self.scope["extensions"][EXTENSION] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        frame = message.get("frame")
        if frame is None:
            await super().send(message)
            if message["type"] == "websocket.accept":
                del self.request, self.response  # kilobytes of headers that nobody reads again
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        self.transport.write(frame)


async def send_batch(websocket: WebSocket, batch: Batch) -> None:
    """Send the batch as its ready frame, or as text where another server runs the application.

    Raises WebSocketDisconnect.
    """
    if EXTENSION in websocket.scope.get("extensions", ()):
        await websocket.send({"type": "websocket.send", "frame": batch.frame})
    else:
        await websocket.send_text(batch.text)
