"""What is shown of the estimates of one run: the time left never jumps up without a stated cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.domain.clock import iso
from app.domain.eta import Eta, Standing
from app.domain.eta_model import QUEUE, START, Model
from app.domain.eta_quality import Guess

# An upper end this share above what is shown is worth correcting; a smaller one is held, so that the time runs down.
WORTH_SHARE = 0.15
WORTH_S = 1.0


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the time left was set up: a stable code, and a sentence for people."""

    code: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """The form of every answer and event."""
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is shown of a run from `at` on, why it was set up if it was, and what simple guesses would have said."""

    eta: Eta
    at: datetime
    cause: Cause | None = None
    baselines: Mapping[str, Guess] = field(default_factory=dict)


def eta_body(told: Prediction | None) -> dict[str, Any]:
    """The estimate in an event: `eta` was true at `eta_at`, and `eta_cause` says why it is longer than was shown."""
    if told is None:
        return {"eta": None, "eta_at": None, "eta_cause": None}
    return {
        "eta": told.eta.as_json(),
        "eta_at": iso(told.at),
        "eta_cause": told.cause.as_json() if told.cause else None,
    }


def shown(before: Eta | None, now: Eta | None, why: Callable[[], Cause | None]) -> tuple[Eta | None, Cause | None]:
    """What to show, given what is shown (`before`, run down to this moment) and the new estimate.

    Where a rise is worth it and `why` names its cause, the new estimate. Otherwise each end falls or stays.
    """
    if before is None or now is None:
        return before or now, None
    if now.p90_s - before.p90_s > max(WORTH_S, WORTH_SHARE * now.p90_s) and (cause := why()) is not None:
        return now, cause
    p90_s = min(before.p90_s, now.p90_s)
    return replace(now, p50_s=min(before.p50_s, now.p50_s, p90_s), p90_s=p90_s), None


def why_longer(model: Model, standing: Standing, *, task: str | None, attempt: int = 0) -> Cause | None:
    """What is true of the run and explains a later end; None where everything is as usual."""
    phase = standing.phase
    if phase == QUEUE:
        return Cause("queued", "The run waits for another run to end.")
    if attempt > 0:
        return Cause("task_retried", f"{task or 'A task'} is tried again.")
    if _late(model, standing, phase, standing.elapsed_s):
        if phase == START:
            return Cause("cluster_starting", "The cluster takes longer to start than it usually does.")
        if task is not None:
            return Cause("slower_than_usual", f"{task} takes longer than it usually does.")
        return Cause("slower_than_usual", "The run takes longer to end than it usually does.")
    if _late_so_far(model, standing):
        return Cause("later_than_usual", "What has been done so far took longer than it usually does.")
    return None


def _late(model: Model, standing: Standing, phase: int, took_s: float) -> bool:
    usual_s = model.usual_s(phase, standing.claims, None)
    return usual_s is not None and took_s > usual_s


def _late_so_far(model: Model, standing: Standing) -> bool:
    usual_s = [model.usual_s(phase, standing.claims, None) for phase in range(START, standing.phase)]
    return None not in usual_s and sum(standing.behind_s[START:]) > sum(one or 0.0 for one in usual_s)
