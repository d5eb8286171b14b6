"""Cancelling and repairing runs: wishes in the ledger like any other."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol
from uuid import uuid4

import structlog

from app.domain.errors import (
    PipelineError,
    RunNotActive,
    RunNotFound,
    RunNotRepairable,
    SubmissionInDoubt,
    WorkspaceError,
    WorkspaceRejected,
    WorkspaceThrottled,
    WorkspaceUnauthorized,
    WorkspaceUnreachable,
)
from app.domain.events import CANCELING, EventDraft
from app.domain.run_states import SUCCESSES
from app.domain.runs import RunRecord
from app.domain.submissions import ActionKind, ActionState, RunAction
from app.domain.views import cancel_view
from app.services.acceptance import Acceptance
from app.services.countdown import Countdown
from app.services.current_workspace import CurrentWorkspace
from app.services.journal import Journal, Transaction
from app.services.loops import Loops
from app.services.replica import NotLeading
from app.services.retrying import RetryPolicy
from app.store import actions, audit, runs

log = structlog.get_logger()

ANSWER_WITHIN_S = 20.0
LOOK_AGAIN_AFTER_S = 1.0


class ActionApi(Protocol):
    """The calls this module makes."""

    async def cancel_run(self, run_id: int) -> None: ...

    async def repair_run(self, run_id: int, *, latest_repair_id: int | None, rerun_tasks: Any = ()) -> int: ...

    async def get_run_status(self, run_id: int, *, include_history: bool = False) -> dict[str, Any]: ...


class RepairWatcher(Protocol):
    """What the poller does for repairs and cancellations."""

    def expect_attempt(self, run_id: int) -> None: ...

    async def look(self, run_id: int) -> None: ...


class RunActions:
    """Records cancellations and repairs, sends them, and resolves what is in doubt by reading, never by guessing.

    Any replica records; the one that leads, where `run` runs, sends.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        workspace: ActionApi,
        current: CurrentWorkspace,
        acceptance: Acceptance,
        watcher: RepairWatcher,
        policy: RetryPolicy,
    ) -> None:
        self._journal = journal
        self._leading = journal.for_leader()
        self._workspace = workspace
        self._current = current
        self._acceptance = acceptance
        self._watcher = watcher
        self._policy = policy
        self._clock = journal.clock
        self._countdown = Countdown(journal.clock)
        self._tried: set[str] = set()  # by this process
        self._expects = False
        self._news = asyncio.Event()
        self._sending: set[str] = set()

    async def cancel(self, run_id: int, *, requested_by: str, reason: str | None) -> RunAction:
        """Ask for cancellation. Raises RunNotFound, RunNotActive. Done is what the workspace says later."""
        return await self._ask(ActionKind.CANCEL, run_id, requested_by, reason)

    async def repair(self, run_id: int, *, requested_by: str, reason: str | None) -> RunAction:
        """Ask for a repair of what failed. Raises RunNotFound, RunNotRepairable."""
        return await self._ask(ActionKind.REPAIR, run_id, requested_by, reason)

    def wake(self) -> None:
        """Something may be due now."""
        self._news.set()

    async def run(self, loops: Loops) -> None:
        """Send what is due, for ever."""
        self._expects = False  # another replica may have led meanwhile
        async with asyncio.TaskGroup() as group:
            await loops.for_ever("run_actions", lambda: self._round(group))

    async def _round(self, group: asyncio.TaskGroup) -> None:
        self._news.clear()
        if not self._expects:
            await self._expect_unseen()
            self._expects = True
        await self._clock.wait(self._news, await self._start_due(group))

    async def _ask(self, kind: ActionKind, run_id: int, requested_by: str, reason: str | None) -> RunAction:
        async with self._journal.transaction(brief=True) as transaction:
            record = await runs.find(transaction.db, run_id, workspace_id=self._current.workspace_id)
            if record is None:
                raise RunNotFound(f"There is no run {run_id}.", run_id=run_id)
            _check(kind, record)
            action = await self._recorded(transaction, kind, record, requested_by, reason)
            transaction.tell(action.action_id)
        self.wake()
        return await self._wait(action.action_id)

    async def _recorded(
        self, transaction: Transaction, kind: ActionKind, record: RunRecord, requested_by: str, reason: str | None
    ) -> RunAction:
        """A new row; or the one that asks for the same and is not decided yet."""
        for earlier in await actions.of_run(transaction.db, record.workspace_id, record.run_id, kind):
            if earlier.state.open and earlier.attempt == record.attempt:
                return earlier
        now = self._clock.now()
        action = RunAction(
            action_id=str(uuid4()),
            kind=kind,
            workspace_id=record.workspace_id,
            run_id=record.run_id,
            attempt=record.attempt,
            state=ActionState.RECORDED,
            requested_by=requested_by,
            requested_at=now,
            deadline_at=now + timedelta(seconds=self._policy.deadline_s),
            reason=reason,
        )
        await actions.record(transaction.db, action)
        await _tell_cancel(transaction, action, record)
        await audit.write(
            transaction.db, at=now, who=requested_by, action=kind.value, subject=f"run {record.run_id}", reason=reason
        )
        return action

    async def _wait(self, action_id: str) -> RunAction:
        async with self._acceptance.listening(action_id) as news:
            action = await self._get(action_id)
            deadline = self._clock.monotonic() + ANSWER_WITHIN_S
            while action.state.open and (left := deadline - self._clock.monotonic()) > 0:
                await self._clock.wait(news, min(left, LOOK_AGAIN_AFTER_S))
                news.clear()
                action = await self._get(action_id)
        if action.state is ActionState.REFUSED:
            raise _refused(action)
        return action

    async def _get(self, action_id: str) -> RunAction:
        async with self._journal.read(brief=True) as db:
            action = await actions.get(db, action_id)
        assert action is not None, "an action is never deleted"
        return action

    async def _expect_unseen(self) -> None:
        """After a restart: repairs that were taken, whose new attempt was not seen yet."""
        async with self._journal.read(brief=True) as db:
            for run_id in await actions.unseen_repairs(db):
                self._watcher.expect_attempt(run_id)

    async def _start_due(self, group: asyncio.TaskGroup) -> float | None:
        """Start an attempt for everything that is due; seconds until the next is, or None."""
        async with self._journal.read(brief=True) as db:
            waiting = await actions.open_ones(db)
        open_ids = {action.action_id for action in waiting}
        self._tried &= open_ids
        self._countdown.keep(open_ids)
        pauses_s = [self._begin(action, group) for action in waiting if action.action_id not in self._sending]
        return min((pause_s for pause_s in pauses_s if pause_s is not None), default=None)

    def _begin(self, action: RunAction, group: asyncio.TaskGroup) -> float | None:
        """Begin an attempt if it is time; else the seconds until it is."""
        self._patience_s(action)
        if action.next_try_at is not None:
            at_most_s = math.inf if action.action_id in self._tried else self._policy.cap_s
            left_s = self._countdown.left_s(action.action_id, action.next_try_at, at_most_s=at_most_s)
            if left_s > 0:
                return left_s
        self._sending.add(action.action_id)
        group.create_task(self._attempt(action))
        return None

    def _patience_s(self, action: RunAction) -> float:
        return self._countdown.left_s(action.action_id, action.deadline_at, at_most_s=self._policy.deadline_s)

    async def _attempt(self, action: RunAction) -> None:
        self._tried.add(action.action_id)
        try:
            with self._journal.tracing.span("action", run_id=action.run_id, kind=action.kind.value):
                await self._send(action)
        except NotLeading:
            log.info("action_left_to_leader", action_id=action.action_id)
        except Exception as fault:
            if not isinstance(fault, WorkspaceError):
                log.exception("action_attempt_failed", action_id=action.action_id)
            await self._note_failure(action, fault)
        finally:
            self._sending.discard(action.action_id)
            self._acceptance.notify(action.action_id)
            self._news.set()

    async def _send(self, action: RunAction) -> None:
        if await self._current.ensure() != action.workspace_id:
            await self._change(action, state=ActionState.LOST, error=_error("workspace_changed", "Another workspace."))
            return
        if not action.in_doubt and await self._is_moot(action):
            await self._change(action, state=ActionState.DONE, next_try_at=None)
            return
        if action.kind is ActionKind.CANCEL:
            await self._workspace.cancel_run(action.run_id)
            await self._change(action, state=ActionState.DONE, next_try_at=None)
        else:
            await self._repaired(action, await self._repair(action))
        await self._watcher.look(action.run_id)

    async def _is_moot(self, action: RunAction) -> bool:
        """Whether the attempt it was meant for is over: a later one must not be canceled or repaired in its place."""
        async with self._journal.read(brief=True) as db:
            record = await runs.load(db, action.workspace_id, action.run_id)
        if record is None:
            return False
        return record.attempt != action.attempt or (action.kind is ActionKind.CANCEL and not record.active)

    async def _repaired(self, action: RunAction, repair_id: int) -> None:
        await self._change(action, state=ActionState.DONE, repair_id=repair_id, in_doubt=False, next_try_at=None)
        self._watcher.expect_attempt(action.run_id)

    async def _repair(self, action: RunAction) -> int:
        """The repair's id: found in the history if an earlier send got through, else sent now."""
        latest = await self._latest_repair_id(action.run_id)
        if action.in_doubt and latest is not None and latest != action.latest_repair_id:
            return latest
        await self._change(
            action,
            state=ActionState.SENDING,
            in_doubt=True,
            attempts=action.attempts + 1,
            latest_repair_id=latest,
            next_try_at=None,
        )
        try:
            return await self._workspace.repair_run(action.run_id, latest_repair_id=latest)
        except WorkspaceRejected:
            # A lost request may have arrived after we had read the history: then it is what forbids this one.
            now = await self._latest_repair_id(action.run_id) if action.in_doubt else None
            if now is None or now == latest:
                raise
            return now

    async def _latest_repair_id(self, run_id: int) -> int | None:
        return _latest_repair_id(await self._workspace.get_run_status(run_id, include_history=True))

    async def _note_failure(self, action: RunAction, fault: Exception) -> None:
        """Record the failure; should even that fail, the row stays open and is tried again after a pause."""
        try:
            await self._failed(action, fault)
        except Exception:
            log.exception("action_failure_not_recorded", action_id=action.action_id)
            await self._clock.sleep(1.0)

    async def _failed(self, action: RunAction, fault: Exception) -> None:
        present = await self._get(action.action_id)
        if not present.state.open:
            return
        # A fault of our own may have come after the send; then only the run's history tells whether it got through.
        ours = present.in_doubt and not isinstance(fault, WorkspaceError)
        in_doubt = action.in_doubt or isinstance(fault, SubmissionInDoubt) or ours
        code, message = getattr(fault, "code", "internal_error"), str(fault)
        if _is_final(fault, in_doubt=in_doubt) or (not in_doubt and self._patience_s(present) <= 0):
            await self._change(present, state=ActionState.REFUSED, in_doubt=False, error=_error(code, message))
            return
        words = fault if isinstance(fault, WorkspaceError) else WorkspaceError(message)
        attempts = max(1, present.attempts)
        pause_s = self._policy.pause_s(attempts, words)
        await self._change(
            present,
            state=ActionState.SENDING,
            in_doubt=in_doubt,
            attempts=attempts + (present.kind is ActionKind.CANCEL),
            next_try_at=self._clock.now() + timedelta(seconds=pause_s),
            error=_error(code, message),
        )
        log.warning("action_postponed", action_id=action.action_id, kind=action.kind.value, code=code)

    async def _change(self, action: RunAction, **values: Any) -> None:
        async with self._leading.transaction(brief=True) as transaction:
            if await actions.change(transaction.db, action.action_id, **values):
                record = await runs.load(transaction.db, action.workspace_id, action.run_id)
                await _tell_cancel(transaction, replace(action, **values), record)
            transaction.tell(action.action_id)


