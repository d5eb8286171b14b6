"""What a failed attempt to send a submission means: decided, to be tried again, or to be looked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import structlog

from app.domain.advice import advice
from app.domain.clock import iso
from app.domain.errors import (
    PipelineError,
    SubmissionInDoubt,
    TaskNotMappable,
    WorkspaceError,
    WorkspaceRejected,
    WorkspaceUnauthorized,
)
from app.domain.events import FAILED, SUBMITTING, EventDraft
from app.domain.submissions import Submission, SubmissionState
from app.services.countdown import Countdown
from app.services.journal import Journal
from app.services.metrics import Metrics
from app.services.retrying import RetryPolicy
from app.services.targets import Targets, is_gone
from app.store import submissions

log = structlog.get_logger()


class Seeker(Protocol):
    """What the poller does for a token in doubt."""

    async def tick(self) -> None:
        """Read everything now; a run that carries a submission's id is joined with it."""
        ...

    def wake(self) -> None:
        """Something may be active now: do not rest as long as when nothing is."""
        ...


class WorkspaceChanged(PipelineError):
    """The address is answered by another workspace than the one the token was sent to."""

    code = "workspace_changed"


class FailedAttempts:
    """Records failed attempts: final refusals, losses, and when to try again."""

    def __init__(
        self, *, journal: Journal, targets: Targets, seeker: Seeker, policy: RetryPolicy, metrics: Metrics
    ) -> None:
        self._journal = journal
        self._clock = journal.clock
        self._targets = targets
        self._seeker = seeker
        self._policy = policy
        self._metrics = metrics
        self.countdown = Countdown(journal.clock)
        self.longest_pause_s = policy.cap_s

    def patience_s(self, submission: Submission) -> float:
        """How much longer a submission that the workspace does not take is tried; counted from when we first ask."""
        deadline_s = self._policy.deadline_s
        return self.countdown.left_s(submission.submission_id, submission.deadline_at, at_most_s=deadline_s)

    def deadline(self) -> datetime:
        """Until when an attempt that begins now is repeated."""
        return self._clock.now() + timedelta(seconds=self._policy.deadline_s)

    async def note(self, submission: Submission, fault: Exception) -> None:
        """Record the failure; should even that fail, the row stays open and is tried again after a pause."""
        try:
            await self._failed(submission, fault)
        except Exception:
            log.exception("submission_failure_not_recorded", submission_id=submission.submission_id)
            await self._clock.sleep(1.0)

    async def _failed(self, submission: Submission, fault: Exception) -> None:
        """Decide what a failed attempt means. What was in doubt before stays so until the workspace answers for it."""
        looked = True
        if submission.in_doubt and isinstance(fault, WorkspaceRejected | TaskNotMappable):
            looked = await self._seek()
        present = await self._present(submission)
        if present is None or not present.state.open:
            return
        known = isinstance(fault, PipelineError)
        in_doubt = submission.in_doubt or isinstance(fault, SubmissionInDoubt) or (present.in_doubt and not known)
        if isinstance(fault, WorkspaceChanged):
            await self._end(present, SubmissionState.LOST, fault)
        elif looked and self._is_final(present, fault, in_doubt=in_doubt):
            await self._end(present, SubmissionState.REFUSED, fault)
        else:
            await self._postpone(present, fault, in_doubt=in_doubt)

    async def _present(self, submission: Submission) -> Submission | None:
        async with self._journal.read(brief=True) as db:
            return await submissions.get(db, submission.submission_id)

    async def _seek(self) -> bool:
        """A token in doubt was refused: its run may exist all the same, and carries the submission's id.

        False when the runs could not be read; then nothing may be concluded yet.
        """
        try:
            await self._seeker.tick()
        except WorkspaceError:
            log.info("seek_failed")
            return False
        self._seeker.wake()
        return True

    def _is_final(self, submission: Submission, fault: Exception, *, in_doubt: bool) -> bool:
        if isinstance(fault, WorkspaceRejected):
            if is_gone(fault):
                self._targets.forget()
            # A lost permission says nothing about what an earlier send of the token has done.
            return not (in_doubt and fault.status == HTTPStatus.FORBIDDEN)
        if isinstance(fault, WorkspaceUnauthorized):
            return not in_doubt
        if isinstance(fault, PipelineError) and not isinstance(fault, WorkspaceError):
            return True
        return not in_doubt and self.patience_s(submission) <= 0

    async def _postpone(self, submission: Submission, fault: Exception, *, in_doubt: bool) -> None:
        words = fault if isinstance(fault, WorkspaceError) else WorkspaceError("An unexpected fault; see the log.")
        attempts = max(submission.attempts, 1)
        next_try_at = self._clock.now() + timedelta(seconds=self._policy.pause_s(attempts, words))
        reason = {"code": words.code, "message": words.message, "advice": advice(words.code)}
        async with self._journal.transaction(brief=True) as transaction:
            await submissions.change(
                transaction.db,
                submission.submission_id,
                state=SubmissionState.SUBMITTING,
                in_doubt=in_doubt,
                attempts=attempts,
                next_try_at=next_try_at,
                error=reason,
            )
            await transaction.append(
                [
                    EventDraft(
                        SUBMITTING,
                        {
                            "run_id": None,
                            "submission_id": submission.submission_id,
                            "layer": submission.layer,
                            "tasks": list(submission.tasks),
                            "requested_by": submission.requested_by,
                            "reason": words.message,
                            "code": words.code,
                            "in_doubt": in_doubt,
                            "attempts": attempts,
                            "next_try_at": iso(next_try_at),
                        },
                    )
                ]
            )
        log.warning("submission_postponed", submission_id=submission.submission_id, code=words.code, in_doubt=in_doubt)

    async def _end(self, submission: Submission, state: SubmissionState, fault: Exception) -> None:
        code = fault.code if isinstance(fault, PipelineError) else "internal_error"
        error = {
            "code": getattr(fault, "error_code", None) or code,
            "message": str(fault),
            "task": None,
            "trace_excerpt": None,
            "advice": advice(code),
        }
        async with self._journal.transaction(brief=True) as transaction:
            changed = await submissions.change(
                transaction.db,
                submission.submission_id,
                state=state,
                in_doubt=False,
                next_try_at=None,
                error=error,
            )
            if changed:
                body = {
                    "run_id": None,
                    "submission_id": submission.submission_id,
                    "submission_state": state.value,
                    "layer": submission.layer,
                    "tasks": [],
                    "claim_ids": list(submission.claim_ids),
                    "requested_by": submission.requested_by,
                    "result": None,
                    "error": error,
                    "retryable": True,
                }
                await transaction.append([EventDraft(FAILED, body)])
        if changed:
            self._metrics.submission_decided(state.value)
        log.warning("submission_ended", submission_id=submission.submission_id, state=state.value, code=error["code"])
