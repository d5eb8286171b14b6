"""Premium earned and exposure, by day in force. The one home of "in force"."""

from datetime import date, timedelta
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.exact import quotient

DAYS_PER_MONTH = Decimal("30.4")
DAYS_PER_YEAR = 365.25


def in_force(policies: DataFrame, as_of: date) -> DataFrame:
    """Policies with `_from` and `_until`: days in [effective, min(expiration, cancellation)) up to and with `as_of`."""
    until = F.least(
        F.col("expiration_date"),
        F.coalesce("cancellation_date", "expiration_date"),
        F.lit(as_of + timedelta(days=1)),
    )
    held = policies.withColumns({"_from": F.col("effective_date"), "_until": until})
    return held.where("_from < _until")


def days(start: str | Column, end: str | Column) -> Column:
    return F.datediff(end, start).cast("bigint")


def by_month(policies: DataFrame, as_of: date) -> DataFrame:
    """(policy columns, month, days): one row per policy and month in which it was in force."""
    held = in_force(policies, as_of)
    first = F.trunc("_from", "month")
    last = F.trunc(F.date_sub("_until", 1), "month")
    months = held.withColumn("month", F.explode(F.sequence(first, last, F.expr("INTERVAL 1 MONTH"))))
    start = F.greatest("_from", "month")
    end = F.least("_until", F.add_months("month", 1))
    return months.withColumn("days", days(start, end))


def earned(premium_days: Column) -> Column:
    """Money from a sum of monthly premium x days."""
    return quotient(premium_days, DAYS_PER_MONTH, 2).cast("decimal(12,2)")


def premium_days(policy_days: Column) -> Column:
    """The sum of monthly premium x days, exact."""
    return F.sum((F.col("monthly_premium") * policy_days).cast("decimal(18,2)"))
