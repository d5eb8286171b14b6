"""What was last read of a lake: its tables, the claims that wait before each layer, and where each claim is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, distinct, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialect import insert_or_ignore, upsert, upsert_many
from app.store.lake_schema import (
    claim_positions,
    claim_quarantine,
    lake_pending,
    lake_pending_counts,
    lake_tables,
    lakes,
)


@dataclass(frozen=True, slots=True)
class LakeRow:
    """One catalog of one workspace, and how far our knowledge of it goes."""

    lake_id: int
    run_id: int | None
    refreshed_at: datetime | None
    detail: str | None
    listed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table as of its newest known version; None is what nobody has told yet."""

    name: str
    layer: str
    version: int | None = None
    rows: int | None = None
    run_id: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """Why a row of a claim is not in silver."""

    claim_id: str
    rule: str
    message: str | None
    run: str | None
    at: str | None


@dataclass(frozen=True, slots=True)
class Positions:
    """The run that last wrote the claim to each layer, by layer; absent where the claim is not."""

    claim_id: str
    runs: Mapping[str, str]


_POSITION_COLUMNS = {
    "bronze": claim_positions.c.bronze_run,
    "silver": claim_positions.c.silver_run,
    "gold": claim_positions.c.gold_run,
}


async def ensure(db: AsyncConnection, workspace_id: str, catalog: str) -> LakeRow:
    """The lake's row, made when it is new."""
    await insert_or_ignore(db, lakes, {"workspace_id": workspace_id, "catalog": catalog})
    found = await find(db, workspace_id, catalog)
    if found is None:
        raise LookupError(f"{catalog} of workspace {workspace_id} is not there although it was just made")
    return found


async def find(db: AsyncConnection, workspace_id: str | None, catalog: str) -> LakeRow | None:
    """The lake's row, or None when nothing was ever read of it."""
    query = select(lakes).where(lakes.c.workspace_id == workspace_id, lakes.c.catalog == catalog)
    row = (await db.execute(query)).first()
    return None if row is None else LakeRow(row.lake_id, row.run_id, row.refreshed_at, row.detail, row.listed_at)


async def refreshed(db: AsyncConnection, lake_id: int, *, run_id: int | None, at: datetime, detail: str | None) -> None:
    """Note that everything is as of `run_id`; `detail` says what could not be read."""
    values = {"run_id": run_id, "refreshed_at": at, "detail": detail}
    await db.execute(update(lakes).where(lakes.c.lake_id == lake_id).values(values))


async def listed(db: AsyncConnection, lake_id: int, *, at: datetime) -> None:
    """Note that the whole landing zone was listed."""
    await db.execute(update(lakes).where(lakes.c.lake_id == lake_id).values(listed_at=at))


async def tables(db: AsyncConnection, lake_id: int) -> list[TableFacts]:
    """Every known table, by name."""
    query = select(lake_tables).where(lake_tables.c.lake_id == lake_id).order_by(lake_tables.c.name)
    return [_facts(row) for row in await db.execute(query)]


async def save_table(db: AsyncConnection, lake_id: int, facts: TableFacts) -> None:
    """Write what is known of one table."""
    row = {
        "lake_id": lake_id,
        "name": facts.name,
        "layer": facts.layer,
        "version": facts.version,
        "rows": facts.rows,
        "run_id": facts.run_id,
        "updated_at": facts.updated_at,
    }
    await upsert(db, lake_tables, row)


async def unread(db: AsyncConnection, lake_id: int) -> list[TableFacts]:
    """Tables whose newest known version has not been read yet, by name."""
    columns = lake_tables.c
    is_new = or_(columns.read_version.is_(None), columns.read_version != columns.version)
    query = select(lake_tables).where(columns.lake_id == lake_id, is_new).order_by(columns.name)
    return [_facts(row) for row in await db.execute(query)]


async def mark_read(db: AsyncConnection, lake_id: int, facts: Iterable[TableFacts]) -> None:
    """Note that these versions have been read."""
    for one in facts:
        where = (lake_tables.c.lake_id == lake_id, lake_tables.c.name == one.name)
        await db.execute(update(lake_tables).where(*where).values(read_version=one.version))


async def pending_counts(db: AsyncConnection, lake_id: int) -> dict[str, int]:
    """How many claims wait before each layer."""
    query = select(lake_pending_counts).where(lake_pending_counts.c.lake_id == lake_id)
    return {row.layer: row.claims for row in await db.execute(query)}


async def save_pending_count(db: AsyncConnection, lake_id: int, layer: str, count: int) -> None:
    """Set how many claims wait before the layer."""
    await upsert(db, lake_pending_counts, {"lake_id": lake_id, "layer": layer, "claims": count})


