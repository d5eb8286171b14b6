"""What the workspace's refusals mean, and the small values its answers are read into."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from app.domain.errors import (
    SubmissionInDoubt,
    WorkspaceError,
    WorkspaceRejected,
    WorkspaceThrottled,
    WorkspaceUnauthorized,
    WorkspaceUnreachable,
)

MAX_MESSAGE = 2_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Which workspace this is. Runs are keyed by it, and tokens of one are never sent to another."""

    workspace_id: str
    user_name: str | None


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run the workspace has accepted. `job_url` is None where it is known only after the first runs/get."""

    run_id: int
    job_url: str | None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One entry of a volume's folder."""

    path: str
    name: str
    is_directory: bool
    size_bytes: int | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatementResult:
    """Rows of a SQL statement, as the API sends them: texts or None. `types` names each column's type."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | None]]
    types: tuple[str, ...] = ()


def refusal(response: httpx.Response, *, repeatable: bool) -> WorkspaceError:
    """The error for an answer that is not 2xx.

    After a 5xx the work may have been done all the same: a request that must not be repeated blindly is in doubt.
    """
    error_code, message = _words(response)
    status = response.status_code
    if status == 429:
        return WorkspaceThrottled(message, retry_after_s=retry_after(response), error_code=error_code)
    if status == 401:
        return WorkspaceUnauthorized(message, status=status, error_code=error_code)
    if status >= 500 and status != 501:
        kind = WorkspaceUnreachable if repeatable else SubmissionInDoubt
        return kind(message, retry_after_s=retry_after(response), status=status, error_code=error_code)
    return WorkspaceRejected(message, status=status, error_code=error_code)


def transport_fault(fault: httpx.TransportError, *, host: str, repeatable: bool) -> WorkspaceError:
    """The error for a request without an answer. A connection that was never made has changed nothing."""
    never_sent = isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    words = f"The workspace at {host} did not answer ({type(fault).__name__})."
    if never_sent:
        return WorkspaceUnreachable(f"The workspace at {host} cannot be reached ({type(fault).__name__}).")
    return WorkspaceUnreachable(words) if repeatable else SubmissionInDoubt(words)


def retry_after(response: httpx.Response) -> float | None:
    """Retry-After in seconds, from either of its two forms."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo else None


def _words(response: httpx.Response) -> tuple[str | None, str]:
    body: Any = None
    with suppress(ValueError):
        body = response.json()
    if not isinstance(body, dict):
        return None, f"The workspace answered {response.status_code}."
    code = body.get("error_code") or body.get("scimType")
    message = body.get("message") or body.get("error") or body.get("detail") or f"HTTP {response.status_code}"
    return (str(code) if code else None), str(message)[:MAX_MESSAGE]
