"""Figures that can be narrowed: sums by several columns at once, and lists that can be filtered, sorted and paged.

Amounts add up in whole cents, so that every narrowing is exact; ratios are made from sums, never from ratios.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader wants to see. Without values everything; `months` limits to first..last, both included."""

    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    months: tuple[str, str] | None = None
    sort: str | None = None
    descending: bool = True
    offset: int = 0
    limit: int = 200

    @property
    def narrows(self) -> bool:
        return bool(self.values) or self.months is not None


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of a table with the names of their columns. In a grid of sums the last `measures` columns add up."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    measures: int = 0

    def narrowed(self, question: Question, month: str | None) -> Grid:
        """The rows that the question wants; it says nothing about columns that the grid does not have."""
        tests = [(self.columns.index(name), wanted) for name, wanted in question.values.items() if name in self.columns]
        place = self.columns.index(month) if month in self.columns and question.months else None
        first, last = question.months or ("", "")
        rows = [
            row
            for row in self.rows
            if all(text(row[at]) in wanted for at, wanted in tests)
            and (place is None or first <= text(row[place]) <= last)
        ]
        return Grid(self.columns, rows, self.measures)

    def sums(self, by: str | None) -> dict[Any, list[int]]:
        """The measures summed by the values of a column; of all rows, under None, without one."""
        start, place = len(self.columns) - self.measures, None if by is None else self.columns.index(by)
        found: dict[Any, list[int]] = {} if by is not None else {None: [0] * self.measures}
        for row in self.rows:
            key = None if place is None else row[place]
            before = found.get(key)
            found[key] = list(row[start:]) if before is None else list(map(add, before, row[start:]))
        return found

    def values(self, name: str) -> list[str]:
        """What the column holds, in order."""
        place = self.columns.index(name)
        return sorted({text(row[place]) for row in self.rows})

    def listed(self, question: Question) -> list[Row]:
        """The rows as objects, sorted, of the page that the question wants."""
        rows: Iterable[Sequence[Any]] = self.rows
        if question.sort is not None:
            place = self.columns.index(question.sort)
            known = [row for row in self.rows if row[place] is not None]
            known.sort(key=lambda row: row[place], reverse=question.descending)  # stable: equal rows keep their order
            rows = [*known, *(row for row in self.rows if row[place] is None)]
        page = list(rows)[question.offset : question.offset + question.limit]
        return [dict(zip(self.columns, row, strict=True)) for row in page]


def text(value: Any) -> str:
    """A value as it stands in a question: `true`, `false`, and `none` for what is not known."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def figures(
    names: Sequence[str], sums: Sequence[int], amounts: frozenset[str], ratios: Mapping[str, Sequence[str]]
) -> Row:
    """The sums by name, cents as dollars, and the ratios between them; null where there is nothing to divide by."""
    totals = dict(zip(names, sums, strict=True))
    shown: Row = {name: total / 100 if name in amounts else total for name, total in totals.items()}
    for name, (over, under) in ratios.items():
        shown[name] = round(shown[over] / shown[under], 6) if shown[under] else None
    return shown
