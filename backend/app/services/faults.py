"""The fault switchboard of the local workspace, for demonstrations and training: its rules are passed on, not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from app.domain.errors import InvalidRequest, NoFaultSwitchboard, NotFound, WorkspaceRejected
from app.services.journal import Journal
from app.store import audit

PATH = "/api/local/faults"


class SwitchboardApi(Protocol):
    """The calls this module makes."""

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]: ...

    async def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> dict[str, Any]: ...

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
        body = await self._noted("set_faults", requested_by, rules)
        with _refusals_in_its_words():
            return await self._workspace.put(PATH, body)

    async def add(self, rules: Sequence[Mapping[str, Any]], *, requested_by: str) -> dict[str, Any]:
        """Set these rules beside the others, whose counters go on. Raises InvalidRequest as `replace` does."""
        body = await self._noted("add_faults", requested_by, rules)
        with _refusals_in_its_words():
            return await self._workspace.post(PATH, body)

    async def clear(self, rule_id: str | None, *, requested_by: str) -> dict[str, Any]:
        """Switch one fault off, or all. Raises NotFound."""
        self._expect_local()
        await self._note("clear_faults", requested_by, {"id": rule_id} if rule_id else None)
        try:
            return await self._workspace.delete(PATH, {"id": rule_id} if rule_id else None)
        except WorkspaceRejected as fault:
            if fault.status != 404:
                raise
            raise NotFound(fault.message) from fault

    def _expect_local(self) -> None:
        if not self._is_local:
            raise NoFaultSwitchboard("Only the local workspace lets things go wrong on purpose.")

    async def _noted(self, action: str, who: str, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The body of a call that sets rules, once the audit trail has it."""
        self._expect_local()
        body = {"rules": [dict(rule) for rule in rules]}
        await self._note(action, who, body)
        return body

    async def _note(self, action: str, who: str, what: Mapping[str, Any] | None) -> None:
        async with self._journal.transaction() as transaction:
            await audit.write(
                transaction.db, at=transaction.now, who=who, action=action, subject="local workspace", what=what
            )


@contextmanager
def _refusals_in_its_words() -> Iterator[None]:
    """What the workspace does not allow is the caller's mistake, not a fault between us and it."""
    try:
        yield
    except WorkspaceRejected as fault:
        if fault.status != 400:
            raise
        raise InvalidRequest(fault.message) from fault
