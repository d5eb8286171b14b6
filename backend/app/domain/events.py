"""The event log's vocabulary: types, drafts (not yet in the log) and envelopes (in it)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.clock import iso

SUBMITTING = "databricks_job_submitting"
STARTED = "databricks_job_started"
PROGRESS = "databricks_job_progress"
COMPLETED = "databricks_job_completed"
FAILED = "databricks_job_failed"
ADOPTED = "run_adopted"
CANCELING = "run_canceling"
WORKSPACE_STATUS = "workspace_status"
LAKE_UPDATED = "lake_updated"
SNAPSHOT = "snapshot"

RUN_EVENTS = frozenset({STARTED, PROGRESS, COMPLETED, FAILED, ADOPTED})
TERMINAL_EVENTS = frozenset({COMPLETED, FAILED})


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What happened, before the log gave it a place. `run_id` is for filtering; it stands in `data` as well."""

    type: str
    data: Mapping[str, Any]
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One row of the log. `text` is its JSON, serialised once and sent to everyone as it is."""

    seq: int
    epoch: str
    type: str
    at: datetime
    run_id: int | None
    text: str

    @property
    def data(self) -> dict[str, Any]:
        """The event's data, parsed from the text."""
        parsed: dict[str, Any] = json.loads(self.text)["data"]
        return parsed

    @property
    def size_bytes(self) -> int:
        """Length of the text on the wire."""
        return len(self.text.encode())


def compact_json(value: Any) -> str:
    """JSON without spaces; newlines cannot occur, so texts may be joined by them.

    Half a surrogate pair, which a notebook may put into its error, is nothing that UTF-8 can carry: it becomes `?`.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def envelope(*, seq: int, epoch: str, at: datetime, draft: EventDraft) -> Envelope:
    """Give a draft its place in the log."""
    body = {"seq": seq, "epoch": epoch, "type": draft.type, "at": iso(at), "data": draft.data}
    return Envelope(seq=seq, epoch=epoch, type=draft.type, at=at, run_id=draft.run_id, text=compact_json(body))


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where the log stands: last seq given (0 = none yet), its epoch, and the oldest seq still kept."""

    seq: int
    epoch: str
    oldest_seq: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events in order, and where the log stood when they were read."""

    head: LogHead
    envelopes: Sequence[Envelope]
