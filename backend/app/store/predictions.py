"""What was predicted, kept beside what came true."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.eta import Eta
from app.store.schema import predictions


async def record(
    db: AsyncConnection, *, workspace_id: str, run_id: int, attempt: int, at: datetime, phase: str | None, eta: Eta
) -> None:
    """Keep one prediction of the time that remains."""
    key = {"workspace_id": workspace_id, "run_id": run_id, "attempt": attempt, "at": at, "phase": phase}
    await db.execute(insert(predictions).values(**key, p50_s=eta.p50_s, p90_s=eta.p90_s, n=eta.n))


async def resolve(db: AsyncConnection, *, workspace_id: str, run_id: int, attempt: int, ended_at: datetime) -> None:
    """Set what really remained, for every prediction of the attempt."""
    of_attempt = (
        predictions.c.workspace_id == workspace_id,
        predictions.c.run_id == run_id,
        predictions.c.attempt == attempt,
    )
    for row in (await db.execute(select(predictions.c.prediction_id, predictions.c.at).where(*of_attempt))).all():
        actual_s = max(0.0, (ended_at - row.at).total_seconds())
        one = predictions.c.prediction_id == row.prediction_id
        await db.execute(update(predictions).where(one).values(actual_s=actual_s))
