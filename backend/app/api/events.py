"""The event stream over WebSocket, server-sent events and long poll: three transports, one resume rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ValidationError
from starlette.routing import WebSocketRoute

from app.api.parts import Counted, Hub, hub_of, metrics_of
from app.api.ready_frames import send_batch
from app.domain.events import Envelope
from app.services.metrics import Metrics
from app.services.stream import EventHub, Position, StreamClosing, SubscriberTooSlow, Subscription

RESYNC = 4000  # codes 4000-4499 mean: reconnect
SERVICE_RESTART = 1012
UNUSABLE_QUERY = 1008
HEARTBEAT_S = 15.0
LONGEST_WAIT_S = 55.0

router = APIRouter(tags=["events"])

After = Annotated[int | None, Query(ge=0, description="The last seq that was seen; without it a snapshot comes first")]
Epoch = Annotated[str | None, Query(max_length=64, description="The epoch in which `after` was seen")]
RunId = Annotated[int | None, Query(ge=0, description="Only this run's events; seq then has gaps by design")]


class Beginning(BaseModel):
    """Where a client wants to begin, and whether it wants one run only."""

    after: After = None
    epoch: Epoch = None
    run_id: RunId = None


async def websocket_stream(websocket: WebSocket) -> None:
    """One text frame holds one envelope, or several separated by newlines. What a client sends is ignored."""
    try:
        beginning = Beginning.model_validate(dict(websocket.query_params))
    except ValidationError:
        await websocket.close(UNUSABLE_QUERY)  # before the handshake, hence HTTP 403
        return
    await websocket.accept()
    hub, metrics = await hub_of(websocket), await metrics_of(websocket)
    position = Position(beginning.after, beginning.epoch)
    with metrics.client("websocket"):
        async with hub.subscribe(position, run_id=beginning.run_id) as subscription, asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(_pump(websocket, subscription, metrics))
            await _until_gone(websocket)
            pump.cancel()


# Not FastAPI's decorator: what it keeps for every open WebSocket is 6 KB, with thousands of them connected.
router.routes.append(WebSocketRoute("/ws", websocket_stream))


async def _pump(websocket: WebSocket, subscription: Subscription, metrics: Metrics) -> None:
    with suppress(WebSocketDisconnect):
        try:
            while batch := await subscription.next():
                await send_batch(websocket, batch)
        except SubscriberTooSlow:
            metrics.stream_closed("resync")
            await websocket.close(RESYNC, "resync")
        except StreamClosing:
            await websocket.close(SERVICE_RESTART, "restarting")


async def _until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


@router.get("/api/events", response_class=StreamingResponse)
async def server_sent_events(
    hub: Hub,
    metrics: Counted,
    after: After = None,
    epoch: Epoch = None,
    run_id: RunId = None,
    last_event_id: Annotated[str | None, Header(max_length=128)] = None,
) -> StreamingResponse:
    """Server-sent events, `id: epoch:seq`. Last-Event-ID, which browsers send on reconnecting, wins over `after`."""
    position = _position_of(last_event_id) if last_event_id else Position(after, epoch)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    body = _server_sent(hub, position, run_id, metrics)
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


def _position_of(last_event_id: str) -> Position:
    """Read `epoch:seq`; what we did not write ourselves counts as no position, so that a snapshot follows."""
    epoch, _, seq = last_event_id.rpartition(":")
    if not epoch or not (seq.isascii() and seq.isdigit()) or len(seq) > 18:
        return Position()
    return Position(int(seq), epoch)


async def _server_sent(hub: EventHub, position: Position, run_id: int | None, metrics: Metrics) -> AsyncIterator[bytes]:
    with metrics.client("sse"):
        async with hub.subscribe(position, run_id=run_id) as subscription:
            yield b": connected\n\n"
            with suppress(StreamClosing):
                try:
                    while True:
                        batch = await subscription.next(HEARTBEAT_S)
                        yield batch.server_sent if batch else b": heartbeat\n\n"
                except SubscriberTooSlow:
                    metrics.stream_closed("resync")
                    yield b": resync\n\n"  # the browser reconnects with Last-Event-ID and misses nothing


@router.get("/api/events/poll")
async def long_poll(
    hub: Hub,
    metrics: Counted,
    after: After = None,
    epoch: Epoch = None,
    run_id: RunId = None,
    wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 25.0,
) -> Response:
    """Answers as soon as there is something after `after`, or with no events once `wait_s` has passed."""
    envelopes: tuple[Envelope, ...] = ()
    with metrics.client("poll"), suppress(StreamClosing, SubscriberTooSlow):
        async with hub.subscribe(Position(after, epoch), run_id=run_id) as subscription:
            batch = await subscription.next(wait_s)
            envelopes = batch.envelopes if batch else ()
    # The envelopes are JSON already; parsing them only to write them again would cost each client a serialisation.
    body = f'{{"epoch":"{hub.epoch}","events":[{",".join(e.text for e in envelopes)}]}}'
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
