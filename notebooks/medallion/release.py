"""gold.claims_analytics: one row per released claim, with what a reader of claims asks for beside it.

It is the gate: a claim that is not in it is in no figure of gold.
"""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion import flags, pending
from medallion.lake import Lake
from medallion.references import policy_terms
from medallion.rules import DECIDED
from medallion.run import Run

TABLE = "gold.claims_analytics"
_MONEY = "decimal(12,2)"
_CLAIM = (
    *("claim_id", "claim_number", "policy_id", "pet_id", "customer_id", "provider_id", "claim_type", "claim_category"),
    *("diagnosis_code", "diagnosis", "service_date", "submitted_date", "decision_date", "payment_date", "status"),
    *("denial_reason", "invoice_number", "is_emergency"),
)
_TERMS = ("claim_amount", "approved_amount", "paid_amount", "case_reserve", "eligible_amount", "expected_paid")
_JOINED = ("_customer_hash", "_pet_hash", "_policy_hash", "_provider_hash")
AGE_BANDS = ((1, "0"), (3, "1-2"), (7, "3-6"), (10, "7-9"))
"""Age in full years below the number, and the band's name; older pets are in `10+`."""


def release(run: Run, lake: Lake) -> None:
    """Bring claims_analytics up to date for the run's claims; an unchanged claim is not written.

    Flags look at other claims too: they are right in a first release, and `flags.update` mends them after the others.
    """
    claims = pending.only_chosen(run, lake.read("silver.claims"), "claim_id")
    if not lake.exists(TABLE):
        by_claim = flags.flagged(claims.select(*flags.FACTS), policy_terms(lake)).select("claim_id", "review_flags")
        lake.append(TABLE, _rows(_joined(claims.join(by_claim, "claim_id"), lake), run))
        return
    held = lake.read(TABLE).select("claim_id", "_row_hash")
    fresh = _hashed(claims, lake).join(held, ["claim_id", "_row_hash"], "left_anti").select("claim_id")
    if not fresh.isEmpty():
        changed = claims.join(fresh, "claim_id", "left_semi").withColumn("review_flags", _no_flags())
        lake.merge(TABLE, _rows(_joined(changed, lake), run), ["claim_id"])
    flags.update(run, lake, TABLE)  # always: a run may have died right before it


def _hashed(claims: DataFrame, lake: Lake) -> DataFrame:
    """(claim_id, _row_hash) as the released row would have them: narrow columns only."""
    narrow = claims.select("claim_id", "policy_id", "pet_id", "customer_id", "provider_id", "_row_hash")
    for table, key, name in _DIMENSIONS:
        hashes = lake.read(f"silver.{table}").select(key, F.col("_content_hash").alias(name))
        narrow = narrow.join(hashes, key, "left")
    return narrow.select("claim_id", _released_hash().alias("_row_hash"))


_DIMENSIONS = (
    ("customers", "customer_id", "_customer_hash"),
    ("pets", "pet_id", "_pet_hash"),
    ("policies", "policy_id", "_policy_hash"),
    ("vet_providers", "provider_id", "_provider_hash"),
)


def _released_hash() -> Column:
    return F.md5(F.concat_ws("|", "_row_hash", *[F.coalesce(name, F.lit("-")) for name in _JOINED]))


def _joined(claims: DataFrame, lake: Lake) -> DataFrame:
    customers = lake.read("silver.customers").select(
        "customer_id",
        F.col("state").alias("customer_state"),
        F.col("zip_code").alias("customer_zip_code"),
        F.col("_content_hash").alias("_customer_hash"),
    )
    pets = lake.read("silver.pets").select(
        "pet_id",
        "pet_name",
        "species",
        "breed",
        F.col("date_of_birth").alias("_born_on"),
        F.col("_content_hash").alias("_pet_hash"),
    )
    policies = lake.read("silver.policies").select(
        "policy_id", "plan_name", "reimbursement_pct", F.col("_content_hash").alias("_policy_hash")
    )
    providers = lake.read("silver.vet_providers").select(
        "provider_id",
        "provider_name",
        "provider_type",
        F.col("state").alias("provider_state"),
        "is_in_network",
        F.col("_content_hash").alias("_provider_hash"),
    )
    return (
        claims.join(customers, "customer_id", "left")
        .join(pets, "pet_id", "left")
        .join(policies, "policy_id", "left")
        .join(providers, "provider_id", "left")
    )


def _rows(claims: DataFrame, run: Run) -> DataFrame:
    zero = F.lit(0).cast(_MONEY)
    age = F.floor(F.months_between("service_date", "_born_on") / 12).cast("int")
    return claims.select(
        *_CLAIM,
        F.date_format("service_date", "yyyy-MM").alias("service_month"),
        *[F.coalesce(name, zero).cast(_MONEY).alias(name) for name in _TERMS],
        "ineligible_reason",
        _leakage().alias("leakage_amount"),
        F.col("status").isin(*DECIDED).alias("is_decided"),
        F.datediff("decision_date", "submitted_date").cast("int").alias("decision_days"),
        F.datediff("payment_date", "decision_date").cast("int").alias("payment_days"),
        "pet_name",
        "species",
        "breed",
        age.alias("pet_age_years"),
        age_band(age).alias("age_band"),
        "plan_name",
        "reimbursement_pct",
        "customer_state",
        "customer_zip_code",
        "provider_name",
        "provider_type",
        "provider_state",
        F.coalesce("is_in_network", F.lit(False)).alias("is_in_network"),
        F.col("_warnings").alias("warnings"),
        "review_flags",
        _released_hash().alias("_row_hash"),
        F.lit(run.batch_id).alias("_run_id"),
    )


def _no_flags() -> Column:
    return F.array().cast("array<string>")


def _leakage() -> Column:
    """Paid above what the policy's formula gives; null until something was paid."""
    above = F.col("paid_amount") - F.col("expected_paid")
    return F.when(F.col("paid_amount") > 0, F.greatest(above, F.lit(0).cast(_MONEY)).cast(_MONEY))


def age_band(age: Column) -> Column:
    band = F.when(age.isNull(), "unknown")
    for below, name in AGE_BANDS:
        band = band.when(age < below, name)
    return band.otherwise("10+")


def valued(claims: DataFrame, as_of: date) -> DataFrame:
    """The released claims that belong to the figures as at `as_of`."""
    return claims.where(F.col("service_date") <= F.lit(as_of))
