"""Figures of gold for the pages: read once per table version after a run, kept in our store as they are served."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from app.domain.errors import InvalidPageToken, InvalidRequest
from app.domain.events import compact_json
from app.domain.figures import Grid, Question, figures
from app.domain.kpis import TRAILING_MONTHS, month_figures, window_figures
from app.services.insight_queries import CYCLE_TIME, MONTHS, PAGES, Cube, Page, Part
from app.services.journal import Journal
from app.services.lake_reader import LakeReader
from app.services.landing import KnownWorkspace
from app.services.workspace_answers import StatementResult
from app.store import insights, lake
from app.store.insights import Kept
from app.store.lake import TableFacts
from app.store.types import ReadyJson

log = structlog.get_logger()

MONTHLY = "gold.monthly_kpis"
CLAIMS = "gold.claims_analytics"
ANSWERS = 64  # narrowed pages that are remembered
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
    **{name: {"as_of": None, "currency": "USD"} | page.empty for name, page in PAGES.items()},
}


class Insights:
    """The pages of figures of one lake."""

    def __init__(self, *, journal: Journal, workspace: KnownWorkspace, reader: LakeReader) -> None:
        self._journal = journal
        self._workspace = workspace
        self._reader = reader
        self._answers: dict[tuple[str, str, str], Kept] = {}

    async def page(self, name: str) -> Kept:
        """The figures called `name`, with `as_of` null before the first gold run."""
        async with self._journal.read() as db:
            found = await lake.find(db, self._workspace.workspace_id, self._reader.catalog)
            kept = await insights.load(db, found.lake_id, name) if found else None
        return kept or Kept(EMPTY[name], _etag(EMPTY[name]))

    async def answer(self, name: str, question: Question, page_token: str | None) -> Kept:
        """The page called `name` as far as the question wants it. Raises InvalidPageToken, InvalidRequest."""
        kept = await self.page(name)
        if "cells" not in kept.body:
            return Kept(EMPTY[name], _etag(EMPTY[name]))
        asked = replace(question, offset=_offset_of(page_token, kept.etag))
        key = (name, kept.etag, repr(asked))
        if key not in self._answers:
            body = await asyncio.to_thread(answered, PAGES[name], kept, asked)
            self._answers[key] = Kept(body, _etag(body))
            while len(self._answers) > ANSWERS:
                self._answers.pop(next(iter(self._answers)))
        return self._answers[key]

    async def gold_changed(self, lake_id: int, changed: frozenset[str], facts: Mapping[str, TableFacts]) -> None:
        """Read the pages that the changed tables feed. Raises NoWarehouse, WorkspaceError."""
        if changed & {MONTHLY, CLAIMS} and MONTHLY in facts:
            await self._read_months(lake_id, facts)
        for name, page in PAGES.items():
            if changed & set(page.tables) and facts.keys() >= set(page.tables):
                body = await self._read_page(page) | _as_of(page.tables, facts)
                await self._save(lake_id, name, body | {"before": await self._before(lake_id, name, body)})

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
        await self._save(lake_id, "overview", EMPTY["overview"] | overview | _as_of(sources, facts))
        await self._save(lake_id, "monthly", {"months": months} | _as_of((MONTHLY,), facts))

    async def _read_page(self, page: Page) -> dict[str, Any]:
        """In threads, as all that is made of many rows: they take long, and nobody waits for them."""
        body: dict[str, Any] = {}
        for name, cube in page.cubes.items():
            body[name] = await asyncio.to_thread(_cells, cube, await self._reader.query(cube.statement))
        body["list"] = await asyncio.to_thread(_list, await self._reader.query(page.rows))
        return body

    async def _before(self, lake_id: int, name: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the page told before the tables changed: its totals, and the run that they came from."""
        async with self._journal.read() as db:
            kept = await insights.load(db, lake_id, name)
        if kept is None or "cells" not in kept.body:
            return None
        if kept.body["as_of"] == body["as_of"]:
            before: dict[str, Any] | None = kept.body["before"]
            return before
        told = await asyncio.to_thread(answered, PAGES[name], kept, Question(limit=0))
        return {"as_of": kept.body["as_of"], "totals": told["totals"]}

    async def _save(self, lake_id: int, name: str, body: Mapping[str, Any]) -> None:
        text, etag = await asyncio.to_thread(_written, {"currency": "USD"} | dict(body))
        async with self._journal.transaction() as transaction:
            await insights.save(transaction.db, lake_id, name, ReadyJson(text), etag=etag, at=transaction.now)
        log.info("insights_read", page=name)


