"""Workspaces this store has talked to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialect import insert_or_ignore
from app.store.schema import workspaces


async def seen(db: AsyncConnection, workspace_id: str, *, host: str, at: datetime) -> datetime:
    """Note that the workspace answered at `at`; returns when it was first seen."""
    row = {"workspace_id": workspace_id, "host": host, "first_seen_at": at, "last_seen_at": at}
    if not await insert_or_ignore(db, workspaces, row):
        statement = update(workspaces).where(workspaces.c.workspace_id == workspace_id)
        await db.execute(statement.values(last_seen_at=at, host=host))
    found = await db.execute(select(workspaces.c.first_seen_at).where(workspaces.c.workspace_id == workspace_id))
    first: datetime = found.scalar_one()
    return first


async def last_seen_at(db: AsyncConnection, host: str) -> tuple[str, datetime] | None:
    """The workspace last seen at this address, and when; None when there never was one."""
    query = select(workspaces.c.workspace_id, workspaces.c.last_seen_at).where(workspaces.c.host == host)
    row = (await db.execute(query.order_by(workspaces.c.last_seen_at.desc()).limit(1))).first()
    return None if row is None else (row.workspace_id, row.last_seen_at)
