"""Putting the notebooks, the job and the places they need into a workspace.

Deploying again changes only what differs, and never overwrites what somebody edited in the workspace unless told to:
what was written at the last deployment is remembered, as hashes, in `<notebook root>/.petinsure360/deployment.json`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from app.domain.errors import WorkspaceRejected
from app.services.job_definition import job_settings
from app.services.targets import JOB_TAG

log = structlog.get_logger()

SCHEMAS = ("bronze", "silver", "gold")
LOCAL_CLUSTER_NAME = "PetInsure360"
LOCAL_CLUSTER_AUTOTERMINATION_MINUTES = 10


class WorkspaceApi(Protocol):
    """The plain calls this module makes; `services.databricks.DatabricksWorkspace` has them."""

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]: ...
    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]: ...
    async def find_job_by_tag(self, name: str, value: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What goes where."""

    source: Path  # the folder that holds notebooks/ and resources/
    notebook_root: str
    catalog: str
    landing_path: str
    control_path: str
    cluster_id: str | None = None  # compute of the job's tasks; None = serverless
    local_cluster: bool = False  # make (once) and use an all-purpose cluster: the local workspace's compute
    force: bool = False


@dataclass(frozen=True, slots=True)
class DeploymentReport:
    """What a deployment did. `kept`: objects edited in the workspace and therefore left as they are."""

    job_id: int
    written: tuple[str, ...]
    kept: tuple[str, ...]
    job_changed: bool


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One notebook or file of the checkout and the workspace path it belongs at."""

    path: str
    text: str
    is_notebook: bool


@dataclass(slots=True)
class _Manifest:
    """Hashes at the last deployment: of our source, and of what the workspace then gave back for it."""

    source: dict[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    job: str = ""


def source_objects(source: Path, root: str) -> Iterator[SourceObject]:
    """The three notebooks, then the package they import. Tests are not deployed."""
    notebooks = source / "notebooks"
    for file in sorted(notebooks.glob("0*.py")):
        yield SourceObject(f"{root}/{file.stem}", file.read_text(), True)
    for file in sorted((notebooks / "medallion").rglob("*.py")):
        yield SourceObject(f"{root}/{file.relative_to(notebooks).as_posix()}", file.read_text(), False)


class Deployment:
    """Deploys one plan to one workspace. Safe to repeat and to interrupt: every step looks before it writes."""

    def __init__(self, api: WorkspaceApi, plan: DeploymentPlan) -> None:
        self._api = api
        self._plan = plan
        self._manifest_path = f"{plan.notebook_root}/.petinsure360/deployment.json"

    async def deploy(self) -> DeploymentReport:
        """Create or update everything; raises WorkspaceError where the workspace refuses."""
        await self._ensure_places()
        manifest = await self._read_manifest()
        written, kept = await self._write_sources(manifest)
        job_id, job_changed = await self._ensure_job(manifest)
        if written or job_changed:
            await self._write_manifest(manifest)
        log.info("deployment_finished", job_id=job_id, written=len(written), kept=len(kept), job_changed=job_changed)
        return DeploymentReport(job_id, tuple(written), tuple(kept), job_changed)

    # Places: catalog, schemas, volumes -----------------------------------------------------------------------------

    async def _ensure_places(self) -> None:
        catalog = self._plan.catalog
        await self._ensure("catalogs", catalog, {"name": catalog})
        for schema in SCHEMAS:
            await self._ensure("schemas", f"{catalog}.{schema}", {"name": schema, "catalog_name": catalog})
        for path in (self._plan.landing_path, self._plan.control_path):
            await self._ensure_volume(path)

    async def _ensure_volume(self, path: str) -> None:
        parts = path.strip("/").split("/")
        if len(parts) < 4 or parts[0] != "Volumes":
            return  # a mount or a cloud address: whoever configured it made it
        _, catalog, schema, volume = parts[:4]
        await self._ensure("catalogs", catalog, {"name": catalog})
        await self._ensure("schemas", f"{catalog}.{schema}", {"name": schema, "catalog_name": catalog})
        body = {"name": volume, "catalog_name": catalog, "schema_name": schema, "volume_type": "MANAGED"}
        await self._ensure("volumes", f"{catalog}.{schema}.{volume}", body)

    async def _ensure(self, kind: str, full_name: str, body: dict[str, str]) -> None:
        if await self._find(f"/api/2.1/unity-catalog/{kind}/{full_name}") is None:
            await self._api.post(f"/api/2.1/unity-catalog/{kind}", body)

    async def _find(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        try:
            return await self._api.get(path, query)
        except WorkspaceRejected as refusal:
            if refusal.status == 404:
                return None
            raise

    # Notebooks and files -------------------------------------------------------------------------------------------

    async def _write_sources(self, manifest: _Manifest) -> tuple[list[str], list[str]]:
        written: list[str] = []
        kept: list[str] = []
        folders: set[str] = set()
        for item in source_objects(self._plan.source, self._plan.notebook_root):
            present = await self._exported_hash(item.path)
            if present is not None and self._is_up_to_date(manifest, item, present):
                manifest.source[item.path], manifest.exported[item.path] = _hash(item.text), present
                continue
            if present is not None and not self._plan.force and present != manifest.exported.get(item.path):
                kept.append(item.path)
                log.warning("deployment_kept_edited_object", path=item.path)
                continue
            await self._import(item, folders)
            written.append(item.path)
            manifest.source[item.path] = _hash(item.text)
            manifest.exported[item.path] = await self._exported_hash(item.path) or ""
        return written, kept

    @staticmethod
    def _is_up_to_date(manifest: _Manifest, item: SourceObject, present: str) -> bool:
        if present == _hash(item.text):
            return True
        return manifest.source.get(item.path) == _hash(item.text) and manifest.exported.get(item.path) == present

    async def _import(self, item: SourceObject, folders: set[str]) -> None:
        folder = item.path.rsplit("/", 1)[0]
        if folder not in folders:
            await self._api.post("/api/2.0/workspace/mkdirs", {"path": folder})
            folders.add(folder)
        form = {"format": "SOURCE", "language": "PYTHON"} if item.is_notebook else {"format": "AUTO"}
        await self._api.post(
            "/api/2.0/workspace/import", {"path": item.path, "content": _base64(item.text), "overwrite": True, **form}
        )

    async def _exported_hash(self, path: str) -> str | None:
        """The hash of what the workspace holds at the path, or None where there is nothing."""
        text = await self._export(path)
        return None if text is None else _hash(text)

    async def _export(self, path: str) -> str | None:
        exported = await self._find("/api/2.0/workspace/export", {"path": path, "format": "AUTO"})
        return None if exported is None else base64.b64decode(exported.get("content", "")).decode()

    # The job -------------------------------------------------------------------------------------------------------

    async def _ensure_job(self, manifest: _Manifest) -> tuple[int, bool]:
        settings = job_settings(
            self._plan.source / "resources" / "medallion.job.yml",
            notebook_root=self._plan.notebook_root,
            cluster_id=await self._local_cluster_id() if self._plan.local_cluster else self._plan.cluster_id,
            parameters={
                "catalog": self._plan.catalog,
                "landing_path": self._plan.landing_path,
                "control_path": self._plan.control_path,
            },
        )
        digest = _hash(json.dumps(settings, sort_keys=True))
        job_id = await self._api.find_job_by_tag(*JOB_TAG)
        if job_id is not None and manifest.job == digest:
            return job_id, False
        manifest.job = digest
        if job_id is None:
            return int((await self._api.post("/api/2.2/jobs/create", settings))["job_id"]), True
        await self._api.post("/api/2.2/jobs/reset", {"job_id": job_id, "new_settings": settings})
        return job_id, True

    async def _local_cluster_id(self) -> str:
        listed = await self._api.get("/api/2.1/clusters/list")
        for cluster in listed.get("clusters", []):
            if cluster.get("cluster_name") == LOCAL_CLUSTER_NAME:
                return str(cluster["cluster_id"])
        created = await self._api.post(
            "/api/2.1/clusters/create",
            {
                "cluster_name": LOCAL_CLUSTER_NAME,
                "spark_version": "local",
                "node_type_id": "local",
                "num_workers": 0,
                "autotermination_minutes": LOCAL_CLUSTER_AUTOTERMINATION_MINUTES,
            },
        )
        return str(created["cluster_id"])

    # The manifest --------------------------------------------------------------------------------------------------

    async def _read_manifest(self) -> _Manifest:
        text = await self._export(self._manifest_path)
        if text is None:
            return _Manifest()
        try:
            stored = json.loads(text)
            return _Manifest(dict(stored["source"]), dict(stored["exported"]), str(stored["job"]))
        except (ValueError, KeyError, TypeError):
            log.warning("deployment_manifest_unreadable", path=self._manifest_path)
            return _Manifest()  # then everything that differs counts as edited, and nothing is overwritten

    async def _write_manifest(self, manifest: _Manifest) -> None:
        content = json.dumps({"source": manifest.source, "exported": manifest.exported, "job": manifest.job}, indent=1)
        await self._api.post("/api/2.0/workspace/mkdirs", {"path": self._manifest_path.rsplit("/", 1)[0]})
        await self._api.post(
            "/api/2.0/workspace/import",
            {"path": self._manifest_path, "content": _base64(content), "format": "AUTO", "overwrite": True},
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