async def pending_ids(db: AsyncConnection, lake_id: int, layer: str) -> set[str]:
    """All known ids that wait before the layer."""
    query = select(lake_pending.c.claim_id).where(lake_pending.c.lake_id == lake_id, lake_pending.c.layer == layer)
    return set((await db.execute(query)).scalars())


async def pending_page(db: AsyncConnection, lake_id: int, layer: str, *, after: str, limit: int) -> list[str]:
    """Ids that wait before the layer, in order, following `after`."""
    query = select(lake_pending.c.claim_id).where(lake_pending.c.lake_id == lake_id, lake_pending.c.layer == layer)
    return await _page(db, query, lake_pending.c.claim_id, after, limit)


async def add_pending(db: AsyncConnection, lake_id: int, layer: str, claim_ids: Iterable[str]) -> None:
    """Add ids that are not there yet."""
    rows = [{"lake_id": lake_id, "layer": layer, "claim_id": claim_id} for claim_id in claim_ids]
    await upsert_many(db, lake_pending, rows)


async def remove_pending(db: AsyncConnection, lake_id: int, layer: str, claim_ids: Sequence[str]) -> None:
    """Take ids away. At most a few hundred at a time: each is a bound value."""
    gone = lake_pending.c.claim_id.in_(claim_ids)
    where = (lake_pending.c.lake_id == lake_id, lake_pending.c.layer == layer, gone)
    await db.execute(delete(lake_pending).where(*where))


async def save_positions(db: AsyncConnection, lake_id: int, layer: str, rows: Iterable[tuple[str, str]]) -> None:
    """Note which run wrote each claim to the layer: (claim_id, run)."""
    column = _POSITION_COLUMNS[layer].name
    await upsert_many(
        db, claim_positions, [{"lake_id": lake_id, "claim_id": claim_id, column: run} for claim_id, run in rows]
    )


async def positions(db: AsyncConnection, lake_id: int, claim_id: str) -> Positions | None:
    """Where the claim is, or None when no layer has it."""
    where = (claim_positions.c.lake_id == lake_id, claim_positions.c.claim_id == claim_id)
    row = (await db.execute(select(claim_positions).where(*where))).first()
    if row is None:
        return None
    found = {"bronze": row.bronze_run, "silver": row.silver_run, "gold": row.gold_run}
    return Positions(claim_id, {layer: run for layer, run in found.items() if run is not None})


async def replace_quarantine(db: AsyncConnection, lake_id: int, entries: Iterable[QuarantineEntry]) -> None:
    """Make these the quarantined claims; one claim may break several rules."""
    await db.execute(delete(claim_quarantine).where(claim_quarantine.c.lake_id == lake_id))
    rows = [
        {
            "lake_id": lake_id,
            "position": position,
            "claim_id": entry.claim_id,
            "rule": entry.rule,
            "message": entry.message,
            "run": entry.run,
            "at": entry.at,
        }
        for position, entry in enumerate(entries)
    ]
    if rows:
        await db.execute(insert(claim_quarantine), rows)


async def quarantine_of(db: AsyncConnection, lake_id: int, claim_id: str) -> list[QuarantineEntry]:
    """Why the claim is quarantined; empty when it is not."""
    where = (claim_quarantine.c.lake_id == lake_id, claim_quarantine.c.claim_id == claim_id)
    query = select(claim_quarantine).where(*where).order_by(claim_quarantine.c.position)
    return [QuarantineEntry(row.claim_id, row.rule, row.message, row.run, row.at) for row in await db.execute(query)]


async def quarantined_count(db: AsyncConnection, lake_id: int) -> int:
    """How many claims are quarantined."""
    query = select(func.count(distinct(claim_quarantine.c.claim_id))).where(claim_quarantine.c.lake_id == lake_id)
    return int((await db.execute(query)).scalar_one())


async def quarantined_page(db: AsyncConnection, lake_id: int, *, after: str, limit: int) -> list[str]:
    """Quarantined claims, in order, following `after`."""
    query = select(claim_quarantine.c.claim_id).distinct().where(claim_quarantine.c.lake_id == lake_id)
    return await _page(db, query, claim_quarantine.c.claim_id, after, limit)


def _facts(row: Row[Any]) -> TableFacts:
    return TableFacts(row.name, row.layer, row.version, row.rows, row.run_id, row.updated_at)


async def _page(db: AsyncConnection, query: Select[Any], column: Any, after: str, limit: int) -> list[str]:
    found = await db.execute(query.where(column > after).order_by(column).limit(limit))
    return [str(claim_id) for claim_id in found.scalars()]
