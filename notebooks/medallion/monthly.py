"""gold.monthly_kpis: the book by month of service. docs/kpis.md has each formula."""

from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.exposure import DAYS_PER_YEAR, by_month, earned, premium_days
from medallion.ibnr import ibnr_by_month
from medallion.release import valued

DENIALS = {
    "denied_pre_existing": "%pre-existing%",
    "denied_waiting_period": "%waiting%",
    "denied_not_covered": "%not covered%",
    "denied_documentation": "%documentation%",
}
_MONEY = "decimal(12,2)"
_SUMS = ("claim_amount", "approved_amount", "paid_amount", "case_reserve", "expected_paid", "leakage_amount")
_COUNTS = (
    *("claims", "open_claims", "decided_claims", "approved_claims", "denied_claims", "paid_claims"),
    "straight_through_claims",
)


def monthly_kpis(spark: SparkSession, claims: DataFrame, policies: DataFrame, as_of: date) -> DataFrame:
    """One row per month in which a policy was in force or a claim was served, up to `as_of`."""
    claims = valued(claims, as_of)
    by_claims = claims.groupBy(F.col("service_month").alias("year_month")).agg(*_claim_figures())
    reserves = ibnr_by_month(spark, claims, as_of).withColumnRenamed("service_month", "year_month")
    months = (
        _earned_by_month(policies, as_of)
        .join(by_claims, "year_month", "full_outer")
        .join(reserves, "year_month", "left")
    )
    return _ratios(_without_nulls(months))


def _earned_by_month(policies: DataFrame, as_of: date) -> DataFrame:
    monthly = by_month(policies, as_of).groupBy(F.date_format("month", "yyyy-MM").alias("year_month"))
    return monthly.agg(
        F.countDistinct("policy_id").alias("policies_in_force"),
        F.round(F.sum("days") / DAYS_PER_YEAR, 4).alias("exposure_years"),
        earned(premium_days(F.col("days"))).alias("earned_premium"),
    )


def _claim_figures() -> list[Column]:
    status = F.col("status")
    return [
        F.count("*").alias("claims"),
        F.count_if(~F.col("is_decided")).alias("open_claims"),
        F.count_if("is_decided").alias("decided_claims"),
        F.count_if(status.isin("Approved", "Partially Approved", "Paid")).alias("approved_claims"),
        F.count_if(status == "Denied").alias("denied_claims"),
        F.count_if(F.col("paid_amount") > 0).alias("paid_claims"),
        *[_denials(pattern).alias(name) for name, pattern in DENIALS.items()],
        *[F.sum(name).cast(_MONEY).alias(name) for name in _SUMS],
        F.percentile("decision_days", F.lit(0.5)).alias("decision_days_p50"),
        F.percentile("decision_days", F.lit(0.9)).alias("decision_days_p90"),
        F.percentile("payment_days", F.lit(0.5)).alias("payment_days_p50"),
        F.percentile("payment_days", F.lit(0.9)).alias("payment_days_p90"),
        F.count_if(F.col("is_decided") & (F.col("decision_days") <= 0)).alias("straight_through_claims"),
    ]


def _denials(pattern: str) -> Column:
    return F.count_if((F.col("status") == "Denied") & F.lower("denial_reason").like(pattern))


def _without_nulls(months: DataFrame) -> DataFrame:
    """A month without claims, or without premium, has zeros; percentiles of nothing stay null."""
    zeroed = {name: F.coalesce(name, F.lit(0)).cast("bigint") for name in ("policies_in_force", *_COUNTS, *DENIALS)}
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
    }
    return months.withColumns({name: ratio(F.col(over), F.col(under)) for name, (over, under) in ratios.items()})


def ratio(over: Column, under: Column) -> Column:
    """A fraction as double with six places; null when there is nothing to divide by."""
    divisor = under.cast("double")
    return F.when(divisor > 0, F.round(over.cast("double") / divisor, 6))
