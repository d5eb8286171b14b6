"""The API's shapes, for validation and OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.domain.claim_ids import CLAIM_ID_PATTERN, MAX_CLAIM_IDS

ClaimIds = Annotated[
    list[str] | None,
    Field(
        description="Limit the run to these claims; none or empty = everything pending. Each matches "
        f"{CLAIM_ID_PATTERN}, at most {MAX_CLAIM_IDS}.",
        examples=[["CLM-0001"]],
    ),
]
# The one character that PostgreSQL cannot keep in a text.
_Kept = AfterValidator(lambda text: text.replace("\0", "\N{REPLACEMENT CHARACTER}") if text else text)
Reason = Annotated[str | None, Field(max_length=1_000, description="Why; kept in the audit trail"), _Kept]
LayerName = Literal["bronze", "silver", "gold", "all"]


class _Request(BaseModel):
    # A misspelt field must not turn "these two claims" into "everything".
    model_config = ConfigDict(extra="forbid")


class ProcessRequest(_Request):
    """What the two demo buttons may be given."""

    claim_ids: ClaimIds = None
    reason: Reason = None
    if_active: Annotated[
        Literal["reject", "queue", "join"],
        Field(description="What to do when a run with overlapping tasks is active"),
    ] = "reject"


class TriggerRequest(ProcessRequest):
    """A click on a layer."""

    layer: LayerName


class ActionRequest(_Request):
    """A cancellation or repair."""

    reason: Reason = None


class Eta(BaseModel):
    """Seconds that remain, half and nine tenths likely, from `n` comparable runs."""

    p50_s: float
    p90_s: float
    n: int


class Records(BaseModel):
    """Rows read by the first task, written by the last, and quarantined in all; null where no notebook said."""

    in_: int | None = Field(None, alias="in")
    out: int | None = None
    quarantined: int | None = None

    model_config = ConfigDict(populate_by_name=True)


class Progress(BaseModel):
    """What a running task reports of itself."""

    done: int
    total: int
    step: str | None = None
    task: str | None = None


class RunError(BaseModel):
    """Why a run ended without success, and what to do."""

    code: str
    message: str
    task: str | None = None
    trace_excerpt: str | None = None
    advice: str | None = None


class TaskError(BaseModel):
    """What a task raised."""

    code: str | None = None
    message: str
    trace_excerpt: str | None = None


class Task(BaseModel):
    """One attempt of a task of a run. `state` and `result` are the workspace's own words."""

    task_key: str
    task_run_id: int
    attempt_number: int
    position: int
    layer: str | None
    notebook_path: str | None
    state: str | None
    result: str | None
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    setup_s: float | None
    queue_s: float | None
    progress: Progress | None
    records: Records | None
    tables: list[dict[str, Any]] | None
    error: TaskError | None
    output_read: bool


class EtaCause(BaseModel):
    """Why the time left was set up: queued, cluster_starting, task_retried, slower_than_usual or later_than_usual."""

    code: str
    message: str


class ActionError(BaseModel):
    """Why something that was asked of a run was not done yet."""

    code: str
    message: str


class Cancel(BaseModel):
    """A cancellation that was asked for; the run is active until the workspace says otherwise."""

    state: Literal["RECORDED", "SENDING", "DONE"] = Field(description="DONE: the workspace has taken it")
    requested_by: str
    requested_at: str
    next_try_at: str | None = Field(description="When it is sent again, where the workspace did not take it")
    error: ActionError | None = Field(description="Why it was not taken at the last try")


class Run(BaseModel):
    """A run, or a click that has no run yet (then `run_id` is null)."""

    run_id: int | None
    submission_id: str | None
    submission_state: Literal["RECORDED", "QUEUED", "SUBMITTING", "ACCEPTED", "REFUSED", "LOST"] | None
    attempt: int
    active: bool
    adopted: bool = Field(False, description="It had ended before this server first met the workspace")
    layer: str | None
    state: str | None
    result: str | None
    phase: Literal["queued", "cluster_starting", "running"] | None
    job_id: int | None
    job_url: str | None
    requested_by: str | None
    requested_at: str
    reason: str | None
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    queue_s: float | None
    setup_s: float | None
    claim_ids: list[str]
    progress: Progress | None
    records: Records | None
    tables: list[dict[str, Any]] | None
    eta: Eta | None
    eta_cause: EtaCause | None
    error: RunError | None
    retryable: bool | None
    unmapped: list[str] = Field(description="Our tasks that the workspace's job does not have")
    next_try_at: str | None
    cancel: Cancel | None
    task_keys: list[str]
    tasks: list[Task]
    earlier_attempts: list[Task] = Field(description="What a repair or the retry policy ran again, in order")


class Runs(BaseModel):
    """A page of the history, newest first."""

    runs: list[Run]
    next_page_token: str | None = None


class Triggered(BaseModel):
    """What became of a click so far."""

    submission_id: str | None
    submission_state: Literal["RECORDED", "QUEUED", "SUBMITTING", "ACCEPTED", "REFUSED", "LOST"] | None
    run_id: int | None
    job_url: str | None
    layer: str | None
    tasks: list[str]
    claim_ids: list[str]
    state: str | None
    unmapped: list[str] = Field(default_factory=list)
    error: RunError | None = None
    next_try_at: str | None = None


class TaskOutput(BaseModel):
    """What a task's newest attempt left behind."""

    run_id: int
    task_key: str
    attempt_number: int
    result: str | None
    error: str | None
    error_trace: str | None
    truncated: bool


class PreviewAnswer(BaseModel):
    """What a click would do."""

    layer: str
    tasks: list[str]
    claims: int | None
    tables: list[str]
    cluster: Literal["warm", "cold"] | None
    eta: Eta | None
