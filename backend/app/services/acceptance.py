"""The moment a click becomes a run: recorded once, whether the answer or the poller brings the news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from app.domain.fold import started
from app.domain.runs import RunRecord, to_millis
from app.domain.submissions import Submission, SubmissionState
from app.services.eta import EtaService
from app.services.journal import Transaction
from app.services.metrics import Metrics
from app.store import predictions, runs, submissions

log = structlog.get_logger()


class Acceptance:
    """Writes the acceptance of a submission; whoever waits for a decision is woken after the commit."""

    def __init__(self, *, eta: EtaService, metrics: Metrics) -> None:
        self._eta = eta
        self._metrics = metrics
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def accept(
        self,
        transaction: Transaction,
        submission: Submission,
        *,
        workspace_id: str,
        run_id: int,
        job_id: int | None,
        job_url: str | None,
        task_keys: tuple[str, ...],
    ) -> RunRecord | None:
        """Store the run id and append `started`, unless that has happened already (then None)."""
        changed = await submissions.change(
            transaction.db,
            submission.submission_id,
            state=SubmissionState.ACCEPTED,
            workspace_id=workspace_id,
            run_id=run_id,
            job_id=job_id,
            job_url=job_url,
            in_doubt=False,
            next_try_at=None,
            error=None,
        )
        if not changed:
            return None
        self._metrics.submission_decided(SubmissionState.ACCEPTED.value)
        known = await runs.load(transaction.db, workspace_id, run_id)
        if known is not None:
            await runs.save(transaction.db, replace(known, submission_id=submission.submission_id), before=known)
            return None
        record = RunRecord(
            workspace_id=workspace_id,
            run_id=run_id,
            submission_id=submission.submission_id,
            job_id=job_id,
            layer=submission.layer,
            task_keys=task_keys,
            task_set=",".join(submission.tasks),
            claim_ids=submission.claim_ids,
            job_url=job_url,
            requested_by=submission.requested_by,
            requested_at=to_millis(submission.requested_at),
        )
        log.info("run_accepted", submission_id=submission.submission_id, run_id=run_id, job_id=job_id)
        return await self.begin(transaction, record, reason=submission.reason)

    async def prepare(self, submission: Submission) -> None:
        """Read beforehand what the acceptance will need; it does without if there was no time for that."""
        if not submission.claim_ids:
            await self._eta.prepare(submission.submission_id, ",".join(submission.tasks))

    async def begin(self, transaction: Transaction, record: RunRecord, *, reason: str | None) -> RunRecord:
        """Append the `started` of a new run, with its estimate."""
        eta = await self._eta.for_start(transaction.db, record, now=transaction.now)
        begun = await transaction.record_run(None, [started(record, eta=eta, reason=reason)])
        if eta is not None:
            await predictions.record(transaction.db, begun, eta)
        return begun

    def notify(self, key: str) -> None:
        """Wake those who wait for news of a submission or action."""
        for event in self._waiting.get(key, ()):
            event.set()

    @asynccontextmanager
    async def listening(self, key: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set at news of `key`; clear it before looking again."""
        event = asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            listeners = self._waiting[key]
            listeners.discard(event)
            if not listeners:
                del self._waiting[key]
