from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_generator.adjudication import approve
from data_generator.days import anniversary, day_number, to_date, whole_years, without_leap_days
from data_generator.ids import base36, from_base36

DATES = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@given(start=DATES, years=st.integers(0, 40))
def test_an_anniversary_is_the_same_calendar_day(start: date, years: int) -> None:
    first = without_leap_days(np.array([day_number(start)]))

    moved = to_date(anniversary(first, np.array([years]))[0])

    assert moved == to_date(first[0]).replace(year=start.year + years)


@given(start=DATES, later=st.integers(0, 20_000))
def test_whole_years_counts_the_anniversaries_that_have_passed(start: date, later: int) -> None:
    first = without_leap_days(np.array([day_number(start)]))
    until = first + later

    years = whole_years(first, until)

    assert anniversary(first, years) <= until < anniversary(first, years + 1)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_different_seeds_have_different_texts(one: int, other: int) -> None:
    assert from_base36(base36(one)) == one
    assert (base36(one) == base36(other)) == (one == other)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1_000_000)), max_size=12), st.sampled_from([70, 80, 90]))
def test_the_formula_in_columns_equals_the_formula_one_by_one(claims: list[tuple[int, int]], pct: int) -> None:
    claims.sort(key=lambda claim: claim[0])
    deductible, limit = 25_000, 500_000
    left: dict[int, list[int]] = {}
    expected = []
    for year, eligible in claims:
        terms = left.setdefault(year, [deductible, limit])
        amount = min(terms[1], (max(eligible - terms[0], 0) * pct + 50) // 100)
        terms[0], terms[1] = max(terms[0] - eligible, 0), terms[1] - amount
        expected.append(amount)

    years, amounts = (np.array([claim[i] for claim in claims], dtype=np.int64) for i in (0, 1))
    same = np.full(len(claims), 1, dtype=np.int64)
    approved = approve(years, amounts, same * deductible, same * limit, same * pct)

    assert approved.tolist() == expected
