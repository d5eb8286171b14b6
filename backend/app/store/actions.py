"""The ledger of repairs and cancellations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.submissions import ActionKind, ActionState, RunAction
from app.store.schema import run_actions, runs

OPEN_STATES = tuple(state.value for state in ActionState if state.open)


async def record(db: AsyncConnection, action: RunAction) -> None:
    """Insert the wish."""
    await db.execute(insert(run_actions).values(asdict(action)))


async def get(db: AsyncConnection, action_id: str) -> RunAction | None:
    """The action, or None."""
    found = await db.execute(select(run_actions).where(run_actions.c.action_id == action_id))
    row = found.first()
    return None if row is None else _read(row)


async def open_ones(db: AsyncConnection) -> list[RunAction]:
    """Everything not yet decided, oldest first."""
    query = select(run_actions).where(run_actions.c.state.in_(OPEN_STATES)).order_by(run_actions.c.requested_at)
    return [_read(row) for row in await db.execute(query)]


async def of_run(db: AsyncConnection, workspace_id: str, run_id: int, kind: ActionKind) -> list[RunAction]:
    """The actions of one kind on a run, oldest first."""
    query = select(run_actions).where(
        run_actions.c.workspace_id == workspace_id, run_actions.c.run_id == run_id, run_actions.c.kind == kind
    )
    return [_read(row) for row in await db.execute(query.order_by(run_actions.c.requested_at))]


async def cancels(db: AsyncConnection, workspace_ids: Collection[str], run_ids: Collection[int]) -> list[RunAction]:
    """The cancellations of runs with such numbers in such workspaces, oldest first."""
    if not run_ids:
        return []
    query = select(run_actions).where(
        run_actions.c.workspace_id.in_(set(workspace_ids)),
        run_actions.c.run_id.in_(set(run_ids)),
        run_actions.c.kind == ActionKind.CANCEL,
    )
    return [_read(row) for row in await db.execute(query.order_by(run_actions.c.requested_at))]


async def unseen_repairs(db: AsyncConnection) -> list[int]:
    """Runs whose repair the workspace took, while we still know only the attempt before it."""
    query = (
        select(runs.c.run_id)
        .join(
            run_actions,
            (run_actions.c.workspace_id == runs.c.workspace_id)
            & (run_actions.c.run_id == runs.c.run_id)
            & (run_actions.c.attempt == runs.c.attempt),
        )
        .where(run_actions.c.kind == ActionKind.REPAIR, run_actions.c.state == ActionState.DONE)
    )
    return list((await db.execute(query)).scalars())


async def change(db: AsyncConnection, action_id: str, **values: Any) -> bool:
    """Set columns of an action that is still open; False when it was decided already."""
    statement = update(run_actions).where(run_actions.c.action_id == action_id, run_actions.c.state.in_(OPEN_STATES))
    return (await db.execute(statement.values(**values))).rowcount == 1


def _read(row: Row[Any]) -> RunAction:
    values = dict(row._mapping)
    values["kind"], values["state"] = ActionKind(values["kind"]), ActionState(values["state"])
    return RunAction(**values)
