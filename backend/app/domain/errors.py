"""Everything that can go wrong, as one tree. Each class carries the stable public `code` of the answer's body.

PipelineError
├ NotFound ├ RunNotFound ├ TaskNotFound ├ SubmissionNotFound ├ ClaimNotFound └ NoFaultSwitchboard
├ InvalidRequest ├ InvalidClaimIds ├ UnknownLayer └ InvalidPageToken
├ BrokenJson
├ SubmissionConflict ├ RunActive └ IdempotencyKeyReused
├ RateLimited
├ RoleNotSufficient
├ RunNotActive
├ RunNotRepairable
├ TaskNotMappable
├ StreamPositionLost
└ WorkspaceError
  ├ SubmissionInDoubt (sent, answer unknown: resend the same token)
  ├ WorkspaceThrottled (retry after retry_after_s)
  ├ WorkspaceUnreachable (nothing was sent, or only a read)
  ├ WorkspaceUnauthorized
  ├ WorkspaceRejected (final)
  └ WorkspaceProtocolError (an answer that is not of the API)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class PipelineError(Exception):
    """Base of the tree. `details` is public: no token, no customer data."""

    code = "pipeline_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = details


class NotFound(PipelineError):
    """The thing asked for does not exist."""

    code = "not_found"


class RunNotFound(NotFound):
    """No run with this run_id is known."""

    code = "run_not_found"


class TaskNotFound(NotFound):
    """The run has no such task_key."""

    code = "task_not_found"


class SubmissionNotFound(NotFound):
    """No submission with this id is known."""

    code = "submission_not_found"


class ClaimNotFound(NotFound):
    """The claim is in no layer and was never landed."""

    code = "claim_not_found"


class NoFaultSwitchboard(NotFound):
    """The workspace is no local one; nothing goes wrong there on purpose."""

    code = "no_fault_switchboard"


class InvalidRequest(PipelineError):
    """The request can be read but not accepted."""

    code = "invalid_request"


class InvalidClaimIds(InvalidRequest):
    """A claim id is malformed, or there are too many."""

    code = "invalid_claim_ids"


class UnknownLayer(InvalidRequest):
    """The layer is none of bronze, silver, gold, all."""

    code = "unknown_layer"


class InvalidPageToken(InvalidRequest):
    """The page token was not given out by this server."""

    code = "invalid_page_token"


class BrokenJson(PipelineError):
    """The body is not JSON."""

    code = "broken_json"


class SubmissionConflict(PipelineError):
    """The trigger cannot be taken beside what exists."""

    code = "submission_conflict"


class RunActive(SubmissionConflict):
    """A run with overlapping tasks is active; `details.run_id` names it (null while it has no run id yet)."""

    code = "run_active"


class IdempotencyKeyReused(SubmissionConflict):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_key_reused"


class RateLimited(PipelineError):
    """The sender has asked too often; `retry_after_s` says when to come again."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_s: float, **details: Any) -> None:
        super().__init__(message, retry_after_s=round(retry_after_s, 3), **details)
        self.retry_after_s = retry_after_s


class RoleNotSufficient(PipelineError):
    """Whoever signed in may not do this."""

    code = "role_not_sufficient"


class RunNotActive(PipelineError):
    """The run has ended; there is nothing to cancel."""

    code = "run_not_active"


class RunNotRepairable(PipelineError):
    """Only a run that ended without success can be repaired."""

    code = "run_not_repairable"


class TaskNotMappable(PipelineError):
    """The job of the workspace has no task that runs the notebook asked for."""

    code = "task_not_mappable"


class StreamPositionLost(PipelineError):
    """The log no longer has (or never had) the position; a snapshot is needed."""

    code = "stream_position_lost"


class WorkspaceError(PipelineError):
    """The workspace could not be used."""

    code = "workspace_error"


class SubmissionInDoubt(WorkspaceError):
    """The request was sent and the answer is unknown. Resending the same token is safe; guessing is not."""

    code = "submission_in_doubt"

    def __init__(self, message: str, *, retry_after_s: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after_s = retry_after_s


class WorkspaceThrottled(WorkspaceError):
    """The workspace asks to slow down (429). Nothing was done."""

    code = "workspace_throttled"

    def __init__(self, message: str, *, retry_after_s: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after_s = retry_after_s


class WorkspaceUnreachable(WorkspaceError):
    """No connection, or a read that was not answered. Nothing was changed."""

    code = "workspace_unreachable"

    def __init__(self, message: str, *, retry_after_s: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after_s = retry_after_s


class WorkspaceUnauthorized(WorkspaceError):
    """The credentials are missing, wrong or expired."""

    code = "workspace_unauthorized"


class WorkspaceRejected(WorkspaceError):
    """The workspace understood the request and refused it. Final: the same request will be refused again."""

    code = "workspace_rejected"

    def __init__(self, message: str, *, status: int = 400, error_code: str | None = None, **details: Any) -> None:
        super().__init__(message, status=status, error_code=error_code, **details)
        self.status = status
        self.error_code = error_code


class WorkspaceProtocolError(WorkspaceError):
    """The answer is not what the API promises (no JSON, a missing field)."""

    code = "workspace_protocol_error"


def every_error(root: type[PipelineError] = PipelineError) -> Iterator[type[PipelineError]]:
    """The root and all its descendants, parents first."""
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)
