"""The event log: one gap-free sequence in commit order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.events import Envelope, EventDraft, LogHead, LogPage, envelope
from app.store.dialect import insert_or_ignore
from app.store.schema import event_head, events
from app.store.types import BigId

# Made once: making a statement costs more than running it.
_HEAD = select(event_head)
_APPEND = insert(events)
_AFTER = (
    select(events.c.seq, events.c.type, events.c.at, events.c.run_id, events.c.text)
    .where(events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
    .limit(bindparam("most"))
)
_AFTER_OF_RUN = _AFTER.where(events.c.run_id == bindparam("wanted"))
_TAKE = update(event_head).values(seq=event_head.c.seq + bindparam("count", type_=BigId))
_TAKE_PLACES = _TAKE.returning(event_head.c.seq, event_head.c.epoch)


async def begin_log(db: AsyncConnection, *, epoch: str) -> None:
    """Give a store without a log its first life; an existing log keeps its epoch."""
    await insert_or_ignore(db, event_head, {"one": 1, "seq": 0, "epoch": epoch, "oldest_seq": 1})


async def append(db: AsyncConnection, drafts: Iterable[EventDraft], *, at: datetime) -> list[Envelope]:
    """Append within the caller's transaction and return the envelopes in order.

    The head row is locked until the commit, so seq order is commit order and a rollback leaves no gap.
    """
    wanted = list(drafts)
    if not wanted:
        return []
    last, epoch = (await db.execute(_TAKE_PLACES, {"count": len(wanted)})).one()
    first = last - len(wanted) + 1
    placed = [envelope(seq=first + i, epoch=epoch, at=at, draft=draft) for i, draft in enumerate(wanted)]
    await db.execute(_APPEND, [_row(one) for one in placed])
    return placed


async def after(db: AsyncConnection, seq: int, *, limit: int, run_id: int | None = None) -> LogPage:
    """The events that follow `seq`, oldest first; with `run_id` only that run's."""
    kept = await head(db)
    query, values = _AFTER, {"after": seq, "most": limit}
    if run_id is not None:
        query, values = _AFTER_OF_RUN, {**values, "wanted": run_id}
    rows = await db.execute(query, values)
    return LogPage(kept, [Envelope(one, kept.epoch, kind, at, run, text) for one, kind, at, run, text in rows])


async def head(db: AsyncConnection) -> LogHead:
    """Last seq, epoch and oldest kept seq."""
    row = (await db.execute(_HEAD)).one()
    return LogHead(seq=row.seq, epoch=row.epoch, oldest_seq=row.oldest_seq)


async def trim(db: AsyncConnection, *, keep: int, at_most: int, older_than: datetime | None = None) -> int:
    """Drop the oldest events, up to `at_most` of them: those beyond the newest `keep` and those before `older_than`.

    Returns how many went; 0 when the log is within its bounds.
    """
    now = await head(db)
    end = min(now.oldest_seq + at_most, now.seq + 1)
    oldest = min(end, max(now.oldest_seq, now.seq - keep + 1))
    if older_than is not None and oldest < end:
        looked_at = (events.c.seq >= oldest, events.c.seq < end, events.c.at >= older_than)
        young = (await db.execute(select(func.min(events.c.seq)).where(*looked_at))).scalar()
        oldest = end if young is None else young
    if oldest <= now.oldest_seq:
        return 0
    gone = await db.execute(delete(events).where(events.c.seq < oldest))
    await db.execute(update(event_head).values(oldest_seq=oldest))
    return gone.rowcount


def _row(one: Envelope) -> dict[str, Any]:
    return {"seq": one.seq, "type": one.type, "at": one.at, "run_id": one.run_id, "text": one.text}
