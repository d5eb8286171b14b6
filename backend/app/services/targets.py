"""What a click is sent to: a job of the workspace (ours or somebody else's), or the notebooks themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from app.domain.clock import Clock
from app.domain.errors import TaskNotMappable, WorkspaceRejected
from app.domain.layers import NOTEBOOKS, TASK_KEYS, task_of_notebook

log = structlog.get_logger()

JOB_TAG = ("petinsure360", "pipeline")
LOOK_AGAIN_S = 5.0
# A job that was changed meanwhile refuses, is read anew and tried again; so what was read may count for a while.
JOB_COUNTS_S = 180.0
REFRESH_JOB_S = 60.0
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

    def can_run(self, tasks: Sequence[str]) -> bool:
        """Whether the job has what our tasks need."""
        return not self.unmapped(tasks) or tuple(tasks) == TASK_KEYS

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

    def shown_keys(self, tasks: Sequence[str]) -> tuple[str, ...]:
        """The task keys of a click: our own."""
        return tuple(tasks)

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

    def told_once(self, requested_at: datetime) -> dict[str, str]:
        """What a job without parameters of its own is told beside; the same at every resend.

        Databricks promises to resolve references in job and task parameters; whether it does so in notebook_params is
        not certain, so the date is given as a date. Only the run's id cannot be known before the run.
        """
        return {**self.references, "as_of": requested_at.astimezone(UTC).date().isoformat()}

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

    def at_hand(self) -> JobTarget | NotebookTarget | None:
        """The target of a click if it need not be asked for; None otherwise."""
        if self._mode == "notebooks":
            return self._notebooks
        return self._job if self._age_s() < JOB_COUNTS_S else None

    async def for_click(self) -> JobTarget | NotebookTarget:
        """The target of a click. Raises WorkspaceError while the workspace cannot be asked."""
        return self.at_hand() or await self._look()

    async def for_poll(self) -> JobTarget | NotebookTarget:
        """The target whose runs are watched. It keeps the job fresh, so that a click need not wait for reading it."""
        if self._mode == "notebooks":
            return self._notebooks
        if self._age_s() < (LOOK_AGAIN_S if self._job is None else REFRESH_JOB_S):
            return self._job or self._notebooks
        return await self._look()

    async def sent_to(self, mode: str, job_id: int | None) -> JobTarget | NotebookTarget:
        """Where a submission went before: that very job, or the notebooks."""
        if mode == "notebooks" or job_id is None:
            return self._notebooks
        target = self.at_hand()
        return target if isinstance(target, JobTarget) and target.job_id == job_id else await self._read(job_id)

    async def read_anew(self, before: JobTarget | NotebookTarget) -> JobTarget | None:
        """The job as it is now, if that differs from what was known `before`."""
        if isinstance(before, NotebookTarget):
            return None
        self.forget()
        now = await self.for_click()
        return now if isinstance(now, JobTarget) and now != before else None

    @property
    def cluster_id(self) -> str | None:
        """The cluster that a click would use, when it is a named one."""
        return self._job.cluster_id if self._job else self._notebooks.cluster_id

    def forget(self) -> None:
        """The job is gone or was changed: read it anew."""
        self._job, self._looked_at = None, None

    def _age_s(self) -> float:
        return float("inf") if self._looked_at is None else self._clock.monotonic() - self._looked_at

    async def _look(self) -> JobTarget | NotebookTarget:
        job_id = self._job_id or await self._workspace.find_job_by_tag(*JOB_TAG)
        self._job = None if job_id is None else await self._read(job_id)
        self._looked_at = self._clock.monotonic()
        return self._job or self._notebooks

    async def _read(self, job_id: int) -> JobTarget:
        job = read_job(await self._workspace.get_job(job_id), cluster_id=self._notebooks.cluster_id)
        if job != self._job:
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
