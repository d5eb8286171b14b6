"""Every cluster of the workspace: those that people create, and the compute that tasks get without naming one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog

from local_workspace.clock import Clock
from local_workspace.compute.cluster import Cluster, ClusterFailed, ClusterRecord, Journal, Lease, NewPool
from local_workspace.store.clusters import ClusterStore, NoJournal

log = structlog.get_logger(__name__)

SERVERLESS = "serverless"


class UnknownCluster(LookupError):
    """No cluster has this id."""

    def __init__(self, cluster_id: str) -> None:
        super().__init__(f"Cluster {cluster_id} does not exist")


class Clusters:
    """The registry of clusters. Nothing runs outside `running()`, and nothing is left running after it."""

    def __init__(self, store: ClusterStore, *, new_pool: NewPool, clock: Clock, autotermination_minutes: int) -> None:
        self._store = store
        self._new_pool = new_pool
        self._clock = clock
        self._serverless_spec = {"autotermination_minutes": autotermination_minutes}
        self._group: asyncio.TaskGroup | None = None
        self._clusters: dict[str, Cluster] = {}
        self._hidden: dict[str, Cluster] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._restore()
            try:
                yield
            finally:
                await self._stop_all()

    def _restore(self) -> None:
        """Load the clusters of earlier lives; whatever ran then has ended with that life."""
        for record in self._store.all():
            if record.state != "TERMINATED":
                record.state, record.terminated_time = "TERMINATED", self._clock.now_ms()
                record.state_message = "The local workspace stopped."
                self._store.save(record)
            self._clusters[record.cluster_id] = self._cluster(record, self._store)

    async def _stop_all(self) -> None:
        everything = [*self._clusters.values(), *self._hidden.values()]
        await asyncio.gather(*(cluster.terminate("WORKSPACE_STOPPED") for cluster in everything))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._group is not None, "clusters run inside running()"
        task = self._group.create_task(_guarded(work))
        task.add_done_callback(lambda _: work.close())  # called off before its first step, it would be left behind
        return task

    def _cluster(self, record: ClusterRecord, journal: Journal) -> Cluster:
        return Cluster(record, new_pool=self._new_pool, journal=journal, clock=self._clock, spawn=self._spawn)

    # What the Clusters API does.

    def create(self, spec: dict[str, Any], source: str = "API") -> Cluster:
        """A new cluster, which begins to start at once as on Databricks."""
        now = self._clock.now_ms()
        stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%m%d-%H%M%S")
        record = ClusterRecord(f"{stamp}-{secrets.token_hex(4)}", spec, source, now)
        cluster = self._clusters[record.cluster_id] = self._cluster(record, self._store)
        cluster.start("CREATING")
        return cluster

    def get(self, cluster_id: str) -> Cluster:
        """Raises: UnknownCluster."""
        try:
            return self._clusters[cluster_id]
        except KeyError:
            raise UnknownCluster(cluster_id) from None

    def all(self) -> list[Cluster]:
        return list(self._clusters.values())

    def edit(self, cluster_id: str, spec: dict[str, Any]) -> None:
        """Replace the specification; a running cluster restarts with it."""
        cluster = self.get(cluster_id)
        cluster.record.spec = spec
        self._store.save(cluster.record)
        self._store.event(cluster_id, "EDITED", {})
        if cluster.record.state == "RUNNING":
            cluster.restart()

    async def delete(self, cluster_id: str) -> None:
        """Terminate a cluster and forget it."""
        cluster = self.get(cluster_id)
        del self._clusters[cluster_id]
        await cluster.terminate("USER_REQUEST")
        self._store.delete(cluster_id)

    # What tasks use.

    @asynccontextmanager
    async def lease(self, run_id: int, definition: dict[str, Any]) -> AsyncIterator[Lease]:
        """The compute that a task of a run names, started if need be.

        Raises: UnknownCluster, ClusterFailed.
        """
        async with self._for_task(run_id, definition).lease() as lease:
            yield lease

    def _for_task(self, run_id: int, definition: dict[str, Any]) -> Cluster:
        if definition.get("existing_cluster_id"):
            return self.get(definition["existing_cluster_id"])
        if definition.get("job_cluster_key"):
            return self._hidden_cluster(f"job-{run_id}-{definition['job_cluster_key']}", {})
        if definition.get("new_cluster"):
            return self._hidden_cluster(f"job-{run_id}-{definition['task_key']}", {})
        return self._hidden_cluster(SERVERLESS, self._serverless_spec)

    def _hidden_cluster(self, cluster_id: str, spec: dict[str, Any]) -> Cluster:
        if cluster_id not in self._hidden:
            record = ClusterRecord(cluster_id, spec, "JOB", self._clock.now_ms())
            self._hidden[cluster_id] = self._cluster(record, NoJournal())
        return self._hidden[cluster_id]

    def has_job_clusters(self, run_id: int) -> bool:
        return any(cluster_id.startswith(f"job-{run_id}-") for cluster_id in self._hidden)

    async def release(self, run_id: int) -> None:
        """Stop the job clusters of a run that has ended."""
        for cluster_id in [name for name in self._hidden if name.startswith(f"job-{run_id}-")]:
            await self._hidden.pop(cluster_id).terminate("JOB_FINISHED")


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """The fault of one cluster, such as a store that refuses, is not the end of the others and of the server."""
    try:
        await work
    except Exception:
        log.exception("cluster_transition_failed")


__all__ = ["SERVERLESS", "ClusterFailed", "Clusters", "UnknownCluster"]
