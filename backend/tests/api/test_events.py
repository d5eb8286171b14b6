"""WebSocket, server-sent events and long poll through a real server over a real store."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import websockets
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import events as events_api
from app.api.security import SecurityMiddleware
from app.api.server import STALLED_AFTER_S, PipelineServer, build_server
from app.domain.clock import SystemClock
from app.domain.events import EventDraft
from app.services.event_log import StoredLog
from app.services.metrics import Metrics
from app.services.snapshot import Snapshots
from app.services.stream import EventHub, StreamLimits
from app.store import events
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade
from backend.tests.support.waiting import until

EPOCH = "life-1"


async def no_runs(db: AsyncConnection) -> dict[str, Any]:
    return {"runs": [], "layers": {}, "workspace": None}


@dataclass
class Served:
    """The stream on a free port of this machine."""

    server: PipelineServer
    hub: EventHub
    database: Database
    metrics: Metrics
    port: int

    async def happen(self, count: int = 1, run_id: int | None = None, padding: str = "") -> None:
        drafts = [EventDraft("databricks_job_progress", {"n": n, "padding": padding}, run_id) for n in range(count)]
        async with self.database.write() as db:
            placed = await events.append(db, drafts, at=SystemClock().now())
        self.hub.publish(placed)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=20)

    def websocket(self, query: str = "", **options: Any) -> Any:
        return websockets.connect(f"ws://127.0.0.1:{self.port}/ws{query}", proxy=None, **options)

    async def poll(self, **query: Any) -> list[dict[str, Any]]:
        async with self.http() as client:
            answer = await client.get("/api/events/poll", params={"wait_s": 0, **query})
        assert answer.status_code == 200, answer.text
        assert answer.json()["epoch"] == EPOCH
        found: list[dict[str, Any]] = answer.json()["events"]
        return found


@asynccontextmanager
async def serving(
    store_url: str, limits: StreamLimits | None = None, *, stalled_after_s: float = STALLED_AFTER_S
) -> AsyncIterator[Served]:
    database = Database(create_engine(store_url))
    await upgrade(database.engine)
    async with database.write() as db:
        await events.begin_log(db, epoch=EPOCH)
    app, metrics, clock = FastAPI(), Metrics(), SystemClock()
    hub = EventHub(StoredLog(database), Snapshots(database, clock, no_runs), clock, limits)
    await hub.start()
    app.state.hub, app.state.metrics = hub, metrics
    app.include_router(events_api.router)
    app.add_middleware(SecurityMiddleware)
    with _listening() as listener:
        server = build_server(app, host="127.0.0.1", port=0)
        server.stalled_after_s = stalled_after_s
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield Served(server, hub, database, metrics, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await running
            await database.dispose()


@pytest.fixture
async def served(store_url: str) -> AsyncIterator[Served]:
    async with serving(store_url) as served:
        yield served


def _listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def envelopes(frame: str | bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in str(frame).split("\n")]


async def received(socket: Any, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        found += envelopes(await asyncio.wait_for(socket.recv(), 10))
    return found


async def collect(socket: Any, seen: list[int]) -> None:
    while True:
        seen += [e["seq"] for e in await received(socket, 1)]


def of_server_sent(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if lines:
            assert set(lines) == {"id", "data"}
            yield lines["id"], json.loads(lines["data"])


async def server_sent(served: Served, count: int, headers: dict[str, str] | None = None, **query: Any) -> list[Any]:
    text = ""
    async with served.http() as client, client.stream("GET", "/api/events", params=query, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for piece in answer.aiter_text():
            text += piece
            found = list(of_server_sent(text[: text.rfind("\n\n") + 2]))
            if len(found) >= count:
                return found
    raise AssertionError("the stream ended early")


async def test_a_websocket_gets_a_snapshot_and_then_what_happens(served: Served) -> None:
    await served.happen(2)
    async with served.websocket() as socket:
        (snapshot,) = await received(socket, 1)
        await served.happen(1)
        (live,) = await received(socket, 1)
    assert (snapshot["type"], snapshot["seq"], snapshot["epoch"]) == ("snapshot", 2, EPOCH)
    assert snapshot["data"] == {"runs": [], "layers": {}, "workspace": None}
    assert live["seq"] == 3


async def test_a_websocket_resumes_after_its_last_seq_with_several_envelopes_in_one_frame(served: Served) -> None:
    await served.happen(5)
    async with served.websocket(f"?after=2&epoch={EPOCH}") as socket:
        frame = await asyncio.wait_for(socket.recv(), 10)
    assert [e["seq"] for e in envelopes(frame)] == [3, 4, 5]


async def test_all_three_transports_answer_the_same_for_every_kind_of_position(served: Served) -> None:
    await served.happen(4)
    positions = [{}, {"after": 1}, {"after": 1, "epoch": EPOCH}, {"after": 1, "epoch": "other"}, {"after": 99}]
    for position in positions:
        polled = await served.poll(**position)
        sent = [data for _, data in await server_sent(served, len(polled), **position)]
        query = "&".join(f"{name}={value}" for name, value in position.items())
        async with served.websocket(f"?{query}") as socket:
            framed = await received(socket, len(polled))
        for other in (sent, framed):
            assert [(e["seq"], e["type"], e["data"]) for e in other] == [
                (e["seq"], e["type"], e["data"]) for e in polled
            ], position


async def test_last_event_id_wins_over_after(served: Served) -> None:
    await served.happen(4)
    found = await server_sent(served, 1, headers={"Last-Event-ID": f"{EPOCH}:3"}, after=0)
    assert [(name, data["seq"]) for name, data in found] == [(f"{EPOCH}:4", 4)]


@pytest.mark.parametrize("last_event_id", ["nonsense", "life-1:x", ":3", "life-1:99999999999999999999"])
async def test_a_last_event_id_that_is_not_ours_is_answered_by_a_snapshot(served: Served, last_event_id: str) -> None:
    await served.happen(1)
    found = await server_sent(served, 1, headers={"Last-Event-ID": last_event_id})
    assert found[0][1]["type"] == "snapshot"


async def test_a_long_poll_answers_as_soon_as_something_happens(served: Served) -> None:
    await served.happen(1)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(served.poll(after=1, wait_s=20))
        await until(lambda: served.hub.subscriber_count == 1)
        await served.happen(1)
    assert [e["seq"] for e in waiting.result()] == [2]


async def test_a_long_poll_without_news_answers_with_no_events(served: Served) -> None:
    await served.happen(1)
    assert await served.poll(after=1, wait_s=0) == []
    assert await served.poll(after=1, wait_s=0.05) == []


@pytest.mark.parametrize("query", ["after=-1", "after=x", "wait_s=56", "wait_s=-1", "wait_s=nan"])
async def test_an_impossible_position_or_wait_is_refused(served: Served, query: str) -> None:
    async with served.http() as client:
        assert (await client.get(f"/api/events/poll?{query}")).status_code == 422


async def test_an_impossible_position_of_a_websocket_is_refused(served: Served) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with served.websocket("?after=-1"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_filtered_stream_holds_one_runs_events_only_on_every_transport(served: Served) -> None:
    await served.happen(2, run_id=7)
    await served.happen(3, run_id=8)
    await served.happen(1)
    assert [e["seq"] for e in await served.poll(after=0, run_id=8)] == [3, 4, 5]
    assert [data["seq"] for _, data in await server_sent(served, 3, after=0, run_id=8)] == [3, 4, 5]
    async with served.websocket("?after=0&run_id=8") as socket:
        assert [e["seq"] for e in await received(socket, 3)] == [3, 4, 5]


async def test_a_client_that_does_not_read_is_closed_with_4000_and_resumes_without_loss(store_url: str) -> None:
    async with serving(store_url, StreamLimits(tail_events=50)) as served:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", served.port))
        async with served.websocket("?after=0", sock=narrow, max_queue=1, close_timeout=1) as slow:
            await served.happen(1)
            seen = [e["seq"] for e in await received(slow, 1)]
            for _ in range(60):  # 6 MB, more than the buffers between server and client take
                await served.happen(10, padding="x" * 10_000)
                await asyncio.sleep(0)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await collect(slow, seen)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "resync")
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) < 601
        async with served.websocket(f"?after={seen[-1]}&epoch={EPOCH}") as again:
            rest = await received(again, 601 - len(seen))
        assert seen + [e["seq"] for e in rest] == list(range(1, 602))
        assert b'petinsure_stream_closed_total{reason="resync"} 1.0' in served.metrics.render()


async def test_stopping_the_server_ends_every_stream_and_tells_websockets_to_come_back(store_url: str) -> None:
    async with serving(store_url) as served, served.http() as client, served.websocket("?after=0") as socket:
        async with client.stream("GET", "/api/events", params={"after": 0}) as stream:
            pieces = stream.aiter_text()
            assert await anext(pieces) == ": connected\n\n"
            served.server.should_exit = True
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 10)
            assert [piece async for piece in pieces] == []
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def test_a_websocket_of_another_web_site_is_refused(served: Served) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with served.websocket(origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["code"] == "origin_not_allowed"


async def test_a_websocket_of_our_own_page_is_accepted_and_not_compressed(served: Served) -> None:
    async with served.websocket("?after=0", origin=f"http://127.0.0.1:{served.port}") as socket:
        assert "sec-websocket-extensions" not in socket.response.headers
        await served.happen(1)
        assert [e["seq"] for e in await received(socket, 1)] == [1]


async def test_clients_are_counted_while_they_are_connected(served: Served) -> None:
    async with served.websocket("?after=0") as socket:
        await served.happen(1)
        await received(socket, 1)
        assert b'petinsure_stream_clients{transport="websocket"} 1.0' in served.metrics.render()
    await until(lambda: served.hub.subscriber_count == 0)
    assert b'petinsure_stream_clients{transport="websocket"} 0.0' in served.metrics.render()


@pytest.mark.parametrize(
    "request_lines",
    [
        ("GET /api/events?after=0 HTTP/1.1",),
        (
            "GET /ws?after=0 HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ),
    ],
    ids=["sse", "websocket"],
)  # fmt: skip
async def test_a_client_that_takes_nothing_is_let_go_with_all_that_waits_for_it(
    store_url: str, request_lines: tuple[str, ...]
) -> None:
    """Nothing can be told to it, and closing in order would wait for it."""
    async with serving(store_url, StreamLimits(tail_events=20), stalled_after_s=0.3) as served:
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.setblocking(False)
            await asyncio.get_running_loop().sock_connect(stalled, ("127.0.0.1", served.port))
            stalled.send("\r\n".join((*request_lines, "Host: 127.0.0.1", "", "")).encode())
            await until(lambda: served.hub.subscriber_count == 1)
            for _ in range(30):
                await served.happen(2, padding="x" * 20_000)
            await until(lambda: served.hub.subscriber_count == 0)
        await until(lambda: not served.server.server_state.connections)


async def test_the_end_of_an_answer_does_not_wait_until_its_beginning_is_confirmed() -> None:
    with _listening() as listener:
        server = build_server(FastAPI(), host="127.0.0.1", port=0)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        at_once = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # accepted connections inherit it
        server.should_exit = True
        await running
    assert at_once
