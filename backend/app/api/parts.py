"""The parts of the running application that routes need, as dependencies. `main` puts them into `app.state`.

They are coroutines because the framework would run plain functions in a thread each, several for every request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection

from app.domain.access import Role
from app.domain.errors import RoleNotSufficient
from app.services.current_workspace import CurrentWorkspace
from app.services.eta import EtaService
from app.services.health import Health
from app.services.insights import Insights
from app.services.lake_view import LakeView
from app.services.landing import LandingZone
from app.services.metrics import Metrics
from app.services.stream import EventHub


async def hub_of(connection: HTTPConnection) -> EventHub:
    """The event hub."""
    return cast(EventHub, connection.app.state.hub)


async def metrics_of(connection: HTTPConnection) -> Metrics:
    """The counters."""
    return cast(Metrics, connection.app.state.metrics)


async def current_of(request: Request) -> CurrentWorkspace:
    """The workspace as we know it."""
    return cast(CurrentWorkspace, request.app.state.current)


async def relist_of(request: Request) -> Callable[[], None]:
    """Has the landing zone listed again soon, wherever that is done."""
    return cast(Callable[[], None], request.app.state.relist)


async def view_of(request: Request) -> LakeView:
    """What was read of the lake."""
    return cast(LakeView, request.app.state.lake_view)


async def zone_of(request: Request) -> LandingZone:
    """The landing zone."""
    return cast(LandingZone, request.app.state.zone)


async def insights_of(request: Request) -> Insights:
    """The figures of gold."""
    return cast(Insights, request.app.state.insights)


async def eta_of(request: Request) -> EtaService:
    """The estimates."""
    return cast(EtaService, request.app.state.eta)


async def health_of(request: Request) -> Health:
    """The probes."""
    return cast(Health, request.app.state.health)


async def requester_of(request: Request) -> str:
    """Who asks: the holder of the token, or on loopback whoever sits at the machine."""
    return str(getattr(request.state, "user", None) or "local")


async def expect_admin(request: Request) -> None:
    """Only administrators pass. Without sign-in, on loopback, whoever sits at the machine is one."""
    role = getattr(request.state, "role", Role.ADMIN)
    if role is not Role.ADMIN:
        raise RoleNotSufficient(f"The role {role} may not do this; it takes an admin.")


Hub = Annotated[EventHub, Depends(hub_of)]
Counted = Annotated[Metrics, Depends(metrics_of)]
CurrentPart = Annotated[CurrentWorkspace, Depends(current_of)]
RelistPart = Annotated[Callable[[], None], Depends(relist_of)]
ViewPart = Annotated[LakeView, Depends(view_of)]
ZonePart = Annotated[LandingZone, Depends(zone_of)]
InsightsPart = Annotated[Insights, Depends(insights_of)]
HealthPart = Annotated[Health, Depends(health_of)]
Requester = Annotated[str, Depends(requester_of)]
EtaPart = Annotated[EtaService, Depends(eta_of)]
