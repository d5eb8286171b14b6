"""The stream's envelopes, for the OpenAPI document and for tests of what is really sent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.models import Cancel, Eta, EtaCause, Progress, Records, Run, RunError, Task


class _Envelope(BaseModel):
    """`seq` is gap-free over the whole log; `epoch` names one life of the log; `at` is commit time."""

    seq: int
    epoch: str
    at: str


class SubmittingData(BaseModel):
    """The workspace has not taken the click at the first try."""

    run_id: None
    submission_id: str
    layer: str
    tasks: list[str]
    requested_by: str
    reason: str
    code: str
    in_doubt: bool
    attempts: int
    next_try_at: str


class StartedData(BaseModel):
    """The workspace accepted the run, or a repair of it (then `attempt` is above 0)."""

    run_id: int
    submission_id: str | None
    workspace_id: str
    job_id: int | None
    attempt: int
    attempt_since: str | None
    layer: str | None
    tasks: list[str] = Field(description="Task keys in order")
    task_set: str | None
    job_url: str | None
    claim_ids: list[str]
    requested_by: str | None
    requested_at: str
    reason: str | None
    eta: Eta | None
    eta_at: str | None = Field(description="When the estimate was true")
    eta_cause: EtaCause | None


class _Moved(BaseModel):
    run_id: int
    submission_id: str | None
    attempt: int
    layer: str | None
    state: str | None
    result: str | None
    message: str | None
    task: str | None
    tasks: list[Task]
    phase: Literal["queued", "cluster_starting", "running"] | None
    progress: Progress | None
    eta: Eta | None
    eta_at: str | None = Field(description="When the estimate was true")
    eta_cause: EtaCause | None = Field(description="Why more time is left than was shown before; null when it is not")
    job_url: str | None
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    queue_s: float | None
    setup_s: float | None
    earlier_attempts: list[Task] = Field(default_factory=list)


class ProgressData(_Moved):
    """A task or phase changed, or progress was reported."""


class CompletedData(_Moved):
    """The run ended with SUCCESS or SUCCESS_WITH_FAILURES."""

    duration: float | None = Field(description="Seconds, of the latest attempt")
    claim_ids: list[str]
    records: Records | None
    tables: list[dict[str, Any]]


class FailedData(BaseModel):
    """Any other end; `run_id` is null when the workspace refused the click."""

    model_config = ConfigDict(extra="allow")

    run_id: int | None
    submission_id: str | None
    layer: str | None
    result: str | None
    error: RunError
    retryable: bool
    claim_ids: list[str]


class AdoptedData(BaseModel):
    """A run that had ended before this server first met the workspace, whole; `tasks` holds every attempt."""

    run_id: int
    submission_id: None
    workspace_id: str
    job_id: int | None
    layer: str | None
    task_keys: list[str]
    task_set: str | None
    claim_ids: list[str]
    job_url: str | None
    requested_by: str | None
    requested_at: str
    attempt: int
    attempt_since: str | None
    active: Literal[False]
    state: str | None
    result: str | None
    phase: None
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    queue_s: float | None
    setup_s: float | None
    progress: Progress | None
    records: Records | None
    tables: list[dict[str, Any]] | None
    eta: None
    eta_at: None
    eta_cause: None
    error: RunError | None
    retryable: bool | None
    progress_seen: bool
    adopted: Literal[True]
    tasks: list[Task]


class CancelingData(BaseModel):
    """How far a cancellation is; null when it came to nothing. The run's end is told by the run's own events."""

    run_id: int
    submission_id: str | None
    attempt: int
    cancel: Cancel | None


class WorkspaceStatusData(BaseModel):
    """An outage or recovery; runs keep their last known state meanwhile."""

    kind: Literal["databricks", "local"]
    name: str
    state: Literal["ok", "degraded", "unknown"]
    last_known_at: str | None
    detail: str | None


class AsOfTable(BaseModel):
    """A gold table that the figures are from."""

    name: str
    version: int | None


class AsOf(BaseModel):
    """The run and the table versions that the figures are from."""

    run_id: int | None
    tables: list[AsOfTable]


class LakeUpdatedData(BaseModel):
    """What is known of these layers has changed; pages ask again. `run_id` is null when a claim was landed."""

    run_id: int | None
    layers: list[Literal["bronze", "silver", "gold"]]
    as_of: AsOf | None


class SnapshotData(BaseModel):
    """Everything as of `seq`: active and latest runs, layers, workspace."""

    runs: list[Run]
    layers: dict[str, Any]
    workspace: WorkspaceStatusData


class SubmittingEvent(_Envelope):
    type: Literal["databricks_job_submitting"]
    data: SubmittingData


class StartedEvent(_Envelope):
    type: Literal["databricks_job_started"]
    data: StartedData


class ProgressEvent(_Envelope):
    type: Literal["databricks_job_progress"]
    data: ProgressData


class CompletedEvent(_Envelope):
    type: Literal["databricks_job_completed"]
    data: CompletedData


class FailedEvent(_Envelope):
    type: Literal["databricks_job_failed"]
    data: FailedData


class AdoptedEvent(_Envelope):
    type: Literal["run_adopted"]
    data: AdoptedData


class CancelingEvent(_Envelope):
    type: Literal["run_canceling"]
    data: CancelingData


class WorkspaceStatusEvent(_Envelope):
    type: Literal["workspace_status"]
    data: WorkspaceStatusData


class LakeUpdatedEvent(_Envelope):
    type: Literal["lake_updated"]
    data: LakeUpdatedData


class SnapshotEvent(_Envelope):
    type: Literal["snapshot"]
    data: SnapshotData


EVENT_MODELS: tuple[type[BaseModel], ...] = (
    SubmittingEvent,
    StartedEvent,
    ProgressEvent,
    CompletedEvent,
    FailedEvent,
    AdoptedEvent,
    CancelingEvent,
    WorkspaceStatusEvent,
    LakeUpdatedEvent,
    SnapshotEvent,
)
