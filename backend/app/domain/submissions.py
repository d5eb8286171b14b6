"""The ledger's values: what was wished for, and how far it got."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class SubmissionState(StrEnum):
    """RECORDED -> [QUEUED] -> SUBMITTING -> ACCEPTED | REFUSED | LOST. The last three never change."""

    RECORDED = "RECORDED"
    QUEUED = "QUEUED"
    SUBMITTING = "SUBMITTING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    LOST = "LOST"

    @property
    def open(self) -> bool:
        """Whether something is still to be done about it."""
        return self in {SubmissionState.RECORDED, SubmissionState.QUEUED, SubmissionState.SUBMITTING}


class IfActive(StrEnum):
    """What a trigger does when a run with overlapping tasks is active."""

    REJECT = "reject"
    QUEUE = "queue"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for, validated."""

    layer: str
    tasks: tuple[str, ...]
    claim_ids: tuple[str, ...]
    reason: str | None
    if_active: IfActive
    requested_by: str
    request_key: str | None = None

    def digest(self) -> str:
        """Equal for equal requests; tells a repeated Idempotency-Key with another body apart."""
        body = [self.layer, self.tasks, self.claim_ids, self.reason, self.if_active.value]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Submission:
    """One row of the ledger. `submission_id` is the idempotency token of every send."""

    submission_id: str
    request_key: str | None
    request_hash: str
    workspace_id: str | None
    state: SubmissionState
    layer: str
    tasks: tuple[str, ...]
    claim_ids: tuple[str, ...]
    reason: str | None
    if_active: IfActive
    requested_by: str
    requested_at: datetime
    deadline_at: datetime
    in_doubt: bool = False
    attempts: int = 0
    next_try_at: datetime | None = None
    mode: str | None = None
    job_id: int | None = None
    run_id: int | None = None
    job_url: str | None = None
    error: Mapping[str, Any] | None = None
    unmapped: tuple[str, ...] | None = None
    place: int = 0

    @property
    def turn(self) -> tuple[int, datetime, str]:
        """Sorts clicks in the order they were made, whatever the clock did meanwhile.

        `place` is above that of every click that waited when this one came; the rest parts clicks of old stores.
        """
        return (self.place, self.requested_at, self.submission_id)


@dataclass(frozen=True, slots=True)
class ClickNote:
    """What a run's view takes from its click."""

    reason: str | None
    unmapped: tuple[str, ...]


class ActionKind(StrEnum):
    """What can be asked of a run."""

    REPAIR = "repair"
    CANCEL = "cancel"


class ActionState(StrEnum):
    """RECORDED -> SENDING -> DONE | REFUSED | LOST."""

    RECORDED = "RECORDED"
    SENDING = "SENDING"
    DONE = "DONE"
    REFUSED = "REFUSED"
    LOST = "LOST"

    @property
    def open(self) -> bool:
        """Whether something is still to be done about it."""
        return self in {ActionState.RECORDED, ActionState.SENDING}


@dataclass(frozen=True, slots=True)
class RunAction:
    """A repair or cancellation of a run's `attempt`, as the ledger holds it."""

    action_id: str
    kind: ActionKind
    workspace_id: str
    run_id: int
    attempt: int
    state: ActionState
    requested_by: str
    requested_at: datetime
    deadline_at: datetime
    reason: str | None = None
    in_doubt: bool = False
    attempts: int = 0
    next_try_at: datetime | None = None
    latest_repair_id: int | None = None
    repair_id: int | None = None
    error: Mapping[str, Any] | None = None
