"""Whether the parts of the backend work, each told apart."""

from __future__ import annotations

from typing import Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.domain.clock import Clock, iso
from app.services.current_workspace import WorkspaceState
from app.services.metrics import Metrics
from app.services.stream import EventHub
from app.store import events, submissions
from app.store.engine import Database

log = structlog.get_logger()


class CurrentState(Protocol):
    """How the workspace is doing."""

    def status(self) -> WorkspaceState: ...


class Health:
    """Readiness and the metrics' samples."""

    def __init__(
        self, *, database: Database, hub: EventHub, workspace: CurrentState, metrics: Metrics, clock: Clock
    ) -> None:
        self._database = database
        self._hub = hub
        self._workspace = workspace
        self._metrics = metrics
        self._clock = clock

    async def check(self) -> tuple[bool, dict[str, Any]]:
        """(ready, checks). An outage of the workspace is told but does not make us unready: pages are still served."""
        store_ok, unpublished, in_doubt = await self._store()
        state = self._workspace.status()
        seen_at = state.last_known_at
        checks = {
            "store": {"ok": store_ok},
            "workspace": {"ok": state.state == "ok", "state": state.state, "detail": state.detail},
            "poller": {
                "ok": state.state == "ok",
                "last_answer_at": iso(seen_at) if seen_at else None,
                "age_s": round((self._clock.now() - seen_at).total_seconds(), 3) if seen_at else None,
            },
            "lag": {
                "ok": unpublished == 0,
                "unpublished_events": unpublished,
                "slowest_client_events": self._hub.deepest_backlog(),
            },
            "submissions": {"ok": in_doubt == 0, "in_doubt": in_doubt},
        }
        return store_ok and not self._hub.closing, checks

    async def render_metrics(self) -> bytes:
        """The counters in the Prometheus text format."""
        _, _, in_doubt = await self._store()
        self._metrics.sample(backlog_events=self._hub.deepest_backlog(), in_doubt=in_doubt or 0)
        return self._metrics.render()

    async def _store(self) -> tuple[bool, int | None, int | None]:
        """(reachable, events that are in the log but not yet published, submissions in doubt)."""
        try:
            async with self._database.read() as db:
                head = await events.head(db)
                in_doubt = await submissions.in_doubt_count(db)
        except SQLAlchemyError as fault:
            log.error("store_unreachable", error=type(fault).__name__)
            return False, None, None
        return True, max(0, head.seq - self._hub.head_seq), in_doubt
