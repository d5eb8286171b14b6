"""docs/asyncapi.yaml against what is really sent: every envelope of every transport, and the frames around them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from app.services.current_workspace import DEGRADED_AFTER_S
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.clock import ManualClock
from backend.tests.support.driven_backend import CountingLoop, DrivenBackend
from backend.tests.support.record_event_logs import click, ended_before, play
from backend.tests.support.simulated_workspace import CANCEL, LIST, RUN_NOW, Fault, SimulatedWorkspace

DOCS = Path(__file__).parents[3] / "docs"
ASYNCAPI: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
OPENAPI: dict[str, Any] = json.loads((DOCS / "openapi.json").read_text())
CHANNELS = {channel["address"]: channel for channel in ASYNCAPI["channels"].values()}


def validator(address: str, event_type: str) -> Any:
    """Of the message that the channel's document names for this type of event."""
    messages = ASYNCAPI["components"]["messages"]
    named = [messages[reference["$ref"].rpartition("/")[2]] for reference in CHANNELS[address]["messages"].values()]
    [message] = [one for one in named if one["name"] == event_type]
    schema = message["payload"]["$ref"].partition("#")[2]
    return jsonschema_rs.validator_for({"$ref": f"#{schema}", "components": closed(OPENAPI["components"])})


def closed(schema: Any, *, inside: bool = False) -> Any:
    """The same schemas, objects with fields of their own taking no others: what is sent must stand in the document."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: closed(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema and "additionalProperties" not in schema:
        copy["additionalProperties"] = False
    return copy


async def story(backend: DrivenBackend, workspace: SimulatedWorkspace) -> None:
    """Adopted runs, a success, a failure and its repair, a refusal, late clicks, an outage, a late cancellation."""
    await backend.elapse(5)
    await play(backend, workspace, await click(backend, "all"))
    failing = await click(backend, "all")
    await play(backend, workspace, failing, fails_at=3)
    await backend.during(backend.http.post(f"{RUNS}/{failing}/repair"))
    await play(backend, workspace, failing)
    workspace.faults[RUN_NOW].append(Fault.UNAVAILABLE_AFTER_WORK)
    await click(backend, "gold")
    workspace.faults[LIST].extend([Fault.UNAVAILABLE] * 20)
    await backend.elapse(DEGRADED_AFTER_S * 4)
    workspace.heal()
    await backend.elapse(20)
    workspace.faults[CANCEL].append(Fault.UNAVAILABLE)
    await backend.during(backend.http.post(f"{RUNS}/{workspace.all_started[-1][0]}/cancel"))
    workspace.expired = True
    await backend.during(backend.http.post(TRIGGER, json={"layer": "bronze"}))


def envelopes_of(address: str, text: str) -> list[dict[str, Any]]:
    """What a client of the transport reads out of what was sent."""
    if address == "/ws":
        return [json.loads(line) for line in text.split("\n")]
    if address == "/api/events/poll":
        body = json.loads(text)
        assert set(body) == {"epoch", "events"}
        assert all(event["epoch"] == body["epoch"] for event in body["events"])
        return list(body["events"])
    events = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            [identity], [data] = [
                [line.partition(": ")[2] for line in lines if line.startswith(f"{name}:")] for name in ("id", "data")
            ]
            assert len(lines) == 2
            events.append(json.loads(data))
            assert identity == f"{events[-1]['epoch']}:{events[-1]['seq']}"
    return events


async def sent_by_websocket(backend: DrivenBackend, after: int | None) -> str:
    """The text frames of a connection, one after the other."""
    query = b"" if after is None else f"after={after}".encode()
    scope = {
        "type": "websocket", "path": "/ws", "raw_path": b"/ws", "query_string": query, "root_path": "", "scheme": "ws",
        "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "subprotocols": [], "asgi": {"version": "3.0"},
    }  # fmt: skip
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    frames: list[str] = []

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            frames.append(message["text"])

    incoming.put_nowait({"type": "websocket.connect"})
    assert backend.app is not None
    serving = asyncio.ensure_future(backend.app(scope, incoming.get, send))
    await backend.settle()
    incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await serving
    return "\n".join(frames)


async def sent_by_server_sent_events(backend: DrivenBackend, after: int | None) -> str:
    query = b"" if after is None else f"after={after}".encode()
    scope = {
        "type": "http", "method": "GET", "path": "/api/events", "raw_path": b"/api/events", "query_string": query,
        "root_path": "", "scheme": "http", "http_version": "1.1", "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "asgi": {"version": "3.0"},
    }  # fmt: skip
    leaves, asked, chunks = asyncio.Event(), asyncio.Event(), []

    async def receive() -> dict[str, Any]:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        chunks.append(message.get("body", b""))

    assert backend.app is not None
    serving = asyncio.ensure_future(backend.app(scope, receive, send))
    await backend.settle()
    leaves.set()
    await serving
    return b"".join(chunks).decode()


async def sent_by_long_poll(backend: DrivenBackend, after: int | None) -> str:
    query = {"wait_s": 0} | ({} if after is None else {"after": after})
    return (await backend.during(backend.http.get("/api/events/poll", params=query))).text


SENT = {
    "/ws": sent_by_websocket,
    "/api/events": sent_by_server_sent_events,
    "/api/events/poll": sent_by_long_poll,
}


async def everything_sent(folder: Path) -> dict[str, list[dict[str, Any]]]:
    clock = ManualClock()
    workspace = SimulatedWorkspace(lambda: round(clock.now().timestamp() * 1000))
    ended_before(workspace, clock)
    backend = DrivenBackend(folder, workspace, clock)
    await backend.start()
    await story(backend, workspace)
    sent = {}
    for address, ask in SENT.items():
        sent[address] = [one for after in (0, None) for one in envelopes_of(address, await ask(backend, after))]
    await backend.kill()
    return sent


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Everything that each transport sends of one eventful life: the log from its beginning, and a snapshot."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        return runner.run(everything_sent(tmp_path_factory.mktemp("sent")))


def test_the_document_names_the_three_transports() -> None:
    assert CHANNELS.keys() == SENT.keys()


@pytest.mark.parametrize("address", SENT)
def test_what_a_transport_sends_is_of_its_document_and_every_message_is_sent(
    sent: dict[str, list[dict[str, Any]]], address: str
) -> None:
    for envelope in sent[address]:
        errors = [
            f"{error.instance_path}: {error.message}"
            for error in validator(address, envelope["type"]).iter_errors(envelope)
        ]
        assert not errors, (envelope["type"], errors[:3])
    assert len({envelope["type"] for envelope in sent[address]}) == len(CHANNELS[address]["messages"])


def test_all_transports_send_the_same(sent: dict[str, list[dict[str, Any]]]) -> None:
    assert sent["/ws"] == sent["/api/events"] == sent["/api/events/poll"]
