"""What a click is sent to: a job of the workspace (ours or somebody else's), or the notebooks themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from app.domain.clock import Clock
from app.domain.errors import TaskNotMappable, WorkspaceRejected
from app.domain.layers import NOTEBOOKS, TASK_KEYS, task_of_notebook

log = structlog.get_logger()

JOB_TAG = ("petinsure360", "pipeline")
LOOK_AGAIN_S = 5.0
JOB_COUNTS_S = 30.0
CLAIM_PARAMETERS = frozenset({"claim_ids", "claim_ids_path"})


class JobsApi(Protocol):
    """The calls this module makes."""

    async def get_job(self, job_id: int) -> dict[str, Any]: ...

    async def find_job_by_tag(self, name: str, value: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class JobTarget:
    """A job, read: which of its tasks run our notebooks, and which parameters it declares."""

    job_id: int
    task_keys: Mapping[str, str]  # our task -> the job's task_key
    all_keys: tuple[str, ...]
    declared: frozenset[str]
    cluster_id: str | None

    def only(self, tasks: Sequence[str]) -> tuple[str, ...]:
        """The job's keys of our tasks; empty = the whole job. Raises TaskNotMappable naming what is missing."""
        if tuple(tasks) == TASK_KEYS and len(self.task_keys) < len(TASK_KEYS):
            return ()  # "all" of a job we cannot read fully is the job as it is
        missing = self.unmapped(tasks)
        if missing:
            notebooks = ", ".join(NOTEBOOKS[task] for task in missing)
            raise TaskNotMappable(
                f"Job {self.job_id} has no task that runs {notebooks}.", job_id=self.job_id, unmapped=list(missing)
            )
        keys = tuple(self.task_keys[task] for task in tasks)
        return () if set(keys) == set(self.all_keys) else keys

    def shown_keys(self, tasks: Sequence[str]) -> tuple[str, ...]:
        """The job's keys that a click on our tasks runs, in order."""
        return self.only(tasks) or (
            tuple(self.task_keys[task] for task in tasks if task in self.task_keys) or self.all_keys
        )

    def unmapped(self, tasks: Sequence[str]) -> tuple[str, ...]:
        """Those of our tasks that no task of the job runs."""
        return tuple(task for task in tasks if task not in self.task_keys)