async def _tell_cancel(transaction: Transaction, action: RunAction, record: RunRecord | None) -> None:
    """Have every page show how far a cancellation is, as long as it has not ended its run."""
    if action.kind is not ActionKind.CANCEL or record is None:
        return
    if record.active and record.attempt == action.attempt:
        body = {"run_id": record.run_id, "submission_id": record.submission_id, "attempt": record.attempt}
        await transaction.append([EventDraft(CANCELING, body | {"cancel": cancel_view(action)}, record.run_id)])


def _is_final(fault: Exception, *, in_doubt: bool) -> bool:
    """Whether the workspace has decided. Credentials it refuses decide nothing about what was sent before."""
    if isinstance(fault, WorkspaceRejected):
        return not (in_doubt and fault.status == HTTPStatus.FORBIDDEN)
    return isinstance(fault, WorkspaceUnauthorized) and not in_doubt


def _check(kind: ActionKind, record: RunRecord) -> None:
    if kind is ActionKind.CANCEL and not record.active:
        raise RunNotActive(
            f"Run {record.run_id} has ended; there is nothing to cancel.", run_id=record.run_id, result=record.result
        )
    if kind is ActionKind.REPAIR and (record.active or record.result in SUCCESSES - {"SUCCESS_WITH_FAILURES"}):
        words = "is still active" if record.active else "ended with success"
        raise RunNotRepairable(
            f"Run {record.run_id} {words}; only a run that ended otherwise can be repaired.",
            run_id=record.run_id,
            state=record.state,
            result=record.result,
        )


def _latest_repair_id(raw: dict[str, Any]) -> int | None:
    ids = [one["id"] for one in raw.get("repair_history") or [] if one.get("type") == "REPAIR" and one.get("id")]
    return int(ids[-1]) if ids else None


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _refused(action: RunAction) -> PipelineError:
    told = action.error or {}
    code = told.get("code")
    words = str(told.get("message") or f"The workspace refused to {action.kind.value} the run.")
    kind = RunNotRepairable if action.kind is ActionKind.REPAIR else RunNotActive
    for fault in (WorkspaceUnauthorized, WorkspaceThrottled, WorkspaceUnreachable):
        if code == fault.code:
            return fault(words, run_id=action.run_id)
    return kind(words, run_id=action.run_id, code=code)
