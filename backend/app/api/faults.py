"""The local workspace's fault switchboard, for administrators."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.errors import ErrorBody
from app.api.parts import Requester, expect_admin
from app.services.faults import FaultSwitchboard

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody},
    403: {"model": ErrorBody},
    404: {"model": ErrorBody, "description": "The workspace is no local one"},
    422: {"model": ErrorBody},
    503: {"model": ErrorBody},
}
PATH = "/api/local/faults"
MAX_RULES = 50
router = APIRouter(tags=["faults"], responses=ERRORS, dependencies=[Depends(expect_admin)])


class FaultRule(BaseModel):
    """What goes wrong, at which call, how often. The local workspace says what is allowed."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=64)
    call: str | None = Field(None, max_length=300, description="A name, or a method and a path in which * is anything")
    count: int | None = Field(1, description="How often it fires; null for any number")
    skip: int = Field(0, description="So many matching calls pass before")
    for_s: float | None = Field(None, description="How long it may fire; null for no end")
    probability: float = 1.0
    seed: int = 0
    parameters: dict[str, str | float] = Field(default_factory=dict, max_length=10)


class FaultRules(BaseModel):
    rules: list[FaultRule] = Field(max_length=MAX_RULES)


class SetFault(FaultRule):
    """A rule in force with its counters."""

    id: str
    seen: int = Field(description="Matching calls while it was active")
    hits: int = Field(description="Faults that have taken effect")
    active: bool = Field(description="Whether it may fire yet")


class FaultPreset(BaseModel):
    name: str
    title: str
    meaning: str
    rule: FaultRule


class Faults(BaseModel):
    rules: list[SetFault]
    presets: list[FaultPreset]


def _switchboard(request: Request) -> FaultSwitchboard:
    return cast(FaultSwitchboard, request.app.state.faults)


Switchboard = Annotated[FaultSwitchboard, Depends(_switchboard)]


@router.get(PATH, response_model=Faults)
async def list_faults(switchboard: Switchboard) -> JSONResponse:
    """What goes wrong on purpose now, how often it has, and what may be switched on."""
    return _answer(await switchboard.report())


@router.put(PATH, response_model=Faults)
async def set_faults(body: FaultRules, switchboard: Switchboard, requester: Requester) -> JSONResponse:
    """Replace all rules."""
    return _answer(await switchboard.replace(_rules(body), requested_by=requester))


@router.post(PATH, response_model=Faults)
async def add_faults(body: FaultRules, switchboard: Switchboard, requester: Requester) -> JSONResponse:
    """Add rules to those in force."""
    return _answer(await switchboard.add(_rules(body), requested_by=requester))


@router.delete(PATH, response_model=Faults)
async def clear_faults(
    switchboard: Switchboard,
    requester: Requester,
    id: Annotated[str | None, Query(max_length=40, description="One rule; without it all")] = None,
) -> JSONResponse:
    """Switch faults off."""
    return _answer(await switchboard.clear(id, requested_by=requester))


def _rules(body: FaultRules) -> list[dict[str, Any]]:
    return [rule.model_dump(exclude_unset=True) for rule in body.rules]


def _answer(told: dict[str, Any]) -> JSONResponse:
    return JSONResponse({"rules": told.get("rules") or [], "presets": told.get("presets") or []})
