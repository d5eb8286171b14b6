"""Makes every object of the application; each receives the values it uses, never the settings."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connection import WorkspaceConnection
from app.domain.clock import Clock, SystemClock
from app.domain.events import Envelope
from app.domain.runs import RunRecord
from app.services.acceptance import Acceptance
from app.services.actions import RunActions
from app.services.adoption import Adoption
from app.services.call_gate import CallGate
from app.services.checkpoints import keep_log_short
from app.services.current_workspace import CurrentWorkspace
from app.services.databricks import DatabricksWorkspace
from app.services.eta import EtaService
from app.services.event_log import Retention, StoredLog
from app.services.failed_attempts import FailedAttempts
from app.services.faults import FaultSwitchboard
from app.services.health import Health
from app.services.history import RunHistory
from app.services.insights import Insights
from app.services.journal import Journal
from app.services.lake import LakeState
from app.services.lake_reader import LakeReader
from app.services.lake_refresh import LakeRefresher
from app.services.lake_view import LakeView
from app.services.landing import LandingZone
from app.services.loops import Loops
from app.services.metrics import Metrics
from app.services.pace import Pace
from app.services.preview import Preview
from app.services.recording import RunRecorder
from app.services.replica import Ears, Loop, Replica, SoleReplica
from app.services.retrying import RetryPolicy
from app.services.right_of_way import RightOfWay
from app.services.run_listing import RunListing
from app.services.sending import Sender
from app.services.snapshot import SnapshotContents, Snapshots
from app.services.stream import EventHub
from app.services.submission import Ledger
from app.services.targets import Parameters, Targets
from app.services.task_details import TaskDetails
from app.services.tracing import Tracing
from app.services.tracking import OnRunFinished, Tracker
from app.settings import DATABRICKS_POLL_INTERVAL_S, LOCAL_POLL_INTERVAL_S, Settings
from app.store import events as event_store
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade

WORKSPACE_THREADS = 4
# How often an open page may have the landing zone listed again.
RELIST_LOCAL_S = 2.0
RELIST_DATABRICKS_S = 30.0
# How long a workspace that does not answer is left alone at most.
LOCAL_BREAKER_S = 4.0
DATABRICKS_BREAKER_S = 30.0
# How long clicks wait for a workspace that is being prepared at most.
PREPARED_WITHIN_S = 60.0
KPI_DEFINITIONS = Path(__file__).parents[2] / "docs" / "kpis.md"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time and chance."""

    clock: Clock = field(default_factory=SystemClock)
    dice: random.Random = field(default_factory=random.Random)


@dataclass(frozen=True, slots=True)
class Base:
    """What everything else stands on."""

    settings: Settings
    connection: WorkspaceConnection
    replica: Replica
    journal: Journal
    workspace: DatabricksWorkspace
    current: CurrentWorkspace
    metrics: Metrics
    endless: Loops
    right_of_way: RightOfWay
    dice: random.Random


