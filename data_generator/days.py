"""Days as integers since 1970-01-01, and the calendar arithmetic that policies need."""

from datetime import date, timedelta

import numpy as np

from data_generator.arrays import EPOCH, AnyArray, Ints

NO_DAY = -(2**40)
"""Stands for an empty date; smaller than every real day."""


def day_number(day: date) -> int:
    return (day - EPOCH).days


def to_date(day: int) -> date:
    return EPOCH + timedelta(days=int(day))


def iso(days: Ints, missing: str = "") -> list[str]:
    """ISO dates; `missing` where there is none."""
    present = np.where(days == NO_DAY, 0, days)
    texts: list[str] = np.datetime_as_string(present.astype("datetime64[D]")).tolist()
    return [missing if day == NO_DAY else text for day, text in zip(days.tolist(), texts, strict=True)]


def _months_and_days(days: Ints) -> tuple[AnyArray, Ints]:
    instants = days.astype("datetime64[D]")
    months = instants.astype("datetime64[M]")
    return months, (instants - months.astype("datetime64[D]")).astype(np.int64)


def months_of(days: Ints) -> Ints:
    """Months since 1970-01; `% 12` is the calendar month, January being 0."""
    return _months_and_days(days)[0].astype(np.int64)


def anniversary(days: Ints, years: Ints) -> Ints:
    """The same calendar day some years later; only for days that exist in every year."""
    months, offset = _months_and_days(days)
    moved = (months.astype(np.int64) + 12 * years).astype("datetime64[M]").astype("datetime64[D]")
    return moved.astype(np.int64) + offset


def whole_years(start: Ints, until: Ints) -> Ints:
    """Anniversaries passed between two days: the zero-based policy year of `until`."""
    start_month, start_offset = _months_and_days(start)
    until_month, until_offset = _months_and_days(until)
    months = until_month.astype(np.int64) - start_month.astype(np.int64) - (until_offset < start_offset)
    return np.asarray(months // 12, dtype=np.int64)


def without_leap_days(days: Ints) -> Ints:
    """February 29 moved to the 28th, so that anniversaries exist."""
    months, offset = _months_and_days(days)
    return np.asarray(days - ((months.astype(np.int64) % 12 == 1) & (offset == 28)), dtype=np.int64)
