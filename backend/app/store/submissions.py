"""The ledger of submissions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Update, bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.submissions import ClickNote, IfActive, Submission, SubmissionState
from app.store.schema import joined_requests, submissions

OPEN_STATES = tuple(state.value for state in SubmissionState if state.open)
_FIELDS = tuple(field.name for field in fields(Submission))
# Statements of a click, made once: making one costs more than running it.
_RECORD = insert(submissions)
_GET = select(submissions).where(submissions.c.submission_id == bindparam("wanted"))
_BY_REQUEST_KEY = select(submissions).where(submissions.c.request_key == bindparam("wanted"))
_OPEN = (
    select(submissions)
    .where(submissions.c.state.in_(OPEN_STATES))
    .order_by(submissions.c.place, submissions.c.requested_at, submissions.c.submission_id)
)


async def record(db: AsyncConnection, submission: Submission) -> None:
    """Insert the wish. Its request_key must be free: look it up first, in the same transaction."""
    row = {name: getattr(submission, name) for name in _FIELDS}
    row["tasks"], row["claim_ids"] = list(submission.tasks), list(submission.claim_ids)
    await db.execute(_RECORD, row)


async def get(db: AsyncConnection, submission_id: str) -> Submission | None:
    """The submission, or None."""
    return _read((await db.execute(_GET, {"wanted": submission_id})).first())


async def notes(db: AsyncConnection, submission_ids: Iterable[str]) -> dict[str, ClickNote]:
    """What their runs' rows do not repeat, of those that are known among `submission_ids`."""
    wanted = list(submission_ids)
    if not wanted:
        return {}
    columns = (submissions.c.submission_id, submissions.c.reason, submissions.c.unmapped)
    found = await db.execute(select(*columns).where(submissions.c.submission_id.in_(wanted)))
    return {submission_id: ClickNote(reason, tuple(unmapped or ())) for submission_id, reason, unmapped in found}


async def by_request_key(db: AsyncConnection, request_key: str) -> Submission | None:
    """The submission that took this Idempotency-Key first, or None."""
    return _read((await db.execute(_BY_REQUEST_KEY, {"wanted": request_key})).first())


async def joined_by_request_key(db: AsyncConnection, request_key: str) -> tuple[Submission, str] | None:
    """The submission that a click with this Idempotency-Key joined, and that click's hash; or None."""
    query = select(submissions, joined_requests.c.request_hash.label("joined_hash")).join(joined_requests)
    row = (await db.execute(query.where(joined_requests.c.request_key == request_key))).first()
    if row is None:
        return None
    values = dict(row._mapping)
    joined_hash = str(values.pop("joined_hash"))
    return _submission(values), joined_hash


async def record_joined(db: AsyncConnection, request_key: str, request_hash: str, submission_id: str) -> None:
    """Note that repeats of this Idempotency-Key answer for a submission that somebody else made."""
    row = {"request_key": request_key, "request_hash": request_hash, "submission_id": submission_id}
    await db.execute(insert(joined_requests).values(row))


async def open_ones(db: AsyncConnection) -> list[Submission]:
    """Everything that is recorded, queued or being submitted, in the order of its `turn`."""
    return [one for row in await db.execute(_OPEN) if (one := _read(row)) is not None]


async def in_doubt_count(db: AsyncConnection) -> int:
    """How many submissions were sent and not answered."""
    query = select(func.count()).where(submissions.c.in_doubt, submissions.c.state.in_(OPEN_STATES))
    return int((await db.execute(query)).scalar_one())


async def change(db: AsyncConnection, submission_id: str, **values: Any) -> bool:
    """Set columns of a submission that is still open; False when it had reached its end already."""
    found = await db.execute(_change(tuple(values)), values | {"wanted": submission_id})
    return found.rowcount == 1


@lru_cache(maxsize=64)
def _change(names: tuple[str, ...]) -> Update:
    one = (submissions.c.submission_id == bindparam("wanted"), submissions.c.state.in_(OPEN_STATES))
    return update(submissions).where(*one).values({name: bindparam(name) for name in names})


async def open_counts(db: AsyncConnection) -> dict[str, int]:
    """How many submissions are in each state that is not an end."""
    query = select(submissions.c.state, func.count()).where(submissions.c.state.in_(OPEN_STATES))
    rows = await db.execute(query.group_by(submissions.c.state))
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in OPEN_STATES}


async def without_run(
    db: AsyncConnection,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
    layer: str | None = None,
    state: str | None = None,
) -> Sequence[Submission]:
    """Submissions that have no run (yet), newest first, for the history."""
    query = select(submissions).where(submissions.c.run_id.is_(None))
    if layer is not None:
        query = query.where(submissions.c.layer == layer)
    if state is not None:
        query = query.where(submissions.c.state == state)
    if before is not None:
        query = query.where(tuple_(submissions.c.requested_at, submissions.c.submission_id) < before)
    query = query.order_by(submissions.c.requested_at.desc(), submissions.c.submission_id.desc()).limit(limit)
    return [one for row in await db.execute(query) if (one := _read(row)) is not None]


def _read(row: Row[Any] | None) -> Submission | None:
    return None if row is None else _submission(dict(row._mapping))


def _submission(values: dict[str, Any]) -> Submission:
    values["state"] = SubmissionState(values["state"])
    values["if_active"] = IfActive(values["if_active"])
    for name in ("tasks", "claim_ids", "unmapped"):
        values[name] = None if values[name] is None else tuple(values[name])
    return Submission(**values)
