"""The fault switchboard of the local workspace, for demonstrations and training: its rules are passed on, not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.domain.errors import InvalidRequest, NoFaultSwitchboard, WorkspaceRejected
from app.services.journal import Journal
from app.store import audit

PATH = "/api/local/faults"


class SwitchboardApi(Protocol):
    """The calls this module makes."""

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]: ...

    async def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]: ...

    async def delete(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]: ...


class FaultSwitchboard:
    """Reads and sets the local workspace's faults; every change is in the audit trail. A Databricks has none."""

    def __init__(self, *, workspace: SwitchboardApi, journal: Journal, kind: str) -> None:
        self._workspace = workspace
        self._journal = journal
        self._is_local = kind == "local"

    async def report(self) -> dict[str, Any]:
        """The rules with their counters, and what may be set. Raises NoFaultSwitchboard, WorkspaceError."""
        self._expect_local()
        return await self._workspace.get(PATH)

    async def replace(self, rules: Sequence[Mapping[str, Any]], *, requested_by: str) -> dict[str, Any]:
        """Set these rules in the place of all. Raises InvalidRequest where the workspace refuses them."""
        self._expect_local()
        await self._note("set_faults", requested_by, {"rules": [dict(rule) for rule in rules]})
        try:
            return await self._workspace.put(PATH, {"rules": [dict(rule) for rule in rules]})
        except WorkspaceRejected as fault:
            if fault.status != 400:
                raise
            raise InvalidRequest(fault.message) from fault

    async def clear(self, *, requested_by: str) -> dict[str, Any]:
        """Switch all faults off."""
        self._expect_local()
        await self._note("clear_faults", requested_by, None)
        return await self._workspace.delete(PATH)

    def _expect_local(self) -> None:
        if not self._is_local:
            raise NoFaultSwitchboard("Only the local workspace lets things go wrong on purpose.")

    async def _note(self, action: str, who: str, what: Mapping[str, Any] | None) -> None:
        async with self._journal.transaction() as transaction:
            await audit.write(
                transaction.db, at=transaction.now, who=who, action=action, subject="local workspace", what=what
            )
