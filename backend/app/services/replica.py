"""This process as one of those that share the store: what only the leader does, and what they tell each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.events import Envelope

Loop = Callable[[], Coroutine[Any, Any, None]]


class NotLeading(Exception):
    """What only the leader may write was about to be written by a replica that no longer leads."""


@dataclass(frozen=True, slots=True)
class Ears:
    """What a replica does with the news of the others, and on the day it begins to lead."""

    events: Callable[[], Awaitable[None]]  # the log holds something new
    decided: Callable[[str], None]  # something was decided about this submission or action
    ledger: Callable[[], None]  # the ledger holds something new to send; asked of the leader only
    workspace: Callable[[Mapping[str, Any]], None]  # how the leader finds the workspace
    leads: Callable[[], None]  # from now on the loops run here


class Replica(Protocol):
    """One of the processes that serve one store."""

    @property
    def leading(self) -> bool:
        """Whether polling, sending and housekeeping are done here."""
        ...

    @property
    def replica_id(self) -> str | None:
        """This replica among those that share the store; None where there can be no other."""
        ...

    @property
    def leader_id(self) -> str | None:
        """Who leads, as far as this replica has heard."""
        ...

    async def check(self, db: AsyncConnection) -> None:
        """Raise NotLeading unless this replica leads, as of the open write transaction `db`."""
        ...

    async def announce(self, db: AsyncConnection, placed: Sequence[Envelope], decided: Collection[str]) -> None:
        """Tell the others, when `db` commits, about new events and about what was decided."""
        ...

    def relayed(self, topic: str, act: Callable[[], None]) -> Callable[[], None]:
        """A function that has the leader `act`, wherever it is called. It does not wait and may be forgotten."""
        ...

    async def run(self, loops: Sequence[Loop], ears: Ears, workspace: Callable[[], Mapping[str, Any]]) -> None:
        """Run the loops while leading, for ever; `workspace` is what a leader tells the others about it."""
        ...


class SoleReplica:
    """The only one: it leads always, and there is nobody to tell."""

    leading = True
    replica_id: str | None = None
    leader_id: str | None = None

    async def check(self, db: AsyncConnection) -> None:
        """It leads."""

    async def announce(self, db: AsyncConnection, placed: Sequence[Envelope], decided: Collection[str]) -> None:
        """Nobody hears."""

    def relayed(self, topic: str, act: Callable[[], None]) -> Callable[[], None]:
        """Here."""
        return act

    async def run(self, loops: Sequence[Loop], ears: Ears, workspace: Callable[[], Mapping[str, Any]]) -> None:
        """Run them."""
        ears.leads()
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop())
