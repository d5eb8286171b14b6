"""The description of the stream names what is really sent."""

from pathlib import Path
from typing import Any

import yaml

from app.api.event_models import EVENT_MODELS
from app.api.events import LONGEST_WAIT_S
from app.domain import events

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docs" / "asyncapi.yaml").read_text())
MESSAGES = DOCUMENT["components"]["messages"]


def test_every_type_of_event_is_described_once_with_its_schema() -> None:
    described = {message["name"]: message["payload"]["$ref"].rpartition("/")[2] for message in MESSAGES.values()}
    modelled = {model.model_fields["type"].annotation.__args__[0]: model.__name__ for model in EVENT_MODELS}
    assert described == modelled
    assert set(described) == {
        events.SUBMITTING, events.STARTED, events.PROGRESS, events.COMPLETED, events.FAILED, events.ADOPTED,
        events.CANCELING, events.WORKSPACE_STATUS, events.LAKE_UPDATED, events.SNAPSHOT,
    }  # fmt: skip


def test_all_transports_carry_all_messages_under_the_same_positions() -> None:
    channels = DOCUMENT["channels"]
    assert {channel["address"] for channel in channels.values()} == {"/ws", "/api/events", "/api/events/poll"}
    for channel in channels.values():
        assert set(channel["messages"]) == set(MESSAGES)
    operations = DOCUMENT["operations"]
    poll = operations["followByLongPoll"]["bindings"]["http"]["query"]["properties"]
    positions = [
        channels["websocket"]["bindings"]["ws"]["query"]["properties"],
        operations["followByServerSentEvents"]["bindings"]["http"]["query"]["properties"],
        {name: poll[name] for name in poll if name != "wait_s"},
    ]
    assert [set(position) for position in positions] == [{"after", "epoch", "run_id"}] * 3
    assert poll["wait_s"]["maximum"] == LONGEST_WAIT_S
