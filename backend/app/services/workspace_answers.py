"""What the workspace's refusals mean, and the small values its answers are read into."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
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
LONGEST_RETRY_AFTER_S = 900.0
_SECONDS = re.compile(r"[0-9]{1,100}(\.[0-9]{0,100})?")
# Refusals with status 400 that did nothing and mean "not now".
TRY_AGAIN = frozenset({"COULD_NOT_ACQUIRE_LOCK", "TEMPORARILY_UNAVAILABLE"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Which workspace this is. Runs are keyed by it, and tokens of one are never sent to another."""

    workspace_id: str
    user_name: str | None


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run the workspace has accepted.

    `job_url` is None where it is known only after the first runs/get, `workspace_id` where the answer does not tell.
    """

    run_id: int
    job_url: str | None
    workspace_id: str | None = None


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
    if error_code in TRY_AGAIN:
        return WorkspaceUnreachable(message, retry_after_s=retry_after(response), status=status, error_code=error_code)
    if is_server_fault(status):
        kind = WorkspaceUnreachable if repeatable else SubmissionInDoubt
        return kind(message, retry_after_s=retry_after(response), status=status, error_code=error_code)
    return WorkspaceRejected(message, status=status, error_code=error_code)


def is_server_fault(status: int) -> bool:
    """Whether the server, or something on the way to it, failed at the request rather than refused it."""
    return status == HTTPStatus.REQUEST_TIMEOUT or (status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED)


def never_sent(fault: httpx.TransportError) -> bool:
    """Whether the request cannot have reached the server."""
    return isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def transport_fault(fault: httpx.TransportError, *, host: str, repeatable: bool) -> WorkspaceError:
    """The error for a request without an answer. A connection that was never made has changed nothing."""
    words = f"The workspace at {host} did not answer ({type(fault).__name__})."
    if never_sent(fault):
        return WorkspaceUnreachable(f"The workspace at {host} cannot be reached ({type(fault).__name__}).")
    return WorkspaceUnreachable(words) if repeatable else SubmissionInDoubt(words)


def retry_after(response: httpx.Response) -> float | None:
    """Retry-After in seconds, from either of its two forms; a date counts from the server's own time.

    The standard knows whole seconds only; some servers and proxies send fractions.
    """
    text = response.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_RETRY_AFTER_S)
    at, now = _date(text), _date(response.headers.get("date", "")) or datetime.now(UTC)
    return None if at is None else min(max(0.0, (at - now).total_seconds()), LONGEST_RETRY_AFTER_S)


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _words(response: httpx.Response) -> tuple[str | None, str]:
    body: Any = None
    with suppress(ValueError):
        body = response.json()
    if not isinstance(body, dict):
        return None, f"The workspace answered {response.status_code}."
    code = body.get("error_code") or body.get("scimType")
    message = body.get("message") or body.get("error") or body.get("detail") or f"HTTP {response.status_code}"
    return (str(code) if code else None), str(message)[:MAX_MESSAGE]
