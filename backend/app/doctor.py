"""`petinsure360 doctor`: looks at settings, store, credentials, workspace, job and warehouse, and says what to fix."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from app.checkout import DASHBOARD
from app.domain.clock import SystemClock
from app.domain.errors import PipelineError
from app.domain.layers import NOTEBOOKS, TASK_KEYS
from app.main import WorkspaceConnection
from app.serve import connection_of, opened
from app.services.databricks import DatabricksWorkspace
from app.services.targets import JobTarget, Targets
from app.settings import Settings, SettingsFault, load
from app.store.engine import StoreUnusable, probe

PARAMETERS_THAT_MATTER = ("claim_ids", "submission_id", "batch_id", "as_of", "landing_path", "catalog")


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: what was looked at, whether it is well, and what it is or what to do."""

    subject: str
    well: bool
    text: str


async def examine(*, data_dir: Path, say: Callable[[str], None]) -> int:
    """Say every finding; 0 if all is well, else 1. Changes nothing."""
    try:
        settings = load(petinsure_data_dir=data_dir)
    except SettingsFault as fault:
        say(f"✕ settings: {fault}")
        return 1
    well = True
    async for finding in _findings(settings):
        say(f"{'✓' if finding.well else '✕'} {finding.subject}: {finding.text}")
        well = well and finding.well
    return 0 if well else 1


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding("settings", True, "read without a fault")
    built = (DASHBOARD / "index.html").exists()
    yield Finding("dashboard", built, "built" if built else "not built; `make setup` builds it")
    yield await _store(settings)
    try:
        connection = connection_of(settings)
    except FileNotFoundError:
        text = f"never started on {settings.petinsure_data_dir}; `make run` or `petinsure360 workspace` starts it"
        yield Finding("local workspace", False, text)
        return
    async with opened(connection) as workspace:
        async for finding in _workspace(settings, connection, workspace):
            yield finding


async def _store(settings: Settings) -> Finding:
    if settings.database_url is None and not (settings.petinsure_data_dir / "petinsure.db").exists():
        return Finding("store", True, "SQLite, made at the first start")
    try:
        return Finding("store", True, f"{await probe(settings.store_url)} answers")
    except StoreUnusable as fault:
        return Finding("store", False, str(fault))


async def _workspace(
    settings: Settings, connection: WorkspaceConnection, workspace: DatabricksWorkspace
) -> AsyncIterator[Finding]:
    try:
        identity = await workspace.identity()
    except PipelineError as fault:
        yield Finding(
            "workspace", False, f"{connection.host}: {fault.message} Check DATABRICKS_HOST and the credential"
        )
        return
    yield Finding("workspace", True, f"{connection.host} is workspace {identity.workspace_id}")
    yield await _job(settings, workspace)
    yield await _warehouse(settings, workspace)
    yield await _landing(settings, workspace)


async def _job(settings: Settings, workspace: DatabricksWorkspace) -> Finding:
    targets = Targets(
        workspace=workspace,
        clock=SystemClock(),
        mode=settings.pipeline_mode,
        job_id=settings.databricks_job_id,
        notebook_root=settings.databricks_notebook_root,
        cluster_id=settings.databricks_cluster_id,
    )
    try:
        target = await targets.for_click()
    except PipelineError as fault:
        return Finding(
            "job", False, f"{fault.message} Check DATABRICKS_JOB_ID, or unset it and run `petinsure360 deploy`"
        )
    if isinstance(target, JobTarget):
        return _mapping(target)
    if settings.pipeline_mode == "job":
        return Finding("job", False, "none is tagged petinsure360=pipeline; `petinsure360 deploy` makes it")
    return await _notebooks(settings, workspace)


def _mapping(target: JobTarget) -> Finding:
    missing = target.unmapped(TASK_KEYS)
    undeclared = [name for name in PARAMETERS_THAT_MATTER if target.declared and name not in target.declared]
    mapped = ", ".join(f"{NOTEBOOKS[task]} = {key}" for task, key in target.task_keys.items()) or "nothing"
    text = f"job {target.job_id} maps {mapped}"
    if missing:
        text += f"; no task runs {', '.join(NOTEBOOKS[task] for task in missing)}"
    if undeclared:
        text += f"; not declared and therefore not sent: {', '.join(undeclared)}"
    return Finding("job", not missing, text)


async def _notebooks(settings: Settings, workspace: DatabricksWorkspace) -> Finding:
    missing = []
    for name in NOTEBOOKS.values():
        path = f"{settings.databricks_notebook_root}/{name}"
        try:
            await workspace.get("/api/2.0/workspace/get-status", {"path": path})
        except PipelineError:
            missing.append(path)
    text = f"missing: {', '.join(missing)}; `petinsure360 deploy` puts them there" if missing else "all three are there"
    return Finding("notebooks", not missing, text)


async def _warehouse(settings: Settings, workspace: DatabricksWorkspace) -> Finding:
    try:
        listed = await workspace.list_warehouses()
    except PipelineError as fault:
        return Finding("SQL warehouse", False, f"{fault.message} The BI pages need one")
    wanted = settings.databricks_warehouse_id
    ids = [str(one.get("id")) for one in listed]
    if wanted and wanted not in ids:
        return Finding("SQL warehouse", False, f"{wanted} is not among those listed: {', '.join(ids) or 'none'}")
    if not ids:
        return Finding("SQL warehouse", False, "none is there; the BI pages stay empty until one is made")
    return Finding("SQL warehouse", True, f"{wanted or ids[0]} is used")


async def _landing(settings: Settings, workspace: DatabricksWorkspace) -> Finding:
    path = settings.petinsure_landing_path
    try:
        await workspace.list_directory(path)
    except PipelineError as fault:
        return Finding("landing zone", False, f"{path}: {fault.message} `petinsure360 deploy` makes the volume")
    return Finding("landing zone", True, f"{path} can be listed")
