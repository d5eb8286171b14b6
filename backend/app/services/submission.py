"""The ledger: every click is written down before it is sent, and sent until the workspace has answered.

Two short transactions enclose the call. A death or a lost answer between them leaves the submission in doubt; the same
token is resent until the workspace answers, so that a kill at any point gives exactly one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import structlog

from app.domain.errors import IdempotencyKeyReused, RunActive, SubmissionNotFound
from app.domain.runs import RunRecord
from app.domain.submissions import IfActive, Submission, SubmissionState, Wish
from app.services.acceptance import Acceptance
from app.services.current_workspace import CurrentWorkspace
from app.services.journal import Journal, Transaction
from app.services.right_of_way import RightOfWay
from app.services.sending import Sender
from app.store import audit, runs, submissions

log = structlog.get_logger()

ANSWER_WITHIN_S = 20.0
# Another replica may send it, and its word may get lost: then the store tells.
LOOK_AGAIN_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a trigger answers: the submission, and its run once there is one."""

    submission: Submission | None
    run: RunRecord | None


class Ledger:
    """Takes wishes and answers what became of them."""

    def __init__(
        self,
        *,
        journal: Journal,
        current: CurrentWorkspace,
        acceptance: Acceptance,
        sender: Sender,
        right_of_way: RightOfWay,
        deadline_s: float,
    ) -> None:
        self._right_of_way = right_of_way
        self._journal = journal
        self._current = current
        self._acceptance = acceptance
        self._sender = sender
        self._clock = journal.clock
        self._deadline_s = deadline_s

    async def trigger(self, wish: Wish, *, wait_s: float = ANSWER_WITHIN_S) -> Accepted:
        """Record the wish, have it sent, and answer as soon as the workspace has, at the latest after `wait_s`.

        Raises RunActive (if_active=reject) and IdempotencyKeyReused. A repeat of a request_key answers for the first.
        """
        with self._right_of_way.taken():
            return await self._triggered(wish, wait_s)

    async def _triggered(self, wish: Wish, wait_s: float) -> Accepted:
        deadline = self._clock.monotonic() + wait_s
        recorded, is_new = await self._record(wish)
        submission = recorded.submission
        if submission is None or not submission.state.open:
            return await self._with_run(recorded)
        if not is_new or submission.state is SubmissionState.RECORDED:
            self._sender.wake()
        elif run := await self._sender.first_send(submission, wait_s=wait_s):
            return Accepted(replace(submission, state=SubmissionState.ACCEPTED, run_id=run.run_id), run)
        return await self.wait(submission.submission_id, wait_s=deadline - self._clock.monotonic())

    async def get(self, submission_id: str) -> Accepted:
        """The submission and its run. Raises SubmissionNotFound."""
        async with self._journal.read(brief=True) as db:
            submission = await submissions.get(db, submission_id)
        if submission is None:
            raise SubmissionNotFound(f"There is no submission {submission_id}.", submission_id=submission_id)
        return await self._with_run(Accepted(submission, None))

    async def wait(self, submission_id: str, *, wait_s: float) -> Accepted:
        """The submission as soon as it is decided or queued, or as it stands after `wait_s`."""
        async with self._acceptance.listening(submission_id) as news:
            found = await self.get(submission_id)
            deadline = self._clock.monotonic() + wait_s
            while _undecided(found) and (left := deadline - self._clock.monotonic()) > 0:
                await self._clock.wait(news, min(left, LOOK_AGAIN_AFTER_S))
                news.clear()
                found = await self.get(submission_id)
        return found

    async def _record(self, wish: Wish) -> tuple[Accepted, bool]:
        """What the wish amounts to, and whether a new row was written that is to be sent."""
        async with self._journal.transaction(brief=True) as transaction:
            if wish.request_key is not None:
                earlier = await _by_request_key(transaction, wish, wish.request_key)
                if earlier is not None:
                    return Accepted(earlier, None), False
            waiting = await submissions.open_ones(transaction.db)
            conflict = await self._conflict(transaction, wish, waiting)
            if conflict is not None and wish.if_active is IfActive.REJECT:
                raise _run_active(conflict)
            joined = conflict is not None and wish.if_active is IfActive.JOIN
            run = conflict.run if conflict is not None and joined else None
            submission = self._new(wish, joined=run, place=max((one.place for one in waiting), default=0) + 1)
            if conflict is not None and joined and (wish.request_key is None or submission.run_id is None):
                await _note_joined(transaction, wish, conflict)
                return conflict, False
            if not joined:
                submission = self._sender.marked(submission) or submission
            await submissions.record(transaction.db, submission)
            transaction.tell(submission.submission_id)
            await _audit(transaction, wish, submission)
        log.info("submission_recorded", submission_id=submission.submission_id, layer=wish.layer, tasks=wish.tasks)
        return Accepted(submission, conflict.run if joined and conflict else None), not joined

    def _new(self, wish: Wish, *, joined: RunRecord | None, place: int) -> Submission:
        """The row of the wish; one that joins an active run is decided from the start."""
        now = self._clock.now()
        return Submission(
            submission_id=str(uuid4()),
            request_key=wish.request_key,
            request_hash=wish.digest(),
            workspace_id=joined.workspace_id if joined else self._current.workspace_id,
            state=SubmissionState.ACCEPTED if joined else SubmissionState.RECORDED,
            layer=wish.layer,
            tasks=wish.tasks,
            claim_ids=wish.claim_ids,
            reason=wish.reason,
            if_active=wish.if_active,
            requested_by=wish.requested_by,
            requested_at=now,
            deadline_at=now + timedelta(seconds=self._deadline_s),
            run_id=joined.run_id if joined else None,
            job_url=joined.job_url if joined else None,
            place=place,
        )

    async def _conflict(self, transaction: Transaction, wish: Wish, waiting: Sequence[Submission]) -> Accepted | None:
        """The active run, or the click still on its way, whose tasks overlap with the wish's."""
        wanted = set(wish.tasks)
        for record in await runs.active(transaction.db, self._current.workspace_id):
            if record.task_set is None or wanted & set(record.task_set.split(",")):
                return Accepted(None, record)
        for submission in waiting:
            if wanted & set(submission.tasks):
                return Accepted(submission, None)
        return None

    async def _with_run(self, found: Accepted) -> Accepted:
        submission, run = found.submission, found.run
        async with self._journal.read(brief=True) as db:
            if run is None and submission is not None and submission.run_id is not None:
                run = await runs.load(db, submission.workspace_id or "", submission.run_id)
            if submission is None and run is not None and run.submission_id is not None:
                submission = await submissions.get(db, run.submission_id)
        return Accepted(submission, run)


