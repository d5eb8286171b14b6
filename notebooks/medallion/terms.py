"""What a policy promises for each claim, computed beside what was paid.

Within a policy year claims use up the deductible and the annual limit in the order of their service dates:
expected = min(limit left, (eligible - deductible left)+ x reimbursement %), to the cent, half a cent up.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.spans import full_years

TERM_COLUMNS = ("policy_year", "ineligible_reason", "eligible_amount", "deductible_left", "limit_left", "expected_paid")
CLAIM_COLUMNS = (
    *("claim_id", "policy_id", "pet_id", "claim_type", "claim_category", "diagnosis_code"),
    *("service_date", "submitted_date", "status", "claim_amount"),
)
"""What terms look at of a claim."""
_ORTHOPEDIC = "Orthopedic"
_MONEY = "decimal(12,2)"


def ineligible_reason() -> Column:
    """Why nothing is owed for a claim; null when the policy covers it. The first of these that applies.

    Waiting periods and exclusions count from the effective date, which a renewal does not move: renewed terms bring
    neither a new waiting period nor a new exclusion (NAIC Model Act 633).
    """
    waiting = F.col("service_date") < F.date_add(F.col("_effective_date"), waiting_days())
    outside = (F.col("service_date") < F.col("_effective_date")) | (F.col("service_date") >= F.col("_term_end"))
    return (
        F.when(outside, "outside_term")
        .when(F.coalesce(F.col("pet_id") != F.col("_policy_pet_id"), F.lit(True)), "other_pet")
        .when(_pre_existing(), "pre_existing")
        .when(waiting, "waiting_period")
        .when((F.col("claim_type") == "Wellness") & ~F.col("_wellness"), "not_covered")
        .when((F.col("claim_category") == "Dental") & ~F.col("_dental"), "not_covered")
        .when(F.col("status") == "Denied", "denied")
    )


def waiting_days() -> Column:
    """Accidents and orthopaedic illness have periods of their own; care that needs a rider does not wait."""
    return (
        F.when(F.col("claim_type") == "Wellness", 0)
        .when(F.col("claim_type") == "Accident", F.col("_accident_wait"))
        .when(F.col("claim_category") == _ORTHOPEDIC, F.col("_orthopedic_wait"))
        .otherwise(F.col("_illness_wait"))
    )


def _pre_existing() -> Column:
    """The condition is on the pet's list and began before the policy did."""
    listed = F.array_contains("_conditions", F.coalesce(F.col("diagnosis_code"), F.lit("?")))
    return F.coalesce(listed, F.lit(False)) & F.coalesce(F.col("_onset_on") < F.col("_effective_date"), F.lit(True))


def with_terms(claims: DataFrame) -> DataFrame:
    """Add TERM_COLUMNS. Needs CLAIM_COLUMNS with what `references.with_terms_and_history` adds, of all claims of each
    policy."""
    year = full_years("_effective_date", "service_date")
    order = Window.partitionBy("policy_id", "policy_year").orderBy("service_date", "submitted_date", "claim_id")
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    claims = claims.withColumns({"policy_year": year, "ineligible_reason": ineligible_reason()})
    claims = claims.withColumn(
        "eligible_amount",
        F.when(F.col("ineligible_reason").isNull(), F.col("claim_amount")).otherwise(F.lit(0)).cast(_MONEY),
    )
    used = F.coalesce(F.sum("eligible_amount").over(before), F.lit(0)).cast("decimal(18,2)")
    claims = claims.withColumn("deductible_left", _not_below_zero(F.col("_annual_deductible") - used).cast(_MONEY))
    above = _not_below_zero(F.col("eligible_amount") - F.col("deductible_left")).cast(_MONEY)
    share = (above * F.col("_reimbursement_pct")).cast("decimal(18,2)") / F.lit(100)
    claims = claims.withColumn("_payable", F.round(share, 2).cast(_MONEY))
    paid = F.coalesce(F.sum("_payable").over(before), F.lit(0)).cast("decimal(18,2)")
    claims = claims.withColumn("limit_left", _not_below_zero(F.col("_annual_limit") - paid).cast(_MONEY))
    return claims.withColumn("expected_paid", F.least("_payable", F.coalesce("limit_left", "_payable")))


def _not_below_zero(amount: Column) -> Column:
    return F.when(amount > 0, amount).otherwise(F.when(amount.isNotNull(), F.lit(0)))
