"""One attempt at a task: references resolved, compute leased, notebook run, the end put into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from local_workspace.compute.cluster import ClusterFailed, Lease
from local_workspace.compute.clusters import SERVERLESS, Clusters, UnknownCluster
from local_workspace.engine.tasks import TaskContext, TaskOutcome, TaskRequest
from local_workspace.runs import states
from local_workspace.runs.records import Output, Run, TaskRun
from local_workspace.runs.references import BadReference, Scope, UpstreamTask, resolve
from local_workspace.runs.states import State

log = structlog.get_logger(__name__)

LocateNotebook = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended and what it left."""

    state: State
    output: Output | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Which workspace this is, as notebooks and references see it."""

    workspace_id: str
    workspace_url: str
    user_name: str
    runs_dir: Path


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a task may know about the others of its run."""

    tasks: dict[str, UpstreamTask]

    def values(self) -> dict[str, dict[str, Any]]:
        return {key: dict(task.values) for key, task in self.tasks.items()}


class TaskRunner:
    """Runs attempts on the workspace's compute. Cancelling `run` kills the worker before it returns."""

    def __init__(self, clusters: Clusters, place: Place, locate: LocateNotebook) -> None:
        self._clusters = clusters
        self._place = place
        self._locate = locate

    async def run(self, run: Run, attempt: TaskRun, upstream: Upstream, started: Callable[[Lease], None]) -> Ending:
        """Run an attempt to its end, whatever that is; never raises but when cancelled.

        `started` is called once, when a worker has been found and the notebook begins.
        """
        try:
            path = self._prepare(run, attempt, upstream)
            async with self._clusters.lease(run.run_id, attempt.definition) as lease:
                request = self._request(run, attempt, upstream, path, lease)
                return _ending(await lease.run(request, lambda: started(lease)))
        except BadReference as fault:
            return _refused("INVALID_RUN_CONFIGURATION", str(fault))
        except NotebookMissing as fault:
            return _refused("RESOURCE_NOT_FOUND", str(fault))
        except UnknownCluster as fault:
            return _refused("INVALID_CLUSTER_REQUEST", f"{fault}.")
        except ClusterFailed as fault:
            return Ending(states.broken("CLUSTER_ERROR", str(fault)), Output(error=str(fault)))
        except Exception as fault:  # the top of an attempt: its run ends honestly, the others go on
            log.exception("task_run_failed", run_id=run.run_id, task_run_id=attempt.run_id)
            message = f"The local workspace failed to run the task: {type(fault).__name__}: {fault}"
            return Ending(states.broken("INTERNAL_ERROR", message), Output(error=message))

    def has_job_clusters(self, run: Run) -> bool:
        return self._clusters.has_job_clusters(run.run_id)

    async def release(self, run: Run) -> None:
        """Stop the compute that belonged to this run alone."""
        await self._clusters.release(run.run_id)

    def job_parameters(self, run: Run) -> dict[str, str]:
        """The run's job parameters with their references resolved."""
        scope = self._scope(run)
        return {item["name"]: resolve(item["value"], scope) for item in run.job_parameters}

    def _prepare(self, run: Run, attempt: TaskRun, upstream: Upstream) -> str:
        """Resolve the attempt's parameters and return its notebook's path, without the prefix /Workspace."""
        scope = self._scope(run, attempt, upstream)
        notebook = attempt.definition["notebook_task"]
        path = resolve(notebook["notebook_path"], scope)
        given = notebook.get("base_parameters", {}) | run.notebook_params
        attempt.parameters = {name: resolve(value, scope) for name, value in given.items()} | dict(scope.parameters)
        located = self._locate(path)
        if located is None:
            raise NotebookMissing(path, self._place.user_name)
        return located

    def _scope(self, run: Run, attempt: TaskRun | None = None, upstream: Upstream | None = None) -> Scope:
        return Scope(
            job_id=run.job_id,
            job_name=run.job_name,
            run_id=run.run_id,
            start_time_ms=run.start_time,
            repair_count=run.repair_count,
            trigger=run.trigger,
            workspace_id=self._place.workspace_id,
            workspace_url=self._place.workspace_url,
            parameters=self.job_parameters(run) if attempt is not None else {},
            task=_task_names(attempt) if attempt is not None else {},
            tasks=upstream.tasks if upstream is not None else {},
        )

    def _request(self, run: Run, attempt: TaskRun, upstream: Upstream, path: str, lease: Lease) -> TaskRequest:
        context = TaskContext(
            job_id=run.job_id,
            run_id=run.run_id,
            task_run_id=attempt.run_id,
            task_key=attempt.task_key,
            cluster_id=lease.cluster_id,
            user_name=self._place.user_name,
            workspace_id=self._place.workspace_id,
            workspace_url=self._place.workspace_url,
        )
        return TaskRequest(
            task_run_id=attempt.run_id,
            notebook_path=path,
            parameters=attempt.parameters,
            context=context,
            task_values=upstream.values(),
            output_dir=self._place.runs_dir / str(attempt.run_id),
        )


class NotebookMissing(Exception):
    """The task's notebook is not in the workspace."""

    def __init__(self, path: str, user_name: str) -> None:
        super().__init__(
            f'Unable to access the notebook "{path}". Either it does not exist, or the identity used to run this job, '
            f"{user_name}, lacks the required permissions."
        )


def is_shown(cluster_id: str) -> bool:
    """Whether a cluster may be named in answers: serverless and job compute are in no list."""
    return cluster_id != SERVERLESS and not cluster_id.startswith("job-")


def _task_names(attempt: TaskRun) -> dict[str, str]:
    return {
        "name": attempt.task_key,
        "run_id": str(attempt.run_id),
        "execution_count": str(attempt.attempt_number + 1),
        "retry_count": str(attempt.attempt_number),
        "notebook_path": attempt.definition["notebook_task"]["notebook_path"],
    }


def _ending(outcome: TaskOutcome) -> Ending:
    output = Output(
        result=outcome.result,
        truncated=outcome.truncated,
        error=outcome.error,
        error_trace=outcome.error_trace,
        task_values=outcome.task_values,
    )
    if outcome.status == "success":
        return Ending(states.SUCCEEDED, output)
    if outcome.status == "failed":
        return Ending(states.TASK_FAILED, output)
    return Ending(states.broken("DRIVER_ERROR", outcome.error or "The worker ended unexpectedly."), output)


def _refused(code: str, message: str) -> Ending:
    return Ending(states.not_started(code, message), Output(error=message))
