"""The workspace, put together: storage, store, compute, scheduler and the routes of every API module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from local_workspace.api import catalog as catalog_api
from local_workspace.api import clusters as clusters_api
from local_workspace.api import dbfs, faults, files, identity, jobs, run_page, runs, workspace
from local_workspace.api import sql as sql_api
from local_workspace.api.clusters import ClustersApi
from local_workspace.api.identity import Identity
from local_workspace.api.jobs import JobsApi
from local_workspace.api.runs import RunsApi
from local_workspace.clock import Clock, SystemClock
from local_workspace.compute.cluster import NewPool, Pool
from local_workspace.compute.clusters import Clusters
from local_workspace.engine.catalog import Catalog
from local_workspace.engine.nursery import Nursery
from local_workspace.engine.pool import WorkerPool
from local_workspace.engine.sql_executor import SqlExecutor
from local_workspace.faults.middleware import FaultMiddleware
from local_workspace.faults.pools import with_faults
from local_workspace.faults.switchboard import Switchboard
from local_workspace.notebooks.export import render_html
from local_workspace.objects.service import WorkspaceObjects
from local_workspace.objects.source import notebook_source
from local_workspace.runs.links import RunLinks
from local_workspace.runs.reading import RunReading
from local_workspace.runs.scheduler import Scheduler
from local_workspace.runs.starting import Starter
from local_workspace.runs.stopping import Lifecycle
from local_workspace.runs.task_runner import Place, TaskRunner
from local_workspace.security import Guard
from local_workspace.server.errors import HANDLERS
from local_workspace.settings import Settings
from local_workspace.sql.statements import SqlService
from local_workspace.sql.warehouse import Warehouse, warehouse_id
from local_workspace.storage import Storage
from local_workspace.store.clusters import ClusterStore
from local_workspace.store.database import Database
from local_workspace.store.ids import Ids
from local_workspace.store.jobs import JobStore
from local_workspace.store.runs import RunStore

# Loopback only, but without the token: what a client asks before it has one, and the run page, which has its own key.
OPEN_PATHS = frozenset({"/", "/favicon.ico", "/api/local/health", faults.NOTICE_PATH})
OPEN_PREFIXES = ("/.well-known/", "/api/local/runs/", "/runs/", "/static/")

Part = tuple[list[BaseRoute], AbstractAsyncContextManager[object]]


def build(settings: Settings, *, token: str, new_pool: NewPool | None = None) -> Starlette:
    """The ASGI application over the data directory of `settings`; its lifespan starts and stops everything it owns.

    `new_pool` makes the worker pool of a cluster; without it clusters run notebooks in worker processes.
    """
    storage, clock = Storage(settings.data_dir), SystemClock()
    catalog = Catalog(storage)
    nursery = Nursery(storage, settings.spark_remote)
    database = Database(settings.home / "workspace.db")
    user = Identity(settings.workspace_user, database.workspace_id(), settings.host)
    links = RunLinks(host=settings.host, workspace_id=user.workspace_id, token=token, clock=clock)
    switchboard = Switchboard(clock)
    make_pool = with_faults(new_pool or _worker_pools(nursery, settings.workspace_warm_workers), switchboard, clock)
    parts: list[Part] = [
        _running(settings, storage, database, clock, user, links, make_pool),
        _querying(nursery, database, clock, user),
    ]
    routes: list[BaseRoute] = [
        *identity.routes(user),
        *workspace.routes(WorkspaceObjects(storage, database.engine, clock)),
        *files.routes(storage),
        *dbfs.routes(storage),
        *catalog_api.routes(catalog, user.user_name),
        *faults.routes(switchboard),
    ]
    for more, _life in parts:
        routes += more

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(database.close)
            stack.push_async_callback(nursery.stop)
            if new_pool is None:
                nursery.begin()  # a stopped cluster then starts in the time that an engine takes
            for _routes, life in parts:
                await stack.enter_async_context(life)
            yield

    guard = Middleware(
        Guard, token=token, workspace_id=user.workspace_id, open_paths=OPEN_PATHS, open_prefixes=OPEN_PREFIXES
    )
    going_wrong = Middleware(FaultMiddleware, switchboard=switchboard, clock=clock)
    return Starlette(routes=routes, middleware=[guard, going_wrong], exception_handlers=HANDLERS, lifespan=lifespan)


def _running(
    settings: Settings,
    storage: Storage,
    database: Database,
    clock: Clock,
    user: Identity,
    links: RunLinks,
    new_pool: NewPool,
) -> Part:
    """Jobs, runs and clusters."""
    minutes = settings.autotermination_minutes
    ids, cluster_store = Ids(clock, above=database.highest_id()), ClusterStore(database, clock)
    clusters = Clusters(cluster_store, new_pool=new_pool, clock=clock, autotermination_minutes=minutes)
    runs_dir = settings.home / "runs"
    place = Place(user.workspace_id, settings.host, user.user_name, runs_dir)
    run_store, job_store = RunStore(database), JobStore(database)
    scheduler = Scheduler(run_store, TaskRunner(clusters, place, _locator(storage)), clock, ids)
    reading = RunReading(run_store, links, runs_dir)
    starter = Starter(
        jobs=job_store, runs=run_store, scheduler=scheduler, clock=clock, ids=ids, user_name=user.user_name
    )
    lifecycle = Lifecycle(jobs=job_store, runs=run_store, scheduler=scheduler, clock=clock, ids=ids)
    cluster_calls = ClustersApi(clusters, cluster_store, user_name=user.user_name, autotermination_minutes=minutes)
    routes: list[BaseRoute] = [
        *jobs.routes(JobsApi(job_store, clock=clock, ids=ids, user_name=user.user_name)),
        *runs.routes(RunsApi(starter, lifecycle, reading, links, render_html)),
        *clusters_api.routes(cluster_calls),
        *run_page.routes(reading, links),
    ]

    @asynccontextmanager
    async def life() -> AsyncIterator[None]:
        async with clusters.running(), scheduler.running(last_written_ms=database.last_written_ms):
            yield

    return routes, life()


def _querying(nursery: Nursery, database: Database, clock: Clock, user: Identity) -> Part:
    """SQL warehouses and statements."""
    warehouse = Warehouse(SqlExecutor(nursery))
    service = SqlService(warehouse, clock, warehouse_id=warehouse_id(database), owner=user.user_name)
    routes: list[BaseRoute] = [*sql_api.routes(service)]
    return routes, service


def _worker_pools(nursery: Nursery, size: int) -> NewPool:
    def new_pool() -> Pool:
        return WorkerPool(nursery=nursery, size=size)

    return new_pool


def _locator(storage: Storage) -> Callable[[str], str | None]:
    """The canonical path of a notebook that exists, or None."""

    def locate(path: str) -> str | None:
        try:
            return notebook_source(storage, path).path
        except (LookupError, ValueError, OSError):
            return None

    return locate
