"""Whole years and months between two days, counted as `months_between` counts.

A month is whole on the same day of the month, and between the last days of two months. `months_between` itself takes
Sail 0.7.2 six milliseconds to plan each time that it is named, and longer to compute.
"""

from calendar import monthrange
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F


def full_years(since: str, day: str | Column) -> Column:
    """floor(months_between(day, since) / 12) as int; negative before `since`."""
    years = F.year(day) - F.year(since)
    not_yet = F.add_months(since, years * 12) > (F.col(day) if isinstance(day, str) else day)
    return years - not_yet.cast("int")


def full_months(since: str, day: date) -> Column:
    """floor(months_between(day, since)) as int; negative before `since`."""
    months = F.lit(day.year * 12 + day.month) - (F.year(since) * 12 + F.month(since))
    not_yet = F.dayofmonth(since) > day.day
    if day.day == monthrange(day.year, day.month)[1]:
        not_yet = not_yet & (F.col(since) != F.last_day(since))
    return months - not_yet.cast("int")
