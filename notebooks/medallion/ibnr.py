"""Claims incurred but not reported: chain ladder over service months, from the book's own reporting delays."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from math import exp, log

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.lake import PARTITIONS
from medallion.release import TABLE, valued

MAX_LAG = 12
"""Months after the service month from which on nothing more is expected."""
_SCHEMA = "service_month string, ibnr_amount decimal(12,2), developed double"

Triangle = Mapping[int, Sequence[float]]
"""By service month (months since year 0): the cost reported within 0, 1, 2 … months, as far as time has gone."""


def ibnr_by_month(spark: SparkSession, reported: DataFrame, as_of: date) -> DataFrame:
    """(service_month, ibnr_amount, developed): `developed` is the share of the final cost that is reported by now.

    Cumulative incurred C(m, k) of service month m reported within k months; factor f(k) = sum C(m, k+1) / sum C(m, k)
    over the months m old enough to have both; ibnr(m) = C(m, age) x (f(age) x ... x f(11) - 1), never below zero.
    `reported` is `reported_by_month`, at most 13 sums a month, which are developed here.
    """
    triangle = _triangle(reported, as_of)
    to_final = _to_final(triangle)
    rows = [
        (_month_text(month), _cents(max(reported[-1] * (to_final[age] - 1.0), 0.0)), round(1.0 / to_final[age], 6))
        for month, reported in sorted(triangle.items())
        for age in [len(reported) - 1]
    ]
    return spark.createDataFrame(rows, _SCHEMA)


def reported_by_month(claims: DataFrame, as_of: date) -> DataFrame:
    """(table_part, month, lag, amount): the cost of a month's claims reported within 0, 1, … MAX_LAG months."""
    lag = _month_number("submitted_date") - _month_number("service_date")
    incurred = F.sum(F.col("paid_amount") + F.col("case_reserve")).cast("double")
    sums = valued(claims, as_of).groupBy(
        PARTITIONS[TABLE],
        _month_number("service_date").alias("month"),
        F.greatest(F.lit(0), F.least(F.lit(MAX_LAG), lag)).alias("lag"),
    )
    return sums.agg(incurred.alias("amount"))


def _triangle(reported: DataFrame, as_of: date) -> Triangle:
    now = as_of.year * 12 + as_of.month
    amounts: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for month, months_later, amount in reported.select("month", "lag", "amount").collect():
        amounts[month][months_later] = amount
    return {
        month: list(accumulate(by_lag.get(k, 0.0) for k in range(min(MAX_LAG, now - month) + 1)))
        for month, by_lag in amounts.items()
    }


def _to_final(triangle: Triangle) -> list[float]:
    """By how much the cost reported within 0 to MAX_LAG months still grows, to nine places; never below 1."""
    growth = [0.0] * (MAX_LAG + 1)
    for k in reversed(range(MAX_LAG)):
        pairs = [(costs[k], costs[k + 1]) for _, costs in sorted(triangle.items()) if len(costs) > k + 1]
        now, later = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        growth[k] = growth[k + 1] + log(max(later / now if now else 1.0, 1.0))
    return [round(exp(logarithm), 9) for logarithm in growth]


def _month_number(column: str) -> Column:
    return (F.year(column) * 12 + F.month(column)).cast("int")


def _month_text(month: int) -> str:
    return f"{(month - 1) // 12:04d}-{(month - 1) % 12 + 1:02d}"


def _cents(amount: float) -> Decimal:
    """Half a cent up, as the engines round."""
    return Decimal(str(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP)
