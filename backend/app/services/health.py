"""Whether the parts of the backend work, each told apart."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.domain.clock import Clock, iso
from app.services.current_workspace import WorkspaceState
from app.services.metrics import Metrics
from app.services.replica import Replica
from app.services.stream import EventHub
from app.services.tracking import Pulse
from app.store import events, submissions
from app.store.engine import Database

log = structlog.get_logger()

STORE_WITHIN_S = 5.0
# A round may take long where the workspace answers slowly; every call of it has a time-out of its own.
ROUND_WITHIN_S = 60.0


class CurrentState(Protocol):
    """How the workspace is doing."""

    def status(self) -> WorkspaceState: ...

    @property
    def leader_heard(self) -> bool: ...


class Polling(Protocol):
    """How the poller is doing."""

    def pulse(self) -> Pulse: ...


@dataclass(frozen=True, slots=True)
class StoreView:
    """What the store told at this moment; None: it did not answer."""

    unpublished: int
    in_doubt: int
    waiting: dict[str, int]


class Health:
    """Readiness and the metrics' samples. Each part has `ok`, a `state` in one word, and a `detail` for people."""

    def __init__(
        self,
        *,
        database: Database,
        hub: EventHub,
        workspace: CurrentState,
        replica: Replica,
        poller: Polling,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._database = database
        self._hub = hub
        self._workspace = workspace
        self._replica = replica
        self._poller = poller
        self._metrics = metrics
        self._clock = clock

    async def check(self) -> tuple[bool, dict[str, Any]]:
        """(ready, checks). Ready as long as the store is usable: without the workspace pages are still served, and
        clicks are kept.
        """
        store = await self._store()
        checks = {
            "store": _store_check(store),
            "workspace": self._workspace_check(),
            "poller": self._poller_check(),
            "lag": self._lag_check(store),
            "submissions": _submissions_check(store),
        }
        return store is not None, checks

    async def render_metrics(self) -> bytes:
        """The counters in the Prometheus text format."""
        store = await self._store()
        if store is not None:
            self._metrics.sample(
                backlog_events=self._hub.deepest_backlog(),
                unpublished=store.unpublished,
                in_doubt=store.in_doubt,
                waiting=store.waiting,
            )
        return self._metrics.render()

    def _workspace_check(self) -> dict[str, Any]:
        state = self._workspace.status()
        at = state.last_known_at
        return {
            "ok": state.state == "ok",
            "state": state.state,
            "detail": state.detail,
            "last_answer_at": iso(at) if at else None,
            "age_s": round((self._clock.now() - at).total_seconds(), 3) if at else None,
        }

    def _poller_check(self) -> dict[str, Any]:
        """Whether it goes round, whatever the workspace answers; `here` or on the replica that leads."""
        replica = self._replica
        told = self._round_check() if replica.leading else self._elsewhere()
        return {"here": replica.leading, "replica": replica.replica_id, "leader": replica.leader_id, **told}

    def _elsewhere(self) -> dict[str, Any]:
        leader = self._replica.leader_id
        if leader is None:
            return _not_here("waiting", "No replica has told yet that it leads.")
        if not self._workspace.leader_heard:
            return _not_here("stalled", f"Replica {leader} led and is not heard any more.")
        return _not_here("following", f"Replica {leader} leads and polls.", ok=True)

    def _round_check(self) -> dict[str, Any]:
        pulse = self._poller.pulse()
        if pulse.ended_ago_s is None:
            return {"ok": False, "state": "waiting", "detail": "No round has ended in this process yet.", "age_s": None}
        ago_s = round(pulse.ended_ago_s, 3)
        if ago_s > pulse.pause_s + ROUND_WITHIN_S:
            return {"ok": False, "state": "stalled", "detail": f"No round has ended for {ago_s:.0f} s.", "age_s": ago_s}
        return {"ok": True, "state": "ok", "detail": None, "age_s": ago_s}

    def _lag_check(self, store: StoreView | None) -> dict[str, Any]:
        """How far clients are behind the log, and the log behind the workspace (at the last change it told)."""
        behind = None if store is None else store.unpublished
        states = {None: "unknown", 0: "ok"}
        lag_s = self._metrics.last_lag_s
        return {
            "ok": behind == 0,
            "state": states.get(behind, "behind"),
            "detail": f"{behind} events are in the log but not published yet." if behind else None,
            "unpublished_events": behind,
            "slowest_client_events": self._hub.deepest_backlog(),
            "last_change_to_event_s": None if lag_s is None else round(lag_s, 3),
        }

    async def _store(self) -> StoreView | None:
        try:
            async with asyncio.timeout(STORE_WITHIN_S), self._database.read() as db:
                head = await events.head(db)
                in_doubt = await submissions.in_doubt_count(db)
                waiting = await submissions.open_counts(db)
        except (SQLAlchemyError, OSError) as fault:  # OSError: also the time-out
            log.error("store_unusable", error=type(fault).__name__)
            return None
        return StoreView(max(0, head.seq - self._hub.head_seq), in_doubt, waiting)


def _not_here(state: str, detail: str, *, ok: bool = False) -> dict[str, Any]:
    return {"ok": ok, "state": state, "detail": detail, "age_s": None}


def _store_check(store: StoreView | None) -> dict[str, Any]:
    if store is None:
        return {"ok": False, "state": "unusable", "detail": "The store did not answer; the log names the error."}
    return {"ok": True, "state": "ok", "detail": None}


def _submissions_check(store: StoreView | None) -> dict[str, Any]:
    if store is None:
        return {"ok": False, "state": "unknown", "detail": None, "in_doubt": None}
    words = f"{store.in_doubt} were sent and not answered yet; they are sent again with the same token."
    in_doubt = {"in_doubt": store.in_doubt}
    if store.in_doubt:
        return {"ok": False, "state": "in_doubt", "detail": words, **in_doubt}
    return {"ok": True, "state": "ok", "detail": None, **in_doubt}
