"""Starting runs: run-now and submit, each at most once per idempotency token."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from local_workspace.api.http import ApiError, integer, invalid, text
from local_workspace.clock import Clock
from local_workspace.runs import states
from local_workspace.runs.definitions import job_parameters, parameter_values, queue_enabled, tasks
from local_workspace.runs.graph import BadGraph, Graph
from local_workspace.runs.records import Run, TaskRun, graph_of
from local_workspace.runs.scheduler import Scheduler
from local_workspace.store.ids import Ids
from local_workspace.store.jobs import Job, JobStore
from local_workspace.store.runs import RunStore

_MAX_TOKEN = 64
_UNSERVED_PARAMS = (
    "jar_params", "python_params", "spark_submit_params", "python_named_params", "sql_params", "dbt_commands",
    "pipeline_params",
)  # fmt: skip


class Starter:
    """Makes runs of jobs and of submitted tasks, and hands them to the scheduler."""

    def __init__(
        self, *, jobs: JobStore, runs: RunStore, scheduler: Scheduler, clock: Clock, ids: Ids, user_name: str
    ) -> None:
        self._jobs = jobs
        self._runs = runs
        self._scheduler = scheduler
        self._clock = clock
        self._ids = ids
        self._user_name = user_name

    def run_now(self, values: dict[str, Any]) -> Run:
        """Start a run of a job, or return the run that this token has started before. Raises: ApiError."""
        token, known = self._known(values)
        if known is not None:
            return known
        job = self._job(integer(values, "job_id"))
        _refuse_unserved(values)
        run = self._run(job.job_id, job.name, job.settings, "JOB_RUN")
        run.job_name = job.name
        run.description = job.settings.get("description")
        run.job_parameters = chosen_parameters(
            job.settings.get("parameters", []), parameter_values(values, "job_parameters")
        )
        run.notebook_params = parameter_values(values, "notebook_params")
        run.max_concurrent_runs = int(job.settings["max_concurrent_runs"])
        run.queue_enabled = queue_enabled(values, queue_enabled(job.settings, False))
        attempts = self._attempts(run, job.settings["tasks"])
        _select(attempts, values.get("only"))
        return self._start(run, attempts, token)

    def submit(self, values: dict[str, Any]) -> Run:
        """Start a run of tasks without a job, in either shape. Raises: ApiError."""
        token, known = self._known(values)
        if known is not None:
            return known
        settings = dict(values)
        if values.get("git_source"):
            raise ApiError(501, "NOT_IMPLEMENTED", "git_source is not supported by the local workspace.")
        definitions = tasks(settings)
        if not definitions:
            raise invalid("A submitted run needs at least one task.")
        run = self._run(self._ids.next(), text(values, "run_name", "Untitled"), settings, "SUBMIT_RUN")
        run.single_task = values.get("tasks") is None
        run.job_parameters = chosen_parameters(job_parameters(values.get("parameters") or []), {})
        return self._start(run, self._attempts(run, definitions), token)

    def _known(self, values: dict[str, Any]) -> tuple[str | None, Run | None]:
        """The token of a call and the run that it started before. A deleted run makes its token an error."""
        token = text(values, "idempotency_token", "") or None
        if token is None:
            return None, None
        if len(token) > _MAX_TOKEN:
            raise invalid(f"idempotency_token must not be longer than {_MAX_TOKEN} characters.")
        run_id = self._runs.run_of_token(token)
        if run_id is None:
            return token, None
        run = self._runs.run(run_id)
        if run is None:
            raise invalid(f"The run {run_id} of this idempotency_token has been deleted.")
        return token, run

    def _job(self, job_id: int) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise invalid(f"Job {job_id} does not exist.")
        return job

    def _run(self, job_id: int, name: str, settings: dict[str, Any], run_type: str) -> Run:
        now = self._clock.now_ms()
        return Run(
            run_id=self._ids.next(),
            job_id=job_id,
            job_name=name,
            run_name=name,
            run_type=run_type,
            creator=self._user_name,
            start_time=now,
            segment_start=now,
            state=states.PENDING,
            timeout_seconds=integer(settings, "timeout_seconds", 0),
            job_clusters=list(settings.get("job_clusters") or []),
        )

    def _attempts(self, run: Run, definitions: list[dict[str, Any]]) -> list[TaskRun]:
        attempts = []
        for definition in definitions:
            state = states.DISABLED if definition.get("disabled") else states.BLOCKED
            attempts.append(
                TaskRun(self._ids.next(), run.run_id, definition["task_key"], deepcopy(definition), state=state)
            )
        return attempts

    def _start(self, run: Run, attempts: list[TaskRun], token: str | None) -> Run:
        run.state = self._scheduler.initial_state(run)
        if run.state.is_terminal:
            run.end_time = run.start_time
            for attempt in attempts:
                attempt.state = run.state
        self._runs.create(run, attempts, token)
        if not run.state.is_terminal:
            self._scheduler.admit(run, attempts)
        return run


def chosen_parameters(declared: list[dict[str, str]], given: dict[str, str]) -> list[dict[str, Any]]:
    """Every job parameter of a run with its default and value; a value for one that was not declared is taken too."""
    defaults = {item["name"]: item["default"] for item in declared}
    names = sorted(defaults.keys() | given.keys())
    return [
        {"name": name, "default": defaults.get(name, ""), "value": given.get(name, defaults.get(name, ""))}
        for name in names
    ]


def _select(attempts: list[TaskRun], only: Any) -> None:
    """Disable the tasks that `only` leaves out."""
    if not only:
        return
    if not isinstance(only, list) or not all(isinstance(key, str) for key in only):
        raise invalid("only must be a list of task keys.")
    graph: Graph = graph_of(attempts)
    try:
        chosen = graph.select(only)
    except BadGraph as fault:
        raise invalid(str(fault)) from fault
    for attempt in attempts:
        if attempt.task_key not in chosen:
            attempt.state = states.DISABLED


def _refuse_unserved(values: dict[str, Any]) -> None:
    for name in _UNSERVED_PARAMS:
        if values.get(name):
            raise ApiError(
                501, "NOT_IMPLEMENTED", f"{name} is not supported by the local workspace: it runs notebooks."
            )
