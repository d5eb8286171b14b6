"""Figures of gold for the pages: read once per table version after a run, kept in our store as they are served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from app.domain.events import compact_json
from app.domain.kpis import TRAILING_MONTHS, month_figures, window_figures
from app.services.insight_queries import CYCLE_TIME, MONTHS, PAGES, Page
from app.services.journal import Journal
from app.services.lake_reader import LakeReader
from app.services.landing import KnownWorkspace
from app.services.workspace_answers import StatementResult
from app.store import insights, lake
from app.store.insights import Kept
from app.store.lake import TableFacts

log = structlog.get_logger()

MONTHLY = "gold.monthly_kpis"
CLAIMS = "gold.claims_analytics"
WHOLE_NUMBERS = frozenset({"BYTE", "SHORT", "INT", "LONG", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
FRACTIONS = frozenset({"DECIMAL", "DOUBLE", "FLOAT"})

EMPTY: dict[str, dict[str, Any]] = {
    "overview": {
        "as_of": None,
        "currency": "USD",
        "valued_on": None,
        "latest": None,
        "previous": None,
        "trailing_12m": None,
        "months": [],
    },
    "monthly": {"as_of": None, "currency": "USD", "months": []},
    **{
        name: {"as_of": None, "currency": "USD"} | {part: None if part in page.single else [] for part in page.parts}
        for name, page in PAGES.items()
    },
}


class Insights:
    """The pages of figures of one lake."""

    def __init__(self, *, journal: Journal, workspace: KnownWorkspace, reader: LakeReader) -> None:
        self._journal = journal
        self._workspace = workspace
        self._reader = reader

    async def page(self, name: str) -> Kept:
        """The figures called `name`, with `as_of` null before the first gold run."""
        async with self._journal.read() as db:
            found = await lake.find(db, self._workspace.workspace_id, self._reader.catalog)
            kept = await insights.load(db, found.lake_id, name) if found else None
        return kept or Kept(EMPTY[name], _etag(EMPTY[name]))

    async def gold_changed(self, lake_id: int, changed: frozenset[str], facts: Mapping[str, TableFacts]) -> None:
        """Read the pages that the changed tables feed. Raises NoWarehouse, WorkspaceError."""
        if changed & {MONTHLY, CLAIMS} and MONTHLY in facts:
            await self._read_months(lake_id, facts)
        for name, page in PAGES.items():
            if changed & set(page.tables) and facts.keys() >= set(page.tables):
                await self._save(lake_id, name, await self._read_page(page) | _as_of(page.tables, facts))

    async def _read_months(self, lake_id: int, facts: Mapping[str, TableFacts]) -> None:
        months = rows_of(await self._reader.query(MONTHS))
        window = months[-TRAILING_MONTHS:]
        cycle_time: Mapping[str, Any] = {}
        if window and CLAIMS in facts:
            first, last = str(window[0]["year_month"]), str(window[-1]["year_month"])
            cycle_time = next(iter(rows_of(await self._reader.query(CYCLE_TIME, first=first, last=last))), {})
        told = [month_figures(month) for month in months]
        overview = {
            "valued_on": max((str(month["as_of"]) for month in months if month.get("as_of")), default=None),
            "latest": told[-1] if told else None,
            "previous": told[-2] if len(told) > 1 else None,
            "trailing_12m": window_figures(window, cycle_time),
            "months": told,
        }
        sources = tuple(name for name in (MONTHLY, CLAIMS) if name in facts)
        await self._save(lake_id, "overview", overview | _as_of(sources, facts))
        await self._save(lake_id, "monthly", {"months": months} | _as_of((MONTHLY,), facts))

    async def _read_page(self, page: Page) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for part, statement in page.parts.items():
            rows = rows_of(await self._reader.query(statement))
            body[part] = next(iter(rows), None) if part in page.single else rows
        return body

    async def _save(self, lake_id: int, name: str, body: Mapping[str, Any]) -> None:
        whole = EMPTY[name] | dict(body)
        async with self._journal.transaction() as transaction:
            await insights.save(transaction.db, lake_id, name, whole, etag=_etag(whole), at=transaction.now)
        log.info("insights_read", page=name)


def rows_of(answer: StatementResult) -> list[dict[str, Any]]:
    """Rows as JSON objects with numbers as numbers; columns of our own bookkeeping are left out."""
    columns = [
        (place, name, answer.types[place]) for place, name in enumerate(answer.columns) if not name.startswith("_")
    ]
    return [{name: typed_value(row[place], kind) for place, name, kind in columns} for row in answer.rows]


def typed_value(text: str | None, kind: str) -> Any:
    """A value of the SQL API, which sends texts. What JSON cannot say (NaN) becomes null."""
    if text is None:
        return None
    name = kind.partition("(")[0].upper()
    if name in WHOLE_NUMBERS:
        return int(text)
    if name in FRACTIONS:
        number = float(text)
        return number if abs(number) != float("inf") and number == number else None
    if name == "BOOLEAN":
        return text.lower() == "true"
    if name in {"ARRAY", "MAP", "STRUCT"}:
        with suppress(ValueError):
            return json.loads(text)
    return text


def _as_of(tables: Sequence[str], facts: Mapping[str, TableFacts]) -> dict[str, Any]:
    used = [facts[name] for name in tables]
    return {
        "as_of": {
            "run_id": max((one.run_id for one in used if one.run_id is not None), default=None),
            "tables": [{"name": one.name, "version": one.version} for one in used],
        }
    }


def _etag(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(compact_json(body).encode()).hexdigest()[:32]
