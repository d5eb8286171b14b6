"""Sending what the ledger holds: first sends, retries, and the resending of what is in doubt."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import structlog

from app.domain.claim_ids import fits_inline
from app.domain.clock import Clock
from app.domain.errors import PipelineError, TaskNotMappable, WorkspaceError, WorkspaceRejected
from app.domain.events import compact_json
from app.domain.observation import RUN_NAME_PREFIX
from app.domain.runs import RunRecord
from app.domain.submissions import Submission, SubmissionState
from app.services.acceptance import Acceptance
from app.services.current_workspace import CurrentWorkspace
from app.services.failed_attempts import FailedAttempts, WorkspaceChanged
from app.services.journal import Journal
from app.services.loops import Loops
from app.services.replica import NotLeading
from app.services.targets import JobTarget, NotebookTarget, Parameters, Targets, split_parameters
from app.services.workspace_answers import StartedRun
from app.store import runs, submissions

log = structlog.get_logger()

FIRST_LOOK_S = 2.0
# So often the loop goes round until a call is on the wire, and until an attempt's news is the answer to its click.
SENDING_TURNS = 5
ANSWER_TURNS = 5


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

    async def look(self, run_id: int, *, read_within_s: float | None = None) -> None:
        """Read one run now and record what it shows. Raises TimeoutError when it cannot be read within that time."""
        ...


class Sender:
    """One attempt at a time per submission, many submissions at once; everything survives a restart.

    Sends while `run` runs, that is: on the replica that leads. `journal` is a leader's.
    """

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
        failures: FailedAttempts,
    ) -> None:
        self._journal = journal
        self._workspace = workspace
        self._current = current
        self._targets = targets
        self._parameters = parameters
        self._acceptance = acceptance
        self._watcher = watcher
        self._failures = failures
        self._tracing = journal.tracing
        self._clock: Clock = journal.clock
        self._tried: set[str] = set()  # by this process
        self._news = asyncio.Event()
        self._sending: set[str] = set()
        self._group: asyncio.TaskGroup | None = None

    def wake(self) -> None:
        """Something may be due now."""
        self._news.set()

    def marked(self, submission: Submission) -> Submission | None:
        """The new submission as it is to be recorded for `first_send`; None where it has to go by the queue.

        With workspace and job at hand nothing needs to be asked before the send, and one transaction both records the
        click and says that it may have been sent.
        """
        target, workspace_id = self._targets.at_hand(), self._current.known_id
        if self._group is None or workspace_id is None or not isinstance(target, JobTarget):
            return None
        if not target.can_run(submission.tasks):
            return None
        return replace(submission, attempts=1, **_sent_to(workspace_id, target, submission))

    async def first_send(self, marked: Submission, *, wait_s: float) -> RunRecord | None:
        """Send what `marked` gave, now that it is recorded; its run, or None if that is not known within `wait_s`."""
        target = self._targets.at_hand()
        if self._group is None or not isinstance(target, JobTarget):
            self.wake()  # stopping, or the job was forgotten meanwhile: the row is resent like any in doubt
            return None
        self._sending.add(marked.submission_id)
        self._failures.patience_s(marked)
        done = asyncio.Event()
        attempt = self._group.create_task(self._attempt(replace(marked, in_doubt=False), target))
        attempt.add_done_callback(lambda _attempt: done.set())
        answered = await self._clock.wait(done, wait_s)
        return attempt.result() if answered and not attempt.cancelled() else None

    async def run(self, loops: Loops) -> None:
        """Send what is due, for ever."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await loops.for_ever("sender", self._round)
            finally:
                self._group = None

    async def _round(self) -> None:
        self._news.clear()
        await self._clock.wait(self._news, await self._start_due())

    async def _start_due(self) -> float | None:
        """Start an attempt for everything that is due; seconds until the next is, or None."""
        async with self._journal.read(brief=True) as db:
            waiting = await submissions.open_ones(db)
            busy = bool(await runs.active(db, self._current.workspace_id))
        open_ids = {submission.submission_id for submission in waiting}
        self._tried &= open_ids
        self._failures.countdown.keep(open_ids)
        pauses_s = [self._begin(submission, busy or place > 0) for place, submission in enumerate(waiting)]
        return min((pause_s for pause_s in pauses_s if pause_s is not None), default=None)

    def _begin(self, submission: Submission, others_first: bool) -> float | None:
        """Begin an attempt if it is time; seconds until it is, None when something else decides about that."""
        submission_id = submission.submission_id
        if submission_id in self._sending or (submission.state is SubmissionState.QUEUED and others_first):
            return None
        self._failures.patience_s(submission)
        if submission.next_try_at is not None:
            # What an earlier process put off is not waited for longer than we would put it off ourselves.
            at_most_s = math.inf if submission_id in self._tried else self._failures.longest_pause_s
            left_s = self._failures.countdown.left_s(submission_id, submission.next_try_at, at_most_s=at_most_s)
            if left_s > 0:
                return left_s
        if self._group is not None:
            self._sending.add(submission_id)
            self._group.create_task(self._attempt(submission))
        return None

    async def _attempt(self, submission: Submission, marked_for: JobTarget | None = None) -> RunRecord | None:
        """One attempt, after which the submission is decided, queued, or has a time for the next try."""
        self._tried.add(submission.submission_id)
        record, leading = None, True
        try:
            with self._tracing.span("submission", submission_id=submission.submission_id, layer=submission.layer):
                record = await self._send(submission, marked_for)
        except NotLeading:
            leading = False
            log.info("submission_left_to_leader", submission_id=submission.submission_id)
        except Exception as fault:
            if not isinstance(fault, PipelineError):
                log.exception("submission_attempt_failed", submission_id=submission.submission_id)
            await self._failures.note(submission, fault)
        finally:
            self._sending.discard(submission.submission_id)
            self._acceptance.notify(submission.submission_id)
        if record is None and leading:
            self.wake()  # whoever looked for something due while this was under way had to leave it out
        return record

    async def _send(self, submission: Submission, marked_for: JobTarget | None) -> RunRecord | None:
        """Send and record the acceptance. A job that was read a while ago and does not fit is read anew, once."""
        known_id = self._current.workspace_id if marked_for else None
        workspace_id = known_id or await self._workspace_for(submission)
        target = marked_for or await self._target_of(submission)
        if isinstance(target, NotebookTarget) and await self._must_wait(submission):
            return None
        try:
            return await self._send_to(target, submission, workspace_id, marked=marked_for is not None)
        except (WorkspaceRejected, TaskNotMappable) as fault:
            again = None if submission.in_doubt else await self._targets.read_anew(target)
            if again is None:
                raise
            log.info("job_changed", submission_id=submission.submission_id, code=fault.code)
            return await self._send_to(again, submission, workspace_id, marked=False)

    async def _send_to(
        self, target: JobTarget | NotebookTarget, submission: Submission, workspace_id: str, *, marked: bool
    ) -> RunRecord | None:
        call = self._call(target, submission, await self._parameters_of(submission))
        if not marked and not await self._mark_sent(submission, workspace_id, target):
            return None
        if self._group is not None:
            self._group.create_task(self._prepare(submission))
        answer = await call()
        if answer.workspace_id not in (None, workspace_id):
            workspace_id = await self._current.ensure()  # it was replaced since we asked; the run is the new one's
        async with self._journal.transaction(brief=True) as transaction:
            record = await self._acceptance.accept(
                transaction,
                submission,
                workspace_id=workspace_id,
                run_id=answer.run_id,
                job_id=target.job_id if isinstance(target, JobTarget) else None,
                job_url=answer.job_url,
                task_keys=target.shown_keys(submission.tasks),
            )
        if self._group is None:
            return record
        looking = self._group.create_task(self._first_look(answer.run_id))
        if answer.job_url is not None:
            return record
        await asyncio.wait({looking}, timeout=FIRST_LOOK_S)  # only the run itself tells where its page is
        return None

    def _call(
        self, target: JobTarget | NotebookTarget, submission: Submission, parameters: dict[str, str]
    ) -> Callable[[], Awaitable[StartedRun]]:
        """The call that starts the run. Raises TaskNotMappable before anything is sent."""
        token = submission.submission_id
        if isinstance(target, JobTarget):
            told = self._parameters.told_once(submission.requested_at)
            declared, plain = split_parameters(target, parameters, told)
            return partial(
                self._workspace.run_job,
                target.job_id,
                idempotency_token=token,
                only=target.only(submission.tasks),
                job_parameters=declared,
                notebook_params=plain,
            )
        name = f"{RUN_NAME_PREFIX}{submission.layer} {token}"
        tasks = target.tasks(submission.tasks, {**parameters, **self._parameters.references})
        return partial(self._workspace.submit_run, name, tasks, idempotency_token=token)

    async def _target_of(self, submission: Submission) -> JobTarget | NotebookTarget:
        """A token in doubt goes to where it was sent before, whatever the settings say by now."""
        if submission.in_doubt and submission.mode is not None:
            return await self._targets.sent_to(submission.mode, submission.job_id)
        return await self._targets.for_click()

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
        async with self._journal.transaction(brief=True) as transaction:
            ahead = [one for one in await submissions.open_ones(transaction.db) if not _behind(one, submission)]
            busy = await runs.active(transaction.db, self._current.workspace_id)
            if submission.in_doubt or not (ahead or busy):
                deadline_at = self._failures.deadline()
                await submissions.change(transaction.db, submission.submission_id, deadline_at=deadline_at)
                return False
            await submissions.change(
                transaction.db, submission.submission_id, state=SubmissionState.QUEUED, next_try_at=None
            )
            transaction.tell(submission.submission_id)
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
        async with self._journal.transaction(brief=True) as transaction:
            return await submissions.change(
                transaction.db,
                submission.submission_id,
                attempts=submission.attempts + 1,
                **_sent_to(workspace_id, target, submission),
            )

    async def _prepare(self, submission: Submission) -> None:
        """Read what the acceptance will need while the workspace works on the call, not before the call is sent."""
        for _ in range(SENDING_TURNS):
            await asyncio.sleep(0)
        await self._acceptance.prepare(submission)

    async def _first_look(self, run_id: int) -> None:
        """Read the new run at once, so that its state is shown early; a failure is the poller's business."""
        for _ in range(ANSWER_TURNS):
            await asyncio.sleep(0)
        try:
            await self._watcher.look(run_id, read_within_s=FIRST_LOOK_S)
        except Exception as fault:
            if not isinstance(fault, WorkspaceError | TimeoutError):
                log.exception("first_look_failed", run_id=run_id)


def _sent_to(workspace_id: str, target: JobTarget | NotebookTarget, submission: Submission) -> dict[str, Any]:
    """What a row says once it may have been sent."""
    unmapped = target.unmapped(submission.tasks) if isinstance(target, JobTarget) else ()
    return {
        "state": SubmissionState.SUBMITTING,
        "workspace_id": workspace_id,
        "mode": "job" if isinstance(target, JobTarget) else "notebooks",
        "job_id": target.job_id if isinstance(target, JobTarget) else None,
        "unmapped": unmapped or None,
        "in_doubt": True,
        "next_try_at": None,
    }


def _behind(one: Submission, other: Submission) -> bool:
    """Whether `one` comes after `other` (or is it) in the order of the clicks."""
    return one.turn >= other.turn
