"""Files of the landing zone as last listed, and which of them bronze has taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, distinct, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialect import upsert_many
from app.store.lake_schema import landing_files

# The manifest's times and those of the listing come from two APIs; one of them may round.
ROUNDING_MS = 1_000
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file below the landing path. `claim_id` is known for files that the API landed."""

    path: str
    claim_id: str | None
    size_bytes: int | None
    modified_ms: int | None


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """The newest state of a path that bronze has taken."""

    path: str
    size_bytes: int
    modified_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits before bronze: claims by id, and files whose claims nobody has seen yet."""

    claims: int
    files: int


async def listed(db: AsyncConnection, lake_id: int) -> dict[str, ListedFile]:
    """The last listing by path. Files that only the manifest knows are not in it."""
    query = select(landing_files).where(landing_files.c.lake_id == lake_id, landing_files.c.listed_at.is_not(None))
    return {
        row.path: ListedFile(row.path, row.claim_id, row.size_bytes, row.modified_ms) for row in await db.execute(query)
    }


async def save_listed(
    db: AsyncConnection, lake_id: int, files: Iterable[ListedFile], *, at: datetime, landed: bool = False
) -> None:
    """Write new or changed files as waiting; with `landed` they are noted as written by the API at `at`."""
    rows: list[Mapping[str, Any]] = [
        {
            "lake_id": lake_id,
            "path": file.path,
            "claim_id": file.claim_id,
            "size_bytes": file.size_bytes,
            "modified_ms": file.modified_ms,
            "listed_at": at,
            "waiting": True,
        }
        | ({"landed_at": at} if landed else {})
        for file in files
    ]
    await upsert_many(db, landing_files, rows)


async def forget(db: AsyncConnection, lake_id: int, paths: Sequence[str]) -> None:
    """Drop files that are gone from the landing zone."""
    for start in range(0, len(paths), AT_ONCE):
        gone = landing_files.c.path.in_(paths[start : start + AT_ONCE])
        await db.execute(delete(landing_files).where(landing_files.c.lake_id == lake_id, gone))


async def save_manifest(db: AsyncConnection, lake_id: int, entries: Iterable[ManifestEntry]) -> None:
    """Note what bronze has taken; `settle` then works out what that means."""
    rows = [
        {
            "lake_id": lake_id,
            "path": entry.path,
            "waiting": False,
            "manifest_size": entry.size_bytes,
            "manifest_ms": entry.modified_ms,
        }
        for entry in entries
    ]
    await upsert_many(db, landing_files, rows)


async def looked_at(db: AsyncConnection, lake_id: int, *, before: datetime) -> None:
    """A bronze run over everything that began at `before` has settled all files that were listed by then.

    It does not record a file again whose time changed and whose content did not.
    """
    seen = and_(landing_files.c.lake_id == lake_id, landing_files.c.waiting, landing_files.c.listed_at < before)
    values = {"manifest_size": landing_files.c.size_bytes, "manifest_ms": landing_files.c.modified_ms}
    await db.execute(update(landing_files).where(seen).values(waiting=False, **values))


async def settle(db: AsyncConnection, lake_id: int) -> None:
    """Work out anew which files wait: listed, and the manifest does not hold their present state."""
    same = and_(
        landing_files.c.manifest_size == landing_files.c.size_bytes,
        landing_files.c.modified_ms <= landing_files.c.manifest_ms + ROUNDING_MS,
    )
    taken = func.coalesce(or_(landing_files.c.listed_at.is_(None), same), false())
    here = landing_files.c.lake_id == lake_id
    await db.execute(update(landing_files).where(here, landing_files.c.waiting, taken).values(waiting=False))
    await db.execute(update(landing_files).where(here, landing_files.c.waiting.is_(False), ~taken).values(waiting=True))


async def waiting(db: AsyncConnection, lake_id: int) -> Waiting:
    """What bronze has not taken yet."""
    columns = landing_files.c
    query = select(func.count(distinct(columns.claim_id)), func.count() - func.count(columns.claim_id))
    claims, files = (await db.execute(query.where(_waits(lake_id)))).one()
    return Waiting(int(claims), int(files))


async def waiting_page(db: AsyncConnection, lake_id: int, *, after: str, limit: int) -> list[str]:
    """Claims with a file that waits, in order, following `after`."""
    query: Select[Any] = select(landing_files.c.claim_id).distinct()
    query = query.where(_waits(lake_id), landing_files.c.claim_id > after)
    found = await db.execute(query.order_by(landing_files.c.claim_id).limit(limit))
    return [str(claim_id) for claim_id in found.scalars()]


async def files_of(db: AsyncConnection, lake_id: int, claim_id: str) -> list[tuple[datetime | None, bool]]:
    """(landed_at, waiting) of each file that the API landed for the claim."""
    where = (landing_files.c.lake_id == lake_id, landing_files.c.claim_id == claim_id)
    found = await db.execute(select(landing_files.c.landed_at, landing_files.c.waiting).where(*where))
    return [(row.landed_at, row.waiting) for row in found]


def _waits(lake_id: int) -> ColumnElement[bool]:
    return and_(landing_files.c.lake_id == lake_id, landing_files.c.waiting)
