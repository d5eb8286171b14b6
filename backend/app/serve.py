"""Running the whole product: the application, and beside it the local workspace unless DATABRICKS_HOST is set."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import structlog
import uvloop

from app import logs
from app.checkout import CHECKOUT
from app.connection import WorkspaceConnection, connection_to_databricks
from app.domain.clock import SystemClock
from app.domain.errors import PipelineError
from app.services.databricks import DatabricksWorkspace
from app.services.deployment import Deployment, DeploymentPlan
from app.services.first_start import FIRST_RUN_MARKER
from app.services.workspace_process import WorkspaceDidNotStart, WorkspaceProcess
from app.settings import Settings, SettingsFault, load
from app.store.engine import StoreUnusable, probe

log = structlog.get_logger()

LOCAL_NAME = "local workspace"
APPLICATION = "app.application"
EXIT_CANNOT_START = 2
Say = Callable[[str], None]


def run_server(*, host: str, port: int, data_dir: Path, say: Say) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the process's exit code."""
    masked = logs.Masked()
    logs.configure(masked=masked)
    try:
        settings = load(petinsure_data_dir=data_dir)
        for secret in settings.secrets:
            masked.add(secret)
        _refuse_open_address(host, settings)
        with _listen(host, port) as listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, host, listening, say, masked))
    except (SettingsFault, StoreUnusable, WorkspaceDidNotStart, _CannotListen) as fault:
        say(str(fault))
        return EXIT_CANNOT_START
    return 0


async def deploy_once(*, data_dir: Path, force: bool, say: Say) -> int:
    """`petinsure360 deploy`: to DATABRICKS_HOST, else to the local workspace that is running."""
    try:
        settings = load(petinsure_data_dir=data_dir)
        connection = connection_of(settings)
        async with opened(connection) as workspace:
            report = await Deployment(workspace, plan_of(settings, connection, force=force)).deploy()
    except (SettingsFault, PipelineError, FileNotFoundError) as fault:
        say(f"Not deployed: {fault}")
        return 1
    say(f"Job {report.job_id} on {connection.name}: {len(report.written)} objects written.")
    for path in report.kept:
        say(f"Kept as edited there: {path} (--force overwrites it)")
    return 1 if report.kept else 0


def connection_of(settings: Settings) -> WorkspaceConnection:
    """The workspace that the settings mean; the local one must have run (FileNotFoundError without its token)."""
    if settings.databricks_host:
        return connection_to_databricks(settings)
    process = WorkspaceProcess(data_dir=settings.petinsure_data_dir, port=settings.petinsure_workspace_port)
    return WorkspaceConnection(kind="local", name=LOCAL_NAME, host=process.host, token=process.token)


def plan_of(settings: Settings, connection: WorkspaceConnection, *, force: bool = False) -> DeploymentPlan:
    """What is deployed where, for these settings."""
    return DeploymentPlan(
        source=CHECKOUT,
        notebook_root=settings.databricks_notebook_root,
        catalog=settings.petinsure_catalog,
        landing_path=settings.petinsure_landing_path,
        control_path=settings.petinsure_control_path,
        cluster_id=settings.databricks_cluster_id,
        local_cluster=connection.kind == "local",
        force=force,
    )


@asynccontextmanager
async def opened(connection: WorkspaceConnection) -> AsyncIterator[DatabricksWorkspace]:
    """A client of the workspace for commands that run without the server."""
    with ThreadPoolExecutor(1) as executor:
        workspace = DatabricksWorkspace(
            host=connection.host, config=connection.sdk_config, executor=executor, clock=SystemClock()
        )
        try:
            yield workspace
        finally:
            await workspace.aclose()


async def _serve(settings: Settings, host: str, listening: socket.socket, say: Say, masked: logs.Masked) -> None:
    if not settings.store_url.startswith("sqlite:"):
        await probe(settings.store_url)
    address = f"http://{'127.0.0.1' if _is_loopback(host) else host}:{listening.getsockname()[1]}"
    if settings.databricks_host:
        connection = connection_to_databricks(settings)
        await _serve_application(settings, connection, host, listening, lambda: say(f"Dashboard: {address}"))
        return
    _mark_first_run(settings.petinsure_data_dir)
    # Beside each other: each takes a second of its own.
    importing = asyncio.create_task(asyncio.to_thread(import_module, APPLICATION))
    async with WorkspaceProcess(
        data_dir=settings.petinsure_data_dir, port=settings.petinsure_workspace_port
    ) as process:
        await importing
        masked.add(process.token)
        connection = WorkspaceConnection(
            kind="local", name=LOCAL_NAME, host=process.host, token=process.token, prepared=asyncio.Event()
        )
        told = f"Dashboard: {address}   local workspace: {process.host}"
        await _serve_application(settings, connection, host, listening, lambda: say(told))


async def _serve_application(
    settings: Settings,
    connection: WorkspaceConnection,
    host: str,
    listening: socket.socket,
    ready: Callable[[], None],
) -> None:
    from app.application import serve_application

    await serve_application(
        settings,
        connection,
        listening,
        host=host,
        loopback=_is_loopback(host),
        plan=plan_of(settings, connection),
        ready=ready,
    )


def _mark_first_run(data_dir: Path) -> None:
    """Remember, before anything is made, that this data directory is new."""
    data_dir.mkdir(parents=True, exist_ok=True)
    if not any((data_dir / name).exists() for name in ("petinsure.db", "workspace")):
        (data_dir / FIRST_RUN_MARKER).touch()


# Listening ----------------------------------------------------------------------------------------------


class _CannotListen(Exception):
    """The address cannot be served; the text says why and what to do."""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_open_address(host: str, settings: Settings) -> None:
    if not _is_loopback(host) and not settings.access_tokens:
        raise _CannotListen(
            f"Not listening on {host}: beyond loopback a sign-in is required. Set PETINSURE_API_TOKENS "
            "(name:role:token, comma-separated; roles viewer, operator, admin), or listen on 127.0.0.1."
        )


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket, made before anything is started, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as fault:
            raise _CannotListen(
                f"Cannot listen on {host}:{port}: {fault.strerror}. Is it served already? PORT=… takes another port."
            ) from fault
        yield listening
