"""The plain way to do it: a FastAPI application that awaits `send_text` for every client and event."""

from __future__ import annotations

import socket
import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from app.domain.clock import SystemClock
from app.domain.events import envelope
from benchmarks.fan_out.events import draft
from benchmarks.fan_out.process import Usage, usage

app = FastAPI()
clients: list[WebSocket] = []
sent = 0


@app.websocket("/ws")
async def join(websocket: WebSocket) -> None:
    await websocket.accept()
    clients.append(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        clients.remove(websocket)


@app.post("/burst")
async def burst(count: int) -> None:
    """Serialise each event once, as a careful author would, and send it to one client after the other."""
    global sent
    now = SystemClock().now()
    for n in range(count):
        sent += 1
        text = envelope(seq=sent, epoch="benchmark", at=now, draft=draft(n)).text
        for client in clients:
            await client.send_text(text)


@app.get("/usage")
async def used() -> Usage:
    return usage()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        config = uvicorn.Config(app, log_level="warning", access_log=False, ws_per_message_deflate=False)
        uvicorn.Server(config).run(sockets=[inherited])
