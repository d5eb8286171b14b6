"""Shapes of the answers about the lake and its claims, for OpenAPI."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.event_models import AsOf, WorkspaceStatusData


class TableView(BaseModel):
    """A table as last read; null is what nobody has told yet."""

    name: str
    rows: int | None
    version: int | None


class LayerView(BaseModel):
    """One layer. `state` and `result` are the workspace's own words for its newest task; null when none ever ran."""

    state: str | None
    result: str | None
    last_run_id: int | None
    updated_at: str | None
    tables: list[TableView]
    pending: int | None = Field(description="Claims that wait before the layer; null where nobody has looked yet")


class Layers(BaseModel):
    bronze: LayerView
    silver: LayerView
    gold: LayerView


class Reading(BaseModel):
    """How far our knowledge of the lake goes."""

    run_id: int | None
    refreshed_at: str | None
    detail: str | None = Field(description="What could not be read, and what to do about it")


class Status(BaseModel):
    layers: Layers
    workspace: WorkspaceStatusData
    lake: Reading


class Bucket(BaseModel):
    """Claims that wait; `claim_ids` is a page of them, in order."""

    count: int | None
    claim_ids: list[str]


class BronzeBucket(Bucket):
    """`files` counts landed files whose claims nobody has seen yet; `count` is claims that the API landed."""

    files: int = 0


class Pending(BaseModel):
    """What waits before each layer, and what is quarantined. A bucket that was not asked for is left out."""

    bronze: BronzeBucket | None = None
    silver: Bucket | None = None
    gold: Bucket | None = None
    quarantined: Bucket | None = None
    next_page_token: str | None = None


class Landed(BaseModel):
    claim_id: str


class LayerPosition(BaseModel):
    """Whether the claim is in the layer, and which run wrote it there."""

    present: bool
    run_id: int | None
    at: str | None


class BronzePosition(LayerPosition):
    """`waiting`: a file that the API landed for the claim has not been taken yet."""

    landed_at: str | None
    waiting: bool


class Positions(BaseModel):
    bronze: BronzePosition
    silver: LayerPosition
    gold: LayerPosition


class QuarantineReason(BaseModel):
    rule: str
    message: str | None
    run_id: int | None
    at: str | None


class ClaimPlace(BaseModel):
    """Where a claim is, layer by layer."""

    claim_id: str
    layers: Positions
    quarantine: list[QuarantineReason]


class Kpis(BaseModel):
    """Key figures of a month, or of several (then `year_month` is `first/last`). Ratios are fractions, amounts USD."""

    year_month: str
    earned_premium: float | None
    claims: int | None
    paid_amount: float | None
    incurred_amount: float | None
    loss_ratio: float | None
    paid_loss_ratio: float | None
    approval_rate: float | None
    cycle_time_p50_days: float | None
    cycle_time_p90_days: float | None


class _Figures(BaseModel):
    as_of: AsOf | None = Field(description="Null before the first gold run")
    currency: Literal["USD"]


class Overview(_Figures):
    """The book at a glance. `trailing_12m` has its ratios from sums, not from averages."""

    valued_on: str | None = Field(description="The date that reserves are valued at")
    latest: Kpis | None
    previous: Kpis | None
    trailing_12m: Kpis | None
    months: list[Kpis] = Field(description="Oldest first")


class Month(BaseModel):
    """All columns of monthly_kpis; docs/kpis.md defines them."""

    model_config = ConfigDict(extra="allow")

    year_month: str


class Monthly(_Figures):
    months: list[Month]


Rows = list[dict[str, Any]]


class Before(BaseModel):
    """What the page told before the newest change of its tables."""

    as_of: AsOf
    totals: dict[str, Any]


class _Narrowed(_Figures):
    """Figures as far as the parameters want them: sums, and ratios from sums. `top` is a page of the list."""

    totals: dict[str, Any] | None
    before: Before | None = Field(description="Null where the figures are narrowed, or have never changed")
    options: dict[str, list[str]] = Field(description="Every value that a parameter can have")
    top: Rows
    matching: int = Field(description="Rows of the list that match")
    listed: int = Field(description="Rows that the list holds: the first 2,000 of the table")
    next_page_token: str | None


class ClaimFigures(_Narrowed):
    by_month: Rows
    by_status: Rows
    by_category: Rows
    by_species: Rows
    by_denial_reason: Rows
    by_diagnosis: Rows


class CustomerFigures(_Narrowed):
    by_value_tier: Rows
    by_churn_tier: Rows
    by_state: Rows
    offers: Rows


class ProviderFigures(_Narrowed):
    by_type: Rows
    by_state: Rows
    by_network: Rows


class RiskFigures(_Narrowed):
    by_band: Rows
    by_species: Rows
    by_age_band: Rows
    by_category: Rows


class BaselineLoss(BaseModel):
    """The same loss, had a simple guess been shown."""

    pinball_loss_s: float


class TaskSetQuality(BaseModel):
    """The newest predictions for runs of these tasks that ended with success, at most 500."""

    tasks: list[str]
    layer: str | None
    n: int = Field(description="Predictions: one at the start, one whenever a phase changed or the estimate was set up")
    p50_coverage: float = Field(description="Share of the predictions whose p50 was not exceeded; 0.5 is right")
    p90_coverage: float = Field(description="The same for p90; 0.9 is right")
    pinball_loss_s: float = Field(description="Mean over p50 and p90, in seconds; smaller is better")
    baselines: dict[str, BaselineLoss] = Field(description="mean_of_last (20 runs) and elapsed_fraction")
    gain: float | None = Field(description="How far the loss is below that of the better baseline, as a share of it")


class EtaQuality(BaseModel):
    """How good the estimates of the time left have been; empty until runs have ended that were predicted."""

    task_sets: list[TaskSetQuality]


class Definitions(BaseModel):
    """What the figures mean."""

    format: Literal["markdown"]
    text: str
