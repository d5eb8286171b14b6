"""The append-only audit trail: who, when, why, what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.schema import audit

_WRITE = insert(audit)


async def write(
    db: AsyncConnection,
    *,
    at: datetime,
    who: str,
    action: str,
    subject: str,
    reason: str | None = None,
    what: Mapping[str, Any] | None = None,
) -> None:
    """Append one line, in the transaction of what it tells about."""
    row = {"at": at, "who": who, "action": action, "subject": subject, "reason": reason, "what": what}
    await db.execute(_WRITE, row)
