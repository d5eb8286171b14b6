"""Sending what the ledger holds: first sends, retries, and the resolution of what is in doubt."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from app.domain.advice import advice
from app.domain.claim_ids import fits_inline
from app.domain.clock import iso
from app.domain.errors import (
    PipelineError,
    SubmissionInDoubt,
    WorkspaceError,
    WorkspaceRejected,
    WorkspaceUnauthorized,
)
from app.domain.events import FAILED, SUBMITTING, EventDraft, compact_json
from app.domain.observation import RUN_NAME_PREFIX
from app.domain.submissions import Submission, SubmissionState
from app.services.acceptance import Acceptance
from app.services.current_workspace import CurrentWorkspace
from app.services.journal import Journal
from app.services.retrying import RetryPolicy
from app.services.targets import JobTarget, NotebookTarget, Parameters, Targets, is_gone, split_parameters
from app.services.workspace_answers import StartedRun
from app.store import runs, submissions

log = structlog.get_logger()

FIRST_LOOK_S = 2.0


class SubmitApi(Protocol):
    """The calls this module makes."""

    async def run_job(
        self,
        job_id: int,
        *,
        idempotency_token: str,
        only: Any = (),
        job_parameters: Any = None,
        notebook_params: Any = None,
    ) -> StartedRun: ...

    async def submit_run(self, run_name: str, tasks: Any, *, idempotency_token: str) -> StartedRun: ...

    async def write_file(self, path: str, content: bytes) -> None: ...


class Watcher(Protocol):
    """What the poller does for the sender."""

    async def look(self, run_id: int) -> None:
        """Read one run now and record what it shows."""
        ...

    async def tick(self) -> None:
        """Read everything now; a run that carries a submission's id is joined with it."""
        ...


class WorkspaceChanged(PipelineError):
    """The address is answered by another workspace than the one the token was sent to."""

    code = "workspace_changed"