async def assemble(
    app: FastAPI,
    settings: Settings,
    connection: WorkspaceConnection,
    stack: AsyncExitStack,
    surroundings: Surroundings,
) -> list[Any]:
    """Make every object, put those that routes need into `app.state`, and return the loops to run.

    Most of them run on one replica only: polling, sending and housekeeping are the leader's.
    """
    clock, metrics = surroundings.clock, Metrics()
    endless = Loops(clock=clock, on_fault=metrics.loop_failed)
    tracing: Tracing = app.state.tracing
    database = await _open_store(settings.store_url, stack)
    executor = stack.enter_context(ThreadPoolExecutor(WORKSPACE_THREADS, thread_name_prefix="workspace"))
    workspace = DatabricksWorkspace(
        host=connection.host,
        config=connection.sdk_config,
        executor=executor,
        clock=clock,
        on_call=metrics.workspace_called,
        gate=CallGate(
            clock,
            longest_open_s=LOCAL_BREAKER_S if connection.kind == "local" else DATABRICKS_BREAKER_S,
            on_refused=metrics.workspace_call_refused,
            dice=surroundings.dice,
        ),
        transport=connection.transport,
    )
    stack.push_async_callback(workspace.aclose)
    app.state.workspace, app.state.metrics, app.state.database, app.state.clock = workspace, metrics, database, clock

    def publish(envelopes: Sequence[Envelope]) -> None:
        app.state.hub.publish(envelopes)

    replica = _replica(database, clock)
    journal = Journal(database=database, clock=clock, replica=replica, publish=publish, tracing=tracing)
    current = CurrentWorkspace(
        workspace=workspace, journal=journal, replica=replica, kind=connection.kind, name=connection.name
    )
    await current.recall()
    way = RightOfWay(clock)
    base = Base(settings, connection, replica, journal, workspace, current, metrics, endless, way, surroundings.dice)
    watch = partial(current.watch, endless)
    trim = Retention(database, clock).run
    loops: list[Loop] = [*_lake(app, base), *_pipeline(app, base), watch, trim]
    if database.file is not None:
        loops.append(partial(keep_log_short, database.file, clock, endless))
    hub = EventHub(StoredLog(database), Snapshots(database, clock, _snapshot_contents(app)), clock)
    await hub.start()
    app.state.hub, app.state.journal, app.state.current = hub, journal, current
    app.state.faults = FaultSwitchboard(workspace=workspace, journal=journal, kind=connection.kind)
    app.state.health = Health(
        database=database,
        hub=hub,
        workspace=current,
        replica=replica,
        poller=app.state.tracker,
        metrics=metrics,
        clock=clock,
    )
    return [hub.run(), replica.run(loops, _ears(app), current.news)]


def _replica(database: Database, clock: Clock) -> Replica:
    """SQLite is this process's own; a PostgreSQL may have others on it."""
    if database.engine.dialect.name == "sqlite":
        return SoleReplica()
    from app.services.elected_replica import ElectedReplica  # and with it PostgreSQL's library

    return ElectedReplica(database=database, clock=clock, replica_id=uuid4().hex)


def _ears(app: FastAPI) -> Ears:
    state = app.state

    def ledger() -> None:
        state.sender.wake()
        state.actions.wake()

    def leads() -> None:
        state.current.begin_to_lead()
        state.eta.forget()

    return Ears(
        events=state.hub.catch_up,
        decided=state.acceptance.notify,
        ledger=ledger,
        workspace=state.current.hear,
        leads=leads,
    )


def _lake(app: FastAPI, base: Base) -> list[Loop]:
    """What reads the lake and the landing zone, and what shows it."""
    settings, journal, current, workspace = base.settings, base.journal, base.current, base.workspace
    leading = journal.for_leader()
    catalog = settings.petinsure_catalog
    reader = LakeReader(
        workspace=workspace,
        catalog=catalog,
        warehouse_id=settings.databricks_warehouse_id,
        right_of_way=base.right_of_way,
    )
    figures = Insights(journal=journal, workspace=current, reader=reader)
    zone = LandingZone(
        files=workspace,
        workspace=current,
        journal=journal,
        catalog=catalog,
        landing_path=settings.petinsure_landing_path,
        on_change=base.replica.relayed("claim_landed", lambda: app.state.lake.claim_landed()),
    )
    app.state.relist = base.replica.relayed("relist", lambda: app.state.lake.wanted())
    app.state.zone, app.state.insights, app.state.kpi_definitions = zone, figures, KPI_DEFINITIONS
    app.state.lake_view = LakeView(journal=journal, workspace=current, catalog=catalog)
    app.state.lake = LakeState(
        journal=leading,
        workspace=current,
        refresher=LakeRefresher(
            journal=leading, workspace=current, reader=reader, on_gold_changed=figures.gold_changed
        ),
        zone=zone,
        catalog=catalog,
        relist_every_s=RELIST_LOCAL_S if base.connection.kind == "local" else RELIST_DATABRICKS_S,
    )
    return [partial(app.state.lake.run, base.endless)]


