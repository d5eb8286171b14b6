"""What was predicted, kept beside what came true."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.eta_display import Prediction
from app.domain.eta_quality import Guess, Outcome
from app.domain.runs import RunRecord
from app.store.schema import predictions

_RECORD = insert(predictions)


async def record(db: AsyncConnection, run: RunRecord, told: Prediction) -> None:
    """Keep what is shown of the run from now on."""
    eta = told.eta
    guesses = {name: [round(one.p50_s, 3), round(one.p90_s, 3)] for name, one in told.baselines.items()}
    row = {
        "workspace_id": run.workspace_id,
        "run_id": run.run_id,
        "attempt": run.attempt,
        "at": told.at,
        "task_set": run.task_set,
        "phase": run.phase,
        "p50_s": eta.p50_s,
        "p90_s": eta.p90_s,
        "n": eta.n,
        "baselines": guesses or None,
    }
    await db.execute(_RECORD, row)


async def resolve(db: AsyncConnection, run: RunRecord, *, ended_at: datetime) -> None:
    """Set what really remained, for every prediction of the run's attempt."""
    of_attempt = (
        predictions.c.workspace_id == run.workspace_id,
        predictions.c.run_id == run.run_id,
        predictions.c.attempt == run.attempt,
    )
    for row in (await db.execute(select(predictions.c.prediction_id, predictions.c.at).where(*of_attempt))).all():
        actual_s = max(0.0, (ended_at - row.at).total_seconds())
        one = predictions.c.prediction_id == row.prediction_id
        await db.execute(update(predictions).where(one).values(actual_s=actual_s))


async def outcomes(db: AsyncConnection, workspace_id: str, task_set: str, *, limit: int) -> list[Outcome]:
    """The newest predictions of these tasks that came true, newest first."""
    query = select(predictions).where(
        predictions.c.workspace_id == workspace_id,
        predictions.c.task_set == task_set,
        predictions.c.actual_s.is_not(None),
    )
    found = await db.execute(query.order_by(predictions.c.prediction_id.desc()).limit(limit))
    return [
        Outcome(
            eta=Guess(row.p50_s, row.p90_s),
            actual_s=row.actual_s,
            baselines={name: Guess(*both) for name, both in (row.baselines or {}).items()},
        )
        for row in found
    ]