class Sender:
    """One attempt at a time per submission, many submissions at once; everything survives a restart."""

    def __init__(
        self,
        *,
        journal: Journal,
        workspace: SubmitApi,
        current: CurrentWorkspace,
        targets: Targets,
        parameters: Parameters,
        acceptance: Acceptance,
        watcher: Watcher,
        policy: RetryPolicy,
    ) -> None:
        self._journal = journal
        self._workspace = workspace
        self._current = current
        self._targets = targets
        self._parameters = parameters
        self._acceptance = acceptance
        self._watcher = watcher
        self._clock = journal.clock
        self._policy = policy
        self._news = asyncio.Event()
        self._sending: set[str] = set()

    def wake(self) -> None:
        """Something may be due now."""
        self._news.set()

    async def run(self) -> None:
        """Send what is due, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                pause_s = await self._start_due(group)
                try:
                    async with asyncio.timeout(pause_s):
                        await self._news.wait()
                except TimeoutError:
                    continue

    async def _start_due(self, group: asyncio.TaskGroup) -> float | None:
        """Start an attempt for everything that is due; seconds until the next is, or None."""
        async with self._journal.read() as db:
            waiting = await submissions.open_ones(db)
            busy = bool(await runs.active(db, self._current.workspace_id))
        now = self._clock.now()
        later: list[datetime] = []
        for place, submission in enumerate(waiting):
            if submission.submission_id in self._sending:
                continue
            if submission.state is SubmissionState.QUEUED and (busy or place > 0):
                continue
            if submission.next_try_at is not None and submission.next_try_at > now:
                later.append(submission.next_try_at)
                continue
            self._sending.add(submission.submission_id)
            group.create_task(self._attempt(submission))
        return max(0.0, (min(later) - now).total_seconds()) if later else None

    async def _attempt(self, submission: Submission) -> None:
        """One attempt, after which the submission is decided, queued, or has a time for the next try."""
        try:
            await self._send(submission)
        except Exception as fault:
            if not isinstance(fault, PipelineError):
                log.exception("submission_attempt_failed", submission_id=submission.submission_id)
            await self._note_failure(submission, fault)
        finally:
            self._sending.discard(submission.submission_id)
            self._acceptance.notify(submission.submission_id)
            self.wake()

    async def _send(self, submission: Submission) -> None:
        workspace_id = await self._workspace_for(submission)
        target = await self._targets.for_click()
        if isinstance(target, NotebookTarget) and await self._must_wait(submission):
            return
        only = target.only(submission.tasks) if isinstance(target, JobTarget) else ()
        parameters = await self._parameters_of(submission)
        split = (
            split_parameters(target, parameters, self._parameters.references) if isinstance(target, JobTarget) else None
        )
        if not await self._mark_sent(submission, workspace_id, target):
            return
        token = submission.submission_id
        if isinstance(target, JobTarget) and split is not None:
            answer = await self._workspace.run_job(
                target.job_id, idempotency_token=token, only=only, job_parameters=split[0], notebook_params=split[1]
            )
            task_keys = target.shown_keys(submission.tasks)
        elif isinstance(target, NotebookTarget):
            told = {**parameters, **self._parameters.references}
            name = f"{RUN_NAME_PREFIX}{submission.layer} {token}"
            answer = await self._workspace.submit_run(
                name, target.tasks(submission.tasks, told), idempotency_token=token
            )
            task_keys = submission.tasks
        job_id = target.job_id if isinstance(target, JobTarget) else None
        async with self._journal.transaction() as transaction:
            await self._acceptance.accept(
                transaction,
                submission,
                workspace_id=workspace_id,
                run_id=answer.run_id,
                job_id=job_id,
                job_url=answer.job_url,
                task_keys=task_keys,
            )
        await self._first_look(answer.run_id)

    async def _workspace_for(self, submission: Submission) -> str:
        """The workspace to send to. A token that may have reached one workspace is never sent to another."""
        if not submission.in_doubt:
            return await self._current.ensure()
        workspace_id = await self._current.verify()
        if submission.workspace_id not in (None, workspace_id):
            raise WorkspaceChanged("The address is answered by another workspace now.")
        return workspace_id

    async def _must_wait(self, submission: Submission) -> bool:
        """Without a job the ledger itself keeps the queue: one run at a time, in the order of the clicks."""
        async with self._journal.transaction() as transaction:
            ahead = [one for one in await submissions.open_ones(transaction.db) if not _behind(one, submission)]
            busy = await runs.active(transaction.db, self._current.workspace_id)
            if submission.in_doubt or not (ahead or busy):
                deadline_at = self._clock.now() + timedelta(seconds=self._policy.deadline_s)
                await submissions.change(transaction.db, submission.submission_id, deadline_at=deadline_at)
                return False
            await submissions.change(
                transaction.db, submission.submission_id, state=SubmissionState.QUEUED, next_try_at=None
            )
        return True

    async def _parameters_of(self, submission: Submission) -> dict[str, str]:
        """The run's parameters; claim ids that are too many to travel go through a file."""
        if fits_inline(submission.claim_ids):
            return self._parameters.of(
                submission.submission_id, claim_ids=",".join(submission.claim_ids), claim_ids_path=""
            )
        path = f"{self._parameters.control_path}/requests/{submission.submission_id}.json"
        await self._workspace.write_file(path, compact_json(list(submission.claim_ids)).encode())
        return self._parameters.of(submission.submission_id, claim_ids="", claim_ids_path=path)

    async def _mark_sent(self, submission: Submission, workspace_id: str, target: JobTarget | NotebookTarget) -> bool:
        """Durable before the wire: from here on the answer counts as unknown until it is known."""
        is_job = isinstance(target, JobTarget)
        unmapped = list(target.unmapped(submission.tasks)) if isinstance(target, JobTarget) else []
        async with self._journal.transaction() as transaction:
            return await submissions.change(
                transaction.db,
                submission.submission_id,
                state=SubmissionState.SUBMITTING,
                workspace_id=workspace_id,
                mode="job" if is_job else "notebooks",
                job_id=target.job_id if isinstance(target, JobTarget) else None,
                unmapped=unmapped or None,
                in_doubt=True,
                attempts=submission.attempts + 1,
                next_try_at=None,
            )

    async def _note_failure(self, submission: Submission, fault: Exception) -> None:
        """Record the failure; should even that fail, the row stays open and is tried again after a pause."""
        try:
            await self._failed(submission, fault)
        except Exception:
            log.exception("submission_failure_not_recorded", submission_id=submission.submission_id)
            await self._clock.sleep(1.0)

    async def _failed(self, submission: Submission, fault: Exception) -> None:
        """Decide what a failed attempt means. What was in doubt before stays so until the workspace answers for it."""
        if submission.in_doubt and isinstance(fault, WorkspaceRejected):
            await self._seek()
        present = await self._present(submission)
        if present is None or not present.state.open:
            return
        known = isinstance(fault, PipelineError)
        in_doubt = submission.in_doubt or isinstance(fault, SubmissionInDoubt) or (present.in_doubt and not known)
        if isinstance(fault, WorkspaceChanged):
            await self._end(present, SubmissionState.LOST, fault)
        elif self._is_final(present, fault, in_doubt=in_doubt):
            await self._end(present, SubmissionState.REFUSED, fault)
        else:
            await self._postpone(present, fault, in_doubt=in_doubt)

    async def _present(self, submission: Submission) -> Submission | None:
        async with self._journal.read() as db:
            return await submissions.get(db, submission.submission_id)

    async def _seek(self) -> None:
        """A token in doubt was refused: its run may exist all the same, and carries the submission's id."""
        try:
            await self._watcher.tick()
        except WorkspaceError:
            log.info("seek_failed")

    def _is_final(self, submission: Submission, fault: Exception, *, in_doubt: bool) -> bool:
        if isinstance(fault, WorkspaceRejected):
            if is_gone(fault):
                self._targets.forget()
            return True
        if isinstance(fault, WorkspaceUnauthorized):
            return not in_doubt
        if isinstance(fault, PipelineError) and not isinstance(fault, WorkspaceError):
            return True
        return not in_doubt and self._clock.now() >= submission.deadline_at

    async def _postpone(self, submission: Submission, fault: Exception, *, in_doubt: bool) -> None:
        words = fault if isinstance(fault, WorkspaceError) else WorkspaceError("An unexpected fault; see the log.")
        attempts = max(submission.attempts, 1)
        next_try_at = self._clock.now() + timedelta(seconds=self._policy.pause_s(attempts, words))
        reason = {"code": words.code, "message": words.message, "advice": advice(words.code)}
        async with self._journal.transaction() as transaction:
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
        async with self._journal.transaction() as transaction:
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
        log.warning("submission_ended", submission_id=submission.submission_id, state=state.value, code=error["code"])

    async def _first_look(self, run_id: int) -> None:
        """Read the new run at once, so that the answer carries its state; a failure is the poller's business."""
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                await self._watcher.look(run_id)
        except (WorkspaceError, TimeoutError):
            log.info("first_look_failed", run_id=run_id)


def _behind(one: Submission, other: Submission) -> bool:
    """Whether `one` comes after `other` (or is it) in the order of the clicks."""
    return (one.requested_at, one.submission_id) >= (other.requested_at, other.submission_id)