def _pipeline(app: FastAPI, base: Base) -> list[Loop]:
    """Ledger, poller and what reads them."""
    settings, journal, current, workspace = base.settings, base.journal, base.current, base.workspace
    leading, endless = journal.for_leader(), base.endless
    eta = EtaService(journal=journal, replica=base.replica, pending_in=app.state.lake_view.pending_in)
    acceptance = Acceptance(eta=eta, metrics=base.metrics)
    policy = RetryPolicy(deadline_s=settings.petinsure_submit_deadline_s, dice=base.dice)
    targets = Targets(
        workspace=workspace,
        clock=journal.clock,
        mode=settings.pipeline_mode,
        job_id=settings.databricks_job_id,
        notebook_root=settings.databricks_notebook_root,
        cluster_id=settings.databricks_cluster_id,
    )
    parameters = Parameters(
        catalog=settings.petinsure_catalog,
        landing_path=settings.petinsure_landing_path,
        control_path=settings.petinsure_control_path,
    )
    details = TaskDetails(workspace=workspace, clock=journal.clock, control_path=parameters.control_path)

    def run_ended() -> None:
        sender.wake()

    pace = Pace(journal.clock, _poll_interval_s(settings, base.connection), dice=base.dice)
    recorder = RunRecorder(
        journal=leading,
        details=details,
        acceptance=acceptance,
        eta=eta,
        metrics=base.metrics,
        on_run_ended=run_ended,
        pace=pace,
    )
    tracker = Tracker(
        journal=leading,
        current=current,
        targets=targets,
        listing=RunListing(workspace=workspace),
        recorder=recorder,
        adoption=Adoption(journal=leading, details=details),
        pace=pace,
        metrics=base.metrics,
    )
    sender = Sender(
        journal=leading,
        workspace=workspace,
        current=current,
        targets=targets,
        parameters=parameters,
        acceptance=acceptance,
        watcher=tracker,
        failures=FailedAttempts(journal=leading, targets=targets, seeker=tracker, policy=policy, metrics=base.metrics),
    )
    actions = RunActions(
        journal=journal,
        workspace=workspace,
        current=current,
        acceptance=acceptance,
        watcher=tracker,
        policy=policy,
    )
    app.state.wake_poller = base.replica.relayed("poll", tracker.wake)
    app.state.tracker, app.state.actions = tracker, actions
    app.state.acceptance, app.state.sender, app.state.eta = acceptance, sender, eta
    app.state.ledger = Ledger(
        journal=journal,
        current=current,
        acceptance=acceptance,
        sender=sender,
        right_of_way=base.right_of_way,
        deadline_s=policy.deadline_s,
    )
    app.state.history = RunHistory(journal=journal, current=current, workspace=workspace)
    app.state.preview = Preview(
        journal=journal,
        current=current,
        targets=targets,
        eta=eta,
        workspace=workspace,
        pending=app.state.lake_view,
        catalog=settings.petinsure_catalog,
    )

    async def send() -> None:
        if base.connection.prepared is not None:
            # A run of what is not there yet would fail, or find nothing; without end nobody is to wait for it.
            await journal.clock.wait(base.connection.prepared, PREPARED_WITHIN_S)
        await sender.run(endless)

    async def clicks_first(_ended: RunRecord) -> None:
        await base.right_of_way.give_way()

    hooks: list[OnRunFinished] = [clicks_first, eta.learn_anew, app.state.lake.on_run_finished]
    return [
        partial(tracker.run, endless),
        partial(tracker.run_hooks, endless, hooks),
        send,
        partial(actions.run, endless),
        partial(eta.warm_up, lambda: current.workspace_id),
    ]


def _snapshot_contents(app: FastAPI) -> SnapshotContents:
    async def contents(db: AsyncConnection) -> dict[str, Any]:
        return {
            "runs": await app.state.history.snapshot_runs(db),
            "layers": await app.state.lake_view.layers(db),
            "workspace": app.state.current.status().as_json(),
        }

    return contents


async def _open_store(url: str, stack: AsyncExitStack) -> Database:
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    database = Database(create_engine(url))
    stack.push_async_callback(database.dispose)
    await upgrade(database.engine)
    async with database.write() as db:
        await event_store.begin_log(db, epoch=uuid4().hex)
    return database


def _poll_interval_s(settings: Settings, connection: WorkspaceConnection) -> float:
    default = LOCAL_POLL_INTERVAL_S if connection.kind == "local" else DATABRICKS_POLL_INTERVAL_S
    return connection.poll_interval_s or settings.pipeline_poll_interval_s or default
