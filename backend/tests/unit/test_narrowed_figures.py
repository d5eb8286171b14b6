"""Laws of narrowing: parts add up to the whole, pages to the list, and nothing else is in them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.figures import Grid, Question, figures, text

COLUMNS = ("month", "species", "in_network", "claims", "cents")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["2026-01", "2026-02", "2026-03"]),
        st.sampled_from(["Dog", "Cat", None]),
        st.booleans(),
        st.integers(0, 9),
        st.integers(-(10**12), 10**12),
    ),
    max_size=30,
)
WANTED = st.dictionaries(
    st.sampled_from(["species", "in_network", "unknown column"]),
    st.frozensets(st.sampled_from(["Dog", "Cat", "none", "true", "false"])),
)


@given(ROWS, WANTED)
def test_the_sums_by_a_column_add_up_to_the_whole(rows: list[Any], wanted: dict[str, frozenset[str]]) -> None:
    grid = Grid(COLUMNS, rows, measures=2).narrowed(Question(wanted), None)
    (whole,) = grid.sums(None).values()
    for column in ("month", "species", "in_network"):
        parts = grid.sums(column).values()
        assert [sum(part[place] for part in parts) for place in (0, 1)] == whole


@given(ROWS, WANTED)
def test_exactly_the_wanted_rows_are_left(rows: list[Any], wanted: dict[str, frozenset[str]]) -> None:
    question = Question(wanted, months=("2026-02", "2026-03"))
    left = Grid(COLUMNS, rows, measures=2).narrowed(question, "month").rows
    species, network = wanted.get("species"), wanted.get("in_network")
    assert left == [
        row
        for row in rows
        if row[0] >= "2026-02"
        and (species is None or (row[1] or "none") in species)
        and (network is None or ("true" if row[2] else "false") in network)
    ]


@given(ROWS, st.integers(1, 7), st.sampled_from(["cents", "species", None]), st.booleans())
def test_pages_together_are_the_sorted_list(rows: list[Any], limit: int, sort: str | None, descending: bool) -> None:
    grid = Grid(COLUMNS, rows)
    pages = [
        grid.listed(Question(sort=sort, descending=descending, offset=offset, limit=limit))
        for offset in range(0, len(rows), limit)
    ]
    found = [row for page in pages for row in page]
    if sort is None:
        assert [tuple(row.values()) for row in found] == rows
        return
    values = [row[sort] for row in found]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=descending)
    assert values == known + [None] * (len(values) - len(known))
    assert sorted(map(repr, (tuple(row.values()) for row in found))) == sorted(map(repr, rows))


def test_cents_are_shown_as_dollars_and_nothing_is_divided_by_nothing() -> None:
    ratios = {"average": ("paid", "claims"), "of_none": ("claims", "open")}
    shown = figures(("claims", "open", "paid"), (3, 0, 1001), frozenset({"paid"}), ratios)
    assert shown == {"claims": 3, "open": 0, "paid": 10.01, "average": 3.336667, "of_none": None}


def test_what_is_not_known_can_be_asked_for() -> None:
    assert [text(value) for value in (None, True, False, "Dog", 7)] == ["none", "true", "false", "Dog", "7"]
