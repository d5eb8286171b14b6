"""The life of one cluster: a pool of warm workers that starts on demand and frees its memory when nobody uses it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import structlog

from local_workspace.clock import Clock
from local_workspace.engine.tasks import NoWorker, TaskOutcome, TaskRequest

log = structlog.get_logger(__name__)


class ClusterFailed(Exception):
    """The cluster could not start, or ended while a task was using it."""


class Pool(Protocol):
    """Warm workers that run notebooks; see local_workspace.engine.pool."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def run(self, request: TaskRequest, started: Callable[[], None]) -> TaskOutcome: ...

    def kill_worker(self, task_run_id: int) -> bool: ...


NewPool = Callable[[], Pool]
Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(slots=True)
class ClusterRecord:
    """What is kept of a cluster. Times are epoch milliseconds."""

    cluster_id: str
    spec: dict[str, Any]
    source: str
    created: int
    state: str = "TERMINATED"
    state_message: str = ""
    start_time: int = 0
    terminated_time: int = 0
    last_activity_time: int = 0
    spark_context_id: int = 0
    termination_reason: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return asdict(self)


class Journal(Protocol):
    """Where a cluster's states and events are kept; hidden clusters keep none."""

    def save(self, record: ClusterRecord) -> None: ...

    def event(self, cluster_id: str, kind: str, details: dict[str, Any]) -> None: ...