@dataclass(frozen=True, slots=True)
class NotebookTarget:
    """No job: runs/submit of the notebooks under `root`, on a cluster or serverless."""

    root: str
    cluster_id: str | None

    def tasks(self, tasks: Sequence[str], parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        """One submit task per notebook, each after the one before."""
        built: list[dict[str, Any]] = []
        for task in tasks:
            told = {**parameters, "task_key": "{{task.name}}"}
            notebook = {"notebook_path": f"{self.root}/{NOTEBOOKS[task]}", "base_parameters": told}
            one: dict[str, Any] = {"task_key": task, "notebook_task": notebook}
            if built:
                one["depends_on"] = [{"task_key": built[-1]["task_key"]}]
            if self.cluster_id:
                one["existing_cluster_id"] = self.cluster_id
            built.append(one)
        return built


@dataclass(frozen=True, slots=True)
class Parameters:
    """What every run is told, beside its claims."""

    catalog: str
    landing_path: str
    control_path: str
    references: Mapping[str, str] = field(
        default_factory=lambda: {"batch_id": "{{job.run_id}}", "as_of": "{{job.start_time.iso_date}}"}
    )

    def of(self, submission_id: str, *, claim_ids: str, claim_ids_path: str) -> dict[str, str]:
        """The values that differ from run to run, and the places."""
        return {
            "catalog": self.catalog,
            "landing_path": self.landing_path,
            "control_path": self.control_path,
            "claim_ids": claim_ids,
            "claim_ids_path": claim_ids_path,
            "submission_id": submission_id,
        }


class Targets:
    """Finds the target: DATABRICKS_JOB_ID, else the job with our tag, else the notebooks. A job is kept a while."""

    def __init__(
        self,
        *,
        workspace: JobsApi,
        clock: Clock,
        mode: str,
        job_id: int | None,
        notebook_root: str,
        cluster_id: str | None,
    ) -> None:
        self._workspace = workspace
        self._clock = clock
        self._mode = mode
        self._job_id = job_id
        self._notebooks = NotebookTarget(notebook_root, cluster_id)
        self._job: JobTarget | None = None
        self._looked_at: float | None = None

    async def for_click(self) -> JobTarget | NotebookTarget:
        """The target of a click. Raises WorkspaceError while the workspace cannot be asked."""
        return await self._find(patient=False)

    async def for_poll(self) -> JobTarget | NotebookTarget:
        """The target whose runs are watched; a missing job is looked for again only now and then."""
        return await self._find(patient=True)

    @property
    def cluster_id(self) -> str | None:
        """The cluster that a click would use, when it is a named one."""
        return self._job.cluster_id if self._job else self._notebooks.cluster_id

    def forget(self) -> None:
        """The job is gone or was changed: read it anew."""
        self._job, self._looked_at = None, None

    async def _find(self, *, patient: bool) -> JobTarget | NotebookTarget:
        if self._mode == "notebooks":
            return self._notebooks
        if not self._fresh(patient=patient):
            self._job = await self._read_job()
            self._looked_at = self._clock.monotonic()
        return self._job or self._notebooks

    def _fresh(self, *, patient: bool) -> bool:
        """A job counts for a while, longer for the poller; a missing one must be looked for at every click."""
        if self._looked_at is None:
            return False
        age_s = self._clock.monotonic() - self._looked_at
        if self._job is None:
            return patient and age_s < LOOK_AGAIN_S
        return patient or age_s < JOB_COUNTS_S

    async def _read_job(self) -> JobTarget | None:
        job_id = self._job_id or await self._workspace.find_job_by_tag(*JOB_TAG)
        if job_id is None:
            return None
        job = read_job(await self._workspace.get_job(job_id), cluster_id=self._notebooks.cluster_id)
        log.info("job_read", job_id=job.job_id, tasks=dict(job.task_keys), declared=sorted(job.declared))
        return job


def read_job(raw: Mapping[str, Any], *, cluster_id: str | None) -> JobTarget:
    """Map a job's tasks to ours by the notebook they run; by task_key where the notebook's name says nothing."""
    settings = raw.get("settings") or {}
    tasks: Sequence[Mapping[str, Any]] = settings.get("tasks") or []
    mapped: dict[str, str] = {}
    for task in tasks:
        ours = task_of_notebook((task.get("notebook_task") or {}).get("notebook_path"))
        if ours is not None:
            mapped.setdefault(ours, str(task["task_key"]))
    for task in tasks:
        key = str(task["task_key"])
        if key in TASK_KEYS and key not in mapped and key not in mapped.values():
            mapped[key] = key
    clusters = [str(task["existing_cluster_id"]) for task in tasks if task.get("existing_cluster_id")]
    return JobTarget(
        job_id=int(raw["job_id"]),
        task_keys=mapped,
        all_keys=tuple(str(task["task_key"]) for task in tasks),
        declared=frozenset(str(one["name"]) for one in settings.get("parameters") or []),
        cluster_id=clusters[0] if clusters else cluster_id,
    )


def split_parameters(
    target: JobTarget, wanted: Mapping[str, str], references: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """(job_parameters, notebook_params): declared names as the former; a job that declares none gets the latter.

    The API takes one or the other. A job that declares parameters, but not those that limit a run to chosen claims,
    would process everything: that is refused (TaskNotMappable).
    """
    if not target.declared:
        return {}, {**wanted, **references}
    missing = [name for name in sorted(CLAIM_PARAMETERS) if wanted.get(name) and name not in target.declared]
    if missing:
        raise TaskNotMappable(
            f"Job {target.job_id} does not declare the parameter {', '.join(missing)}, so that chosen claims cannot be"
            " passed to it.",
            job_id=target.job_id,
            missing_parameters=missing,
        )
    return {name: value for name, value in wanted.items() if name in target.declared}, {}


def is_gone(fault: WorkspaceRejected) -> bool:
    """Whether the refusal says that the job does not exist (any more)."""
    return fault.status == 404 or fault.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
