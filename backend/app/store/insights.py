"""Figures read from gold, kept as they are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialect import upsert
from app.store.lake_schema import insights
from app.store.types import ReadyJson


@dataclass(frozen=True, slots=True)
class Kept:
    """One page of figures; `etag` changes with the body and only with it."""

    body: Mapping[str, Any]
    etag: str


async def save(db: AsyncConnection, lake_id: int, name: str, body: ReadyJson, *, etag: str, at: datetime) -> None:
    """Replace the figures called `name`."""
    row = {"lake_id": lake_id, "name": name, "body": body, "etag": etag, "updated_at": at}
    await upsert(db, insights, row)


async def load(db: AsyncConnection, lake_id: int, name: str) -> Kept | None:
    """The figures called `name`, or None before the first gold run."""
    where = (insights.c.lake_id == lake_id, insights.c.name == name)
    row = (await db.execute(select(insights.c.body, insights.c.etag).where(*where))).first()
    return None if row is None else Kept(row.body, row.etag)
