"""gold.monthly_kpis: the book by month of service. docs/kpis.md has each formula."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.exact import ratio
from medallion.exposure import DAYS_PER_YEAR, by_month, earned, premium_days
from medallion.lake import PARTITIONS
from medallion.release import TABLE, valued

DENIALS = {
    "denied_pre_existing": "%pre-existing%",
    "denied_waiting_period": "%waiting%",
    "denied_not_covered": "%not covered%",
    "denied_documentation": "%documentation%",
}
_OTHER = "denied_other"
OPEN_BY_AGE = {
    "open_claims_to_7_days": (0, 7),
    "open_claims_8_to_30_days": (8, 30),
    "open_claims_over_30_days": (31, 100_000),
}
"""Days since a claim was submitted, first and last."""
_MONEY = "decimal(12,2)"
_PART = PARTITIONS[TABLE]
_SUMS = ("claim_amount", "approved_amount", "paid_amount", "case_reserve", "expected_paid", "leakage_amount")
_COUNTS = (
    *("claims", "open_claims", "decided_claims", "approved_claims", "denied_claims", "paid_claims"),
    *("straight_through_claims", *DENIALS, _OTHER, *OPEN_BY_AGE),
)
_POLICY_COUNTS = ("policies_in_force", "policies_at_end", "policies_retained")


def monthly_kpis(claims: DataFrame, reserves: DataFrame, earned: DataFrame) -> DataFrame:
    """One row per month in which a policy was in force or a claim was served, up to the day of valuation.

    `claims` is `claims_by_month`, `reserves` `ibnr_by_month`, and `earned` `earned_by_month`.
    """
    reserves = reserves.withColumnRenamed("service_month", "year_month")
    months = earned.join(claims.drop(_PART), "year_month", "full_outer").join(reserves, "year_month", "left")
    return _ratios(_without_nulls(months))


def claims_by_month(claims: DataFrame, as_of: date) -> DataFrame:
    """Counts, sums and times of the claims of each part of the table and month of service, which lies in one part."""
    months = valued(claims, as_of).groupBy(_PART, F.col("service_month").alias("year_month"))
    return months.agg(*_claim_figures(as_of))


def earned_by_month(policies: DataFrame, as_of: date) -> DataFrame:
    """Policies in force, exposure and earned premium of each month in which a policy was in force."""
    last_day = F.least(F.last_day("month"), F.lit(as_of))
    rows = by_month(policies, as_of).withColumn("_at_end", F.col("_until") > last_day)
    monthly = rows.groupBy(F.date_format("month", "yyyy-MM").alias("year_month"))
    return monthly.agg(
        F.count("*").alias("policies_in_force"),
        F.count_if("_at_end").alias("policies_at_end"),
        F.count_if(F.col("_at_end") & (F.col("_from") < F.col("month"))).alias("policies_retained"),
        F.round(F.sum("days") / DAYS_PER_YEAR, 4).alias("exposure_years"),
        earned(premium_days(F.col("days"))).alias("earned_premium"),
    )


def _claim_figures(as_of: date) -> list[Column]:
    status = F.col("status")
    waiting = F.datediff(F.lit(as_of), "submitted_date")
    return [
        F.count("*").alias("claims"),
        F.count_if(~F.col("is_decided")).alias("open_claims"),
        F.count_if("is_decided").alias("decided_claims"),
        F.count_if(status.isin("Approved", "Partially Approved", "Paid")).alias("approved_claims"),
        F.count_if(status == "Denied").alias("denied_claims"),
        F.count_if(F.col("paid_amount") > 0).alias("paid_claims"),
        *[F.count_if(reason).alias(name) for name, reason in _denials().items()],
        *[
            F.count_if(~F.col("is_decided") & waiting.between(first, last)).alias(name)
            for name, (first, last) in OPEN_BY_AGE.items()
        ],
        *[F.sum(name).cast(_MONEY).alias(name) for name in _SUMS],
        F.percentile("decision_days", F.lit(0.5)).alias("decision_days_p50"),
        F.percentile("decision_days", F.lit(0.9)).alias("decision_days_p90"),
        F.percentile("payment_days", F.lit(0.5)).alias("payment_days_p50"),
        F.percentile("payment_days", F.lit(0.9)).alias("payment_days_p90"),
        F.count_if(F.col("is_decided") & (F.col("decision_days") == 0)).alias("straight_through_claims"),
    ]


def _denials() -> dict[str, Column]:
    """Each denied claim under the first reason that fits, so that the reasons add up to the denials."""
    named = F.lit(None).cast("string")
    for name, pattern in reversed(DENIALS.items()):
        named = F.when(F.lower("denial_reason").like(pattern), name).otherwise(named)
    reason = F.when(F.col("status") == "Denied", F.coalesce(named, F.lit(_OTHER)))
    return {name: reason == name for name in (*DENIALS, _OTHER)}


def _without_nulls(months: DataFrame) -> DataFrame:
    """A month without claims, or without premium, has zeros; percentiles of nothing stay null."""
    zeroed = {name: F.coalesce(name, F.lit(0)).cast("bigint") for name in (*_POLICY_COUNTS, *_COUNTS)}
    zeroed |= {name: F.coalesce(name, F.lit(0)).cast(_MONEY) for name in ("earned_premium", *_SUMS, "ibnr_amount")}
    zeroed["exposure_years"] = F.coalesce("exposure_years", F.lit(0.0))
    zeroed["developed"] = F.coalesce("developed", F.lit(1.0))
    return months.withColumns(zeroed)


def _ratios(months: DataFrame) -> DataFrame:
    incurred = (F.col("paid_amount") + F.col("case_reserve") + F.col("ibnr_amount")).cast(_MONEY)
    months = months.withColumn("incurred_amount", incurred)
    ratios = {
        "paid_loss_ratio": ("paid_amount", "earned_premium"),
        "loss_ratio": ("incurred_amount", "earned_premium"),
        "frequency": ("claims", "exposure_years"),
        "severity": ("incurred_amount", "paid_claims"),
        "pure_premium": ("incurred_amount", "exposure_years"),
        "approval_rate": ("approved_claims", "decided_claims"),
        "denial_rate": ("denied_claims", "decided_claims"),
        "straight_through_rate": ("straight_through_claims", "decided_claims"),
        **{name.replace("denied", "denial_rate"): (name, "decided_claims") for name in (*DENIALS, _OTHER)},
        "retention_rate": ("policies_retained", "_policies_before"),
    }
    months = months.withColumn("_policies_before", _policies_before())
    months = months.withColumns({name: ratio(F.col(over), F.col(under)) for name, (over, under) in ratios.items()})
    return months.drop("_policies_before")


def _policies_before() -> Column:
    """Policies in force at the end of the month before; null when the book has nothing in that month."""
    order = Window.partitionBy(F.lit(1)).orderBy("year_month")
    before = F.date_format(F.add_months(F.to_date(F.concat("year_month", F.lit("-01"))), -1), "yyyy-MM")
    return F.when(F.lag("year_month").over(order) == before, F.lag("policies_at_end").over(order))