def _undecided(found: Accepted) -> bool:
    return found.submission is not None and found.submission.state in {
        SubmissionState.RECORDED,
        SubmissionState.SUBMITTING,
    }


async def _by_request_key(transaction: Transaction, wish: Wish, request_key: str) -> Submission | None:
    """What the first click with this key has made or joined. Raises IdempotencyKeyReused."""
    earlier = await submissions.by_request_key(transaction.db, request_key)
    request_hash = earlier.request_hash if earlier else None
    if earlier is None and (joined := await submissions.joined_by_request_key(transaction.db, request_key)):
        earlier, request_hash = joined
    if earlier is not None and request_hash != wish.digest():
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used before with another request.", submission_id=earlier.submission_id
        )
    return earlier


async def _note_joined(transaction: Transaction, wish: Wish, conflict: Accepted) -> None:
    """A click that joins another one, still on its way, makes no row; its repeats are to answer for the same."""
    if wish.request_key is not None and conflict.submission is not None:
        submission_id = conflict.submission.submission_id
        await submissions.record_joined(transaction.db, wish.request_key, wish.digest(), submission_id)


def _run_active(conflict: Accepted) -> RunActive:
    run, submission = conflict.run, conflict.submission
    layer = run.layer if run else submission.layer if submission else None
    return RunActive(
        f"A run of {layer or 'these tasks'} is active; queue behind it, join it, or wait.",
        run_id=run.run_id if run else None,
        submission_id=run.submission_id if run else submission.submission_id if submission else None,
        layer=layer,
        tasks=list(run.task_keys if run else submission.tasks if submission else ()),
        job_url=run.job_url if run else None,
        allowed=["queue", "join"],
    )


async def _audit(transaction: Transaction, wish: Wish, submission: Submission) -> None:
    what: dict[str, Sequence[str] | str | int] = {
        "layer": wish.layer,
        "tasks": list(wish.tasks),
        "claim_ids": len(wish.claim_ids),
        "if_active": wish.if_active.value,
    }
    await audit.write(
        transaction.db,
        at=submission.requested_at,
        who=wish.requested_by,
        action="trigger",
        subject=f"submission {submission.submission_id}",
        reason=wish.reason,
        what=what,
    )
