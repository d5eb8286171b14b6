"""Which workspace answers at the configured address, and how it is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.domain.clock import iso
from app.domain.events import WORKSPACE_STATUS, EventDraft
from app.services.journal import Journal
from app.services.loops import Loops
from app.services.replica import Replica
from app.services.workspace_answers import Identity
from app.store import workspaces

log = structlog.get_logger()

DEGRADED_AFTER_S = 5.0
WATCH_INTERVAL_S = 0.5
NOBODY_POLLS = "No replica of the server has asked the workspace for some seconds."


class KnowsItself(Protocol):
    """A workspace that says which one it is."""

    host: str

    @property
    def answered_as(self) -> str | None: ...

    async def identity(self) -> Identity: ...


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """ok, degraded or unknown; `last_known_at` is when it last showed runs, or when the last process met it."""

    kind: str
    name: str
    state: str
    last_known_at: datetime | None
    detail: str | None

    def as_json(self) -> dict[str, Any]:
        """The form of status answers and events."""
        at = None if self.last_known_at is None else iso(self.last_known_at)
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "last_known_at": at,
            "detail": self.detail,
        }


class CurrentWorkspace:
    """Identity and health of the workspace.

    Degraded means that calls have been outstanding or failing for DEGRADED_AFTER_S, never before; runs keep their last
    known state meanwhile. A replica that does not lead makes no such calls; it repeats what the leader tells.
    """

    def __init__(
        self,
        *,
        workspace: KnowsItself,
        journal: Journal,
        replica: Replica,
        kind: str,
        name: str,
    ) -> None:
        self._workspace = workspace
        self._journal = journal
        self._leading = journal.for_leader()
        self._replica = replica
        self._clock = journal.clock
        self._kind = kind
        self._name = name
        self._identity: Identity | None = None
        self._first_seen_at: datetime | None = None
        self._last_known_at: datetime | None = None
        self._trouble_since: float | None = None
        self._trouble: str | None = None
        self._told: str = "unknown"
        self._heard: WorkspaceState | None = None
        self._heard_at = self._clock.monotonic()

    @property
    def workspace_id(self) -> str | None:
        """The id of the workspace, once it has answered (or from the last time it did)."""
        return self._identity.workspace_id if self._identity else None

    @property
    def known_id(self) -> str | None:
        """The id, if the workspace has told it in this process and has answered since; else it is to be asked for."""
        return self.workspace_id if self._first_seen_at is not None else None

    @property
    def first_seen_at(self) -> datetime | None:
        """When this store first met the workspace."""
        return self._first_seen_at

    async def recall(self) -> None:
        """Take the identity of the last time, so that history can be shown before the workspace answers."""
        async with self._journal.read(brief=True) as db:
            found = await workspaces.last_seen_at(db, self._workspace.host)
        if found is not None:
            self._identity = Identity(found[0], None)
            self._last_known_at = found[1]

    async def ensure(self) -> str:
        """The workspace's id, asked for at the first need in this process and when another seems to answer."""
        if self._identity is None or self._first_seen_at is None:
            return await self.verify()
        if self._workspace.answered_as not in (None, self._identity.workspace_id):
            return await self.verify()
        return self._identity.workspace_id

    async def verify(self) -> str:
        """The workspace's id, asked for now. Raises WorkspaceError."""
        identity = await self._workspace.identity()
        if self._identity is not None and self._identity.workspace_id != identity.workspace_id:
            log.warning("workspace_changed", before=self._identity.workspace_id, now=identity.workspace_id)
        async with self._journal.transaction(brief=True) as transaction:
            self._first_seen_at = await workspaces.seen(
                transaction.db, identity.workspace_id, host=self._workspace.host, at=transaction.now
            )
        self._identity = identity
        return identity.workspace_id

    def status(self) -> WorkspaceState:
        """How the workspace is doing now."""
        if not self._replica.leading:
            return self._as_heard()
        return WorkspaceState(self._kind, self._name, self._state(), self._last_known_at, self._detail())

    # Several replicas ------------------------------------------------------------------------------------------------

    def news(self) -> dict[str, Any]:
        """What the leader tells the other replicas."""
        return {"workspace_id": self.workspace_id, **self.status().as_json()}

    def hear(self, news: Mapping[str, Any]) -> None:
        """Take the leader's word."""
        at, workspace_id = news.get("last_known_at"), news.get("workspace_id")
        self._last_known_at = datetime.fromisoformat(at) if at else self._last_known_at
        self._heard = WorkspaceState(
            self._kind, self._name, str(news["state"]), self._last_known_at, news.get("detail")
        )
        self._heard_at = self._clock.monotonic()
        if workspace_id is not None and workspace_id != self.workspace_id:
            self._identity, self._first_seen_at = Identity(str(workspace_id), None), None

    def begin_to_lead(self) -> None:
        """From now on the word is ours; the workspace is asked anew who it is."""
        self._trouble_since, self._trouble, self._first_seen_at = None, None, None
        if self._heard is not None:
            self._told = self._heard.state

    @property
    def leader_heard(self) -> bool:
        """Whether the leader has told something lately; it does so every second."""
        return self._clock.monotonic() - self._heard_at < DEGRADED_AFTER_S

    def _as_heard(self) -> WorkspaceState:
        if not self.leader_heard:
            return WorkspaceState(self._kind, self._name, "degraded", self._last_known_at, NOBODY_POLLS)
        return self._heard or WorkspaceState(self._kind, self._name, "unknown", self._last_known_at, None)

    # The leader's calls ----------------------------------------------------------------------------------------------

    def calling(self) -> None:
        """A round of calls begins; should it stay unanswered, that counts as trouble from now on."""
        if self._trouble_since is None:
            self._trouble_since = self._clock.monotonic()
            self._trouble = None

    def answered(self) -> None:
        """The round was answered."""
        self._trouble_since, self._trouble = None, None
        self.showed_runs()

    def showed_runs(self) -> None:
        """It told about runs, in a round or to a single question; the latter alone ends no trouble of the rounds."""
        self._last_known_at = self._clock.now()

    def failed(self, reason: str) -> None:
        """The round failed."""
        self._trouble = reason
        if self._trouble_since is None:
            self._trouble_since = self._clock.monotonic()
        # Whoever answers next may be another workspace at the same address.
        self._first_seen_at = None

    async def watch(self, loops: Loops) -> None:
        """Tell everyone when the state changes."""
        await loops.for_ever("workspace_status", self._watch_round)

    async def _watch_round(self) -> None:
        await self.tell()
        await self._clock.sleep(WATCH_INTERVAL_S)

    async def tell(self) -> None:
        """Append `workspace_status` if the state differs from what was last told."""
        status = self.status()
        if status.state in {self._told, "unknown"}:
            return
        async with self._leading.transaction(brief=True) as transaction:
            await transaction.append([EventDraft(WORKSPACE_STATUS, status.as_json())])
        log.info("workspace_status_changed", state=status.state, detail=status.detail)
        self._told = status.state

    def _state(self) -> str:
        if self._trouble_since is not None and self._clock.monotonic() - self._trouble_since >= DEGRADED_AFTER_S:
            return "degraded"
        if self._trouble_since is not None:
            return self._told
        return "unknown" if self._last_known_at is None or self._first_seen_at is None else "ok"

    def _detail(self) -> str | None:
        if self._state() != "degraded":
            return None
        return self._trouble or "The workspace has not answered yet."
