"""The parts of the running application that routes need, as dependencies. `main` puts them into `app.state`."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.services.metrics import Metrics
from app.services.stream import EventHub


def hub_of(connection: HTTPConnection) -> EventHub:
    """The event hub."""
    return cast(EventHub, connection.app.state.hub)


def metrics_of(connection: HTTPConnection) -> Metrics:
    """The counters."""
    return cast(Metrics, connection.app.state.metrics)


Hub = Annotated[EventHub, Depends(hub_of)]
Counted = Annotated[Metrics, Depends(metrics_of)]
