"""What a click would do, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from app.domain.clock import Clock
from app.domain.errors import WorkspaceError
from app.domain.layers import LAYER_TABLES, TASK_LAYER, Layer
from app.services.current_workspace import CurrentWorkspace
from app.services.eta import EtaService
from app.services.journal import Journal
from app.services.targets import Targets

log = structlog.get_logger()

CLUSTER_COUNTS_S = 5.0
STARTED_STATES = frozenset({"RUNNING", "RESIZING", "RESTARTING"})


class ClusterApi(Protocol):
    """The call this module makes."""

    async def get_cluster(self, cluster_id: str) -> dict[str, Any]: ...


class PendingClaims(Protocol):
    """How many claims wait for a layer, as far as known."""

    async def pending_count(self, layer: str) -> int | None: ...


class Preview:
    """Claims, tables, cluster and time of a click. Asks the workspace for the cluster's state at most now and then."""

    def __init__(
        self,
        *,
        journal: Journal,
        current: CurrentWorkspace,
        targets: Targets,
        eta: EtaService,
        workspace: ClusterApi,
        pending: PendingClaims,
        catalog: str,
    ) -> None:
        self._journal = journal
        self._clock: Clock = journal.clock
        self._current = current
        self._targets = targets
        self._eta = eta
        self._workspace = workspace
        self._pending = pending
        self._catalog = catalog
        self._cluster: tuple[float, str | None] | None = None

    async def of(self, layer: Layer, tasks: Sequence[str], claim_ids: Sequence[str]) -> dict[str, Any]:
        """`claims` is null where it is not known yet, `cluster` where the compute is not a named cluster."""
        first = TASK_LAYER[tasks[0]]
        claims = len(claim_ids) if claim_ids else await self._pending.pending_count(first.value)
        cluster = await self._cluster_state()
        async with self._journal.read() as db:
            warm = None if cluster is None else cluster == "warm"
            eta = await self._eta.for_click(db, self._current.workspace_id, ",".join(tasks), warm=warm, claims=claims)
        return {
            "layer": layer.value,
            "tasks": list(tasks),
            "claims": claims,
            "tables": [f"{self._catalog}.{one}.{table}" for one in _layers(tasks) for table in LAYER_TABLES[one]],
            "cluster": cluster,
            "eta": eta.as_json() if eta else None,
        }

    async def _cluster_state(self) -> str | None:
        now = self._clock.monotonic()
        if self._cluster is None or now - self._cluster[0] > CLUSTER_COUNTS_S:
            self._cluster = (now, await self._ask_cluster())
        return self._cluster[1]

    async def _ask_cluster(self) -> str | None:
        try:
            await self._targets.for_poll()
            cluster_id = self._targets.cluster_id
            if cluster_id is None:
                return None
            state = (await self._workspace.get_cluster(cluster_id)).get("state")
        except WorkspaceError as fault:
            log.info("cluster_state_unknown", code=fault.code)
            return None
        return "warm" if state in STARTED_STATES else "cold"


def _layers(tasks: Sequence[str]) -> list[Layer]:
    return [TASK_LAYER[task] for task in tasks]