class Cluster:
    """PENDING -> RUNNING -> TERMINATING -> TERMINATED and back; one transition at a time.

    Waiting for a start can be given up without stopping the start, since others may wait for it too.
    """

    def __init__(
        self, record: ClusterRecord, *, new_pool: NewPool, journal: Journal, clock: Clock, spawn: Spawn
    ) -> None:
        self.record = record
        self._new_pool = new_pool
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._pool: Pool | None = None
        self._transition: asyncio.Task[None] | None = None
        self._idling: asyncio.Task[None] | None = None
        self._fault = ""
        self._users = 0

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """A running cluster that does not terminate for inactivity while it is held.

        Raises: ClusterFailed when it cannot start.
        """
        self._users += 1
        self._stop_idling()
        try:
            await self.ensure_running()
            assert self._pool is not None
            yield Lease(self, self._pool)
        finally:
            self._users -= 1
            self._touch()

    async def ensure_running(self) -> None:
        """Return when the cluster is RUNNING, starting it if need be. Raises: ClusterFailed."""
        while self.record.state != "RUNNING":
            if self.record.state == "TERMINATED":
                self.start()
            starting = self.record.state != "TERMINATING"
            assert self._transition is not None
            await asyncio.wait({self._transition})
            if starting and self.record.state != "RUNNING":
                raise ClusterFailed(f"Cluster {self.record.cluster_id} could not be started: {self._fault}")

    def start(self, kind: str = "STARTING") -> None:
        """Begin to start a TERMINATED cluster."""
        self._fault = ""
        self.record.start_time = self._clock.now_ms()
        self._enter("PENDING", kind, message="Starting Spark")
        self._transition = self._spawn(self._starting())

    def restart(self) -> None:
        """Begin to replace every worker of a RUNNING cluster. Tasks that use it fail."""
        self._stop_idling()
        self._enter("RESTARTING", "RESTARTING", message="Restarting Spark")
        self._transition = self._spawn(self._restarting())

    async def terminate(self, code: str, parameters: dict[str, str] | None = None) -> None:
        """Stop every worker and return when they are gone. Idempotent."""
        if self.record.state == "TERMINATED":
            return
        if self.record.state != "TERMINATING":
            self.begin_termination(code, parameters)
        assert self._transition is not None
        await asyncio.wait({self._transition})

    def begin_termination(self, code: str, parameters: dict[str, str] | None = None) -> None:
        """Begin to stop; the state is TERMINATING at once."""
        self._stop_idling()
        starting, self._transition = self._transition, None
        self._fault = self._fault or "it was terminated"
        self.record.termination_reason = {"code": code, "type": _TYPES[code], "parameters": parameters or {}}
        self._enter("TERMINATING", "TERMINATING", reason=self.record.termination_reason)
        self._transition = self._spawn(self._terminating(starting))

    async def _starting(self) -> None:
        pool = self._pool = self._new_pool()
        try:
            await pool.start()
        except Exception as fault:  # whatever stops the engine is told to those who wait for it
            log.warning("cluster_start_failed", cluster_id=self.record.cluster_id, exc_info=fault)
            await self._failed(pool, fault)
            return
        self.record.spark_context_id = secrets.randbelow(2**53)
        self._enter("RUNNING", "RUNNING")
        self._journal.event(self.record.cluster_id, "DRIVER_HEALTHY", {})
        self._touch()

    async def _failed(self, pool: Pool, fault: Exception) -> None:
        self._fault = str(fault) if isinstance(fault, NoWorker) else f"{type(fault).__name__}: {fault}"
        self.record.termination_reason = {
            "code": "SPARK_STARTUP_FAILURE", "type": "SERVICE_FAULT", "parameters": {"message": self._fault},
        }  # fmt: skip
        self._enter("TERMINATING", "TERMINATING", reason=self.record.termination_reason)
        self._pool = None
        await self._stopped(pool)
        self._ended()

    async def _restarting(self) -> None:
        if self._pool is not None:
            await self._stopped(self._pool)
        await self._starting()

    async def _terminating(self, starting: asyncio.Task[None] | None) -> None:
        if starting is not None and not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        pool, self._pool = self._pool, None
        if pool is not None:
            await self._stopped(pool)
        self._ended()

    async def _stopped(self, pool: Pool) -> None:
        """Stop a pool; one that fails even at that must not keep the cluster from ending."""
        try:
            await pool.stop()
        except Exception:
            log.exception("cluster_pool_not_stopped", cluster_id=self.record.cluster_id)

    def _ended(self) -> None:
        self.record.terminated_time = self._clock.now_ms()
        self.record.state = "TERMINATED"
        reason = self.record.termination_reason
        self.record.state_message = str(reason.get("parameters", {}).get("message") or reason.get("code", ""))
        self._journal.save(self.record)

    def _enter(self, state: str, kind: str, *, message: str = "", reason: dict[str, Any] | None = None) -> None:
        self.record.state, self.record.state_message = state, message
        self._journal.save(self.record)
        self._journal.event(self.record.cluster_id, kind, {"reason": reason} if reason else {})

    def _touch(self) -> None:
        """Note activity; from now on the time of inactivity counts, if nobody uses the cluster."""
        self.record.last_activity_time = self._clock.now_ms()
        minutes = int(self.record.spec.get("autotermination_minutes", 0))
        if self._users == 0 and minutes > 0 and self.record.state == "RUNNING":
            self._stop_idling()
            self._idling = self._spawn(self._idle(minutes))

    async def _idle(self, minutes: int) -> None:
        await self._clock.sleep(minutes * 60)
        self._idling = None
        self.begin_termination("INACTIVITY", {"inactivity_duration_min": str(minutes)})

    def _stop_idling(self) -> None:
        if self._idling is not None:
            self._idling.cancel()
            self._idling = None


class Lease:
    """The right to run tasks on a running cluster."""

    def __init__(self, cluster: Cluster, pool: Pool) -> None:
        self._cluster = cluster
        self._pool = pool

    @property
    def cluster_id(self) -> str:
        return self._cluster.record.cluster_id

    @property
    def spark_context_id(self) -> int:
        return self._cluster.record.spark_context_id

    async def run(self, request: TaskRequest, started: Callable[[], None]) -> TaskOutcome:
        """Run one task; `started` is called when its notebook begins.

        Raises: ClusterFailed when the cluster was stopped meanwhile, or has no worker for the task.
        """
        try:
            outcome = await self._pool.run(request, started)
        except NoWorker as fault:
            self._expect_running()
            raise ClusterFailed(f"Cluster {self.cluster_id} has no worker for the task: {fault}") from fault
        if outcome.status == "crashed":
            self._expect_running()
        return outcome

    def _expect_running(self) -> None:
        if self._cluster.record.state != "RUNNING":
            raise ClusterFailed(f"Cluster {self.cluster_id} was terminated while the task was using it.")


_TYPES = {"USER_REQUEST": "SUCCESS", "INACTIVITY": "SUCCESS", "JOB_FINISHED": "SUCCESS", "WORKSPACE_STOPPED": "SUCCESS"}