def answered(page: Page, kept: Kept, question: Question) -> dict[str, Any]:
    """The kept page as far as the question wants it."""
    body = kept.body
    grids = {name: _grid(cube, body[name]) for name, cube in page.cubes.items()}
    narrow = {name: grid.narrowed(question, page.month) for name, grid in grids.items()}
    parts = {name: _part(page.cubes[part.cube], narrow[part.cube], part) for name, part in page.parts.items()}
    every = Grid(tuple(body["list"]["columns"]), body["list"]["rows"])
    if question.sort is not None and every.rows and question.sort not in every.columns:
        raise InvalidRequest(f"The list has no column {question.sort}; it has {', '.join(every.columns)}.")
    matching = every.narrowed(question, page.month)
    following = question.offset + question.limit
    return {
        "as_of": body["as_of"],
        "currency": body["currency"],
        **parts,
        "before": None if question.narrows else body["before"],
        "options": _options(page, grids["cells"]),
        "top": matching.listed(question),
        "matching": len(matching.rows),
        "listed": len(every.rows),
        "next_page_token": f"{following}.{kept.etag}" if following < len(matching.rows) else None,
    }


def _grid(cube: Cube, rows: Sequence[Sequence[Any]]) -> Grid:
    return Grid((*cube.dimensions, *cube.measures), rows, len(cube.measures))


def _part(cube: Cube, grid: Grid, part: Part) -> Any:
    """The page's part: one object of sums, or one per value of its column."""
    if part.only is not None:
        column, value = part.only
        grid = grid.narrowed(Question({column: frozenset({value})}), None)
    amounts = frozenset(cube.amounts)
    shown = {key: figures(cube.measures, sums, amounts, cube.ratios) for key, sums in grid.sums(part.by).items()}
    if part.by is None:
        return shown[None]
    rows = [{part.by: key} | sums for key, sums in sorted(shown.items(), key=lambda item: str(item[0]))]
    return rows if part.order is None else sorted(rows, key=lambda row: -row[str(part.order)])


def _options(page: Page, cells: Grid) -> dict[str, list[str]]:
    """Every value that a parameter can narrow the page to."""
    named = {name: cells.values(column) for name, column in page.filters.items()}
    return named | ({"months": cells.values(page.month)} if page.month else {})


def _cells(cube: Cube, answer: StatementResult) -> list[list[Any]]:
    return [[row[column] for column in cube.dimensions] + _sums(cube, row) for row in rows_of(answer)]


def _list(answer: StatementResult) -> dict[str, Any]:
    rows = rows_of(answer)
    columns = list(rows[0]) if rows else []
    return {"columns": columns, "rows": [[row[column] for column in columns] for row in rows]}


def _sums(cube: Cube, row: Mapping[str, Any]) -> list[int]:
    """Counts, and amounts in whole cents."""
    counts = [round(row[name] or 0) for name in cube.counts]
    return counts + [round((row[name] or 0) * 100) for name in cube.amounts]


def _offset_of(page_token: str | None, etag: str) -> int:
    """Where the page begins. A token is good for the figures that it was given out with."""
    if page_token is None:
        return 0
    offset, _, of_figures = page_token.partition(".")
    if of_figures != etag or not offset.isdecimal() or len(offset) > 9:
        raise InvalidPageToken("The page token was not given out with these figures; begin with the first page.")
    return int(offset)


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


def _written(body: Mapping[str, Any]) -> tuple[str, str]:
    """The body as JSON, and its etag."""
    text = compact_json(body)
    return text, hashlib.sha256(text.encode()).hexdigest()[:32]


def _etag(body: Mapping[str, Any]) -> str:
    return _written(body)[1]
