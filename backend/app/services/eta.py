"""Estimates from the run history that the store keeps, and what is shown of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.eta import Eta, Standing, estimate
from app.domain.eta_display import Prediction, shown, why_longer
from app.domain.eta_model import START, Model, learn
from app.domain.eta_quality import Quality, baselines, quality
from app.domain.eta_runs import Place, past_run, place_of
from app.domain.layers import TASK_LAYER, TASK_SETS
from app.domain.observation import SeenRun
from app.domain.runs import RunRecord, TaskRecord
from app.services.journal import Journal
from app.services.replica import Replica
from app.store import predictions, runs

log = structlog.get_logger()

HISTORY = 50
# A run that ended while another replica led is learned at the latest then.
LEARN_ANEW_S = 60.0
# The newest predictions that calibration is published over, for each set of tasks.
JUDGED = 500
MAX_EXPECTED = 1_000

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
PendingIn = Callable[[AsyncConnection, str], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class _Learned:
    """A model with the whole durations behind it, oldest first."""

    model: Model
    whole_s: tuple[float, ...]
    at: float


class EtaService:
    """Answers how long a click or a run will still take.

    What past runs teach is worked out once per finished run and kept; a tick costs no more than HISTORY small sums.
    `pending_in` tells how many claims wait before a layer.
    """

    def __init__(self, *, journal: Journal, replica: Replica, pending_in: PendingIn) -> None:
        self._journal = journal
        self._replica = replica
        self._clock = journal.clock
        self._pending_in = pending_in
        self._learned: dict[tuple[str, str], _Learned] = {}
        self._expected: dict[int, int] = {}  # claims that waited when a run began, until it says how many it read
        self._prepared: dict[str, int | None] = {}  # the same of clicks that are on their way

    def forget(self) -> None:
        """Learn anew when it is needed: other replicas may have seen runs end."""
        self._learned.clear()

    def ended(self, record: RunRecord) -> None:
        """What was expected of the run is no longer needed."""
        self._expected.pop(record.run_id, None)

    async def learn_anew(self, record: RunRecord) -> None:
        """Work out what the ended run has taught, so that the next click need not; until then the old model counts."""
        if record.task_set is None:
            return
        key = (record.workspace_id, record.task_set)
        try:
            async with self._journal.read() as db:
                self._learned[key] = await self._learn(db, *key)
        except Exception:
            self._learned.pop(key, None)
            raise

    async def warm_up(self, workspace_id: Callable[[], str | None]) -> None:
        """The same for all that people click, at the start. What fails here is left to the first click."""
        try:
            if (known := workspace_id()) is not None:
                async with self._journal.read() as db:
                    for tasks in TASK_SETS:
                        await self._model(db, known, ",".join(tasks))
        except Exception:
            log.exception("eta_warm_up_failed")

    async def prepare(self, submission_id: str, task_set: str) -> None:
        """Read what `for_start` of this click will need while the workspace is still asked to take it."""
        try:
            async with self._journal.read(brief=True) as db:
                _keep(self._prepared, submission_id, await self._pending_before(db, task_set))
        except Exception:
            log.exception("eta_not_prepared", submission_id=submission_id)

    async def for_click(
        self, db: AsyncConnection, workspace_id: str | None, task_set: str, *, warm: bool | None, claims: int | None
    ) -> Eta | None:
        """How long a run of these tasks would take, were it to start now."""
        if workspace_id is None:
            return None
        learned = await self._model(db, workspace_id, task_set)
        return estimate(learned.model, Standing(claims=claims, warm=warm))

    async def for_start(self, db: AsyncConnection, record: RunRecord, *, now: datetime) -> Prediction | None:
        """The estimate with which a run begins."""
        if record.task_set is None or record.attempt:
            return None
        claims = len(record.claim_ids) or await self._waiting(db, record)
        learned = await self._model(db, record.workspace_id, record.task_set)
        eta = estimate(learned.model, Standing(claims=claims))
        return None if eta is None else Prediction(eta, now, baselines=baselines(learned.whole_s, 0.0, 0.0))

    async def for_run(
        self, db: AsyncConnection, record: RunRecord, seen: SeenRun, tasks: Sequence[TaskRecord], *, now: datetime
    ) -> Prediction | None:
        """What to show of an active run; None where the history cannot tell. Without a cause it never rises."""
        if record.task_set is None or record.attempt or not tasks:
            return None
        learned = await self._model(db, record.workspace_id, record.task_set)
        place = place_of(record, seen, tasks, now, self._expected.get(record.run_id))
        fresh = self._fresh(learned.model, place)
        why = partial(why_longer, learned.model, place.standing, task=place.task, attempt=place.attempt)
        eta, cause = shown(shown_now(record, now), fresh, why)
        if eta is None:
            return None
        spent_s = sum(place.standing.behind_s[START:]) + (place.standing.elapsed_s if place.standing.phase else 0.0)
        guesses = baselines(learned.whole_s, spent_s, place.fraction) if learned.whole_s else {}
        return Prediction(eta, now, cause, guesses)

    async def quality(self, workspace_id: str | None) -> list[tuple[tuple[str, ...], Quality]]:
        """How good the newest predictions were, for each set of tasks that has any; reads at most JUDGED of each."""
        if workspace_id is None:
            return []
        judged = []
        async with self._journal.read() as db:
            for tasks in TASK_SETS:
                found = await predictions.outcomes(db, workspace_id, ",".join(tasks), limit=JUDGED)
                if (measured := quality(found)) is not None:
                    judged.append((tasks, measured))
        return judged

    @staticmethod
    def _fresh(model: Model, place: Place) -> Eta | None:
        """The estimate; None for a run that has another number of phases than those known."""
        phases = len(model.effects)
        return estimate(model, place.standing) if place.standing.phase < phases else None

    async def _waiting(self, db: AsyncConnection, record: RunRecord) -> int | None:
        """The claims that wait before the run's first layer; kept, because they are taken away while it runs."""
        submission_id = record.submission_id or ""
        if submission_id in self._prepared:
            claims = self._prepared.pop(submission_id)
        else:
            claims = await self._pending_before(db, record.task_set or "")
        if claims is not None:
            _keep(self._expected, record.run_id, claims)
        return claims

    async def _pending_before(self, db: AsyncConnection, task_set: str) -> int | None:
        layer = TASK_LAYER.get(task_set.split(",")[0])
        return await self._pending_in(db, layer.value) if layer else None

    async def _model(self, db: AsyncConnection, workspace_id: str, task_set: str) -> _Learned:
        key, now = (workspace_id, task_set), self._clock.monotonic()
        kept = self._learned.get(key)
        # The leader sees every run end, and forgets what it then has to learn anew.
        if kept is None or (not self._replica.leading and now - kept.at > LEARN_ANEW_S):
            kept = self._learned[key] = await self._learn(db, workspace_id, task_set)
        return kept

    async def _learn(self, db: AsyncConnection, workspace_id: str, task_set: str) -> _Learned:
        found = await runs.comparable(db, workspace_id, task_set, limit=HISTORY)
        past = [one for record in reversed(found) if (one := past_run(record)) is not None]
        whole_s = tuple(sum(one.phases_s[START:]) for one in past)
        return _Learned(learn(past), whole_s, self._clock.monotonic())


def _keep(kept: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Remember the value; the oldest go when there are too many."""
    kept[key] = value
    if len(kept) > MAX_EXPECTED:
        del kept[next(iter(kept))]


def shown_now(record: RunRecord, now: datetime) -> Eta | None:
    """What is shown of the run at this moment: its last estimate, less the time since."""
    if record.eta is None:
        return None
    passed_s = (now - record.eta_at).total_seconds() if record.eta_at else 0.0
    return Eta(record.eta["p50_s"], record.eta["p90_s"], record.eta["n"]).after(passed_s)
