"""Why an investigator should look at a claim. A flag refuses nothing and changes no amount."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.joins import with_facts
from medallion.terms import waiting_days

SPIKE_DAYS = 7
"""Days after a waiting period in which a dear claim stands out."""
SPIKE_USD = 2_500
NEAR_LIMIT = 0.9
"""From this share of the annual limit up to the limit itself, a bill is near the limit."""
CONCENTRATION_DAYS = 7
CONCENTRATION_CUSTOMERS = 5
FACTS = (
    *("claim_id", "policy_id", "customer_id", "provider_id", "invoice_number", "claim_type", "claim_category"),
    *("service_date", "submitted_date", "claim_amount", "ineligible_reason"),
)
"""What a flag looks at."""
SIGNS = ("_repeated", "_spike", "_near_limit")
"""What may bring a claim a flag; most claims have none of them."""
_TERMS = ("_effective_date", "_annual_limit", "_accident_wait", "_illness_wait", "_orthopedic_wait")


def with_terms(claims: DataFrame, policies: DataFrame) -> DataFrame:
    """FACTS of claims with what else a flag looks at: the terms of their policies, of `references.policy_terms`."""
    return with_facts(claims, policies.select("policy_id", *_TERMS), "policy_id")


def with_own_signs(rows: DataFrame) -> DataFrame:
    """Rows of `with_terms` with the signs that a claim has by itself."""
    return rows.withColumns({"_spike": _is(_spike()), "_near_limit": _is(_near_limit())})


def with_repeats(rows: DataFrame) -> DataFrame:
    """Rows with the sign that an invoice number was used before; all claims of a provider are needed."""
    return rows.withColumn("_repeated", _is(_repeated_invoice()))


def with_crowds(rows: DataFrame) -> DataFrame:
    """Rows of `with_own_signs` with `_crowd`; those without a sign may be left out."""
    return with_facts(rows, _crowd(rows).select("claim_id", F.lit(True).alias("_crowd")), "claim_id")


def flagged(rows: DataFrame) -> DataFrame:
    """Rows with all signs and `_crowd`, with `review_flags`: the names of the flags in alphabetical order."""
    flags = {"duplicate_invoice": "_repeated", "post_waiting_spike": "_spike", "provider_concentration": "_crowd"}
    names = [F.when(F.col(sign), F.lit(name)) for name, sign in flags.items()]
    return rows.withColumn("review_flags", F.array_compact(F.array(*names)))


def _is(sign: Column) -> Column:
    return F.coalesce(sign, F.lit(False))


def _repeated_invoice() -> Column:
    """The provider has used the invoice number for an earlier claim."""
    invoice = Window.partitionBy("provider_id", "invoice_number").orderBy("service_date", "submitted_date", "claim_id")
    return F.col("provider_id").isNotNull() & F.col("invoice_number").isNotNull() & (F.row_number().over(invoice) > 1)


def _spike() -> Column:
    """A dear claim in the first days after a waiting period."""
    first_day = F.date_add(F.col("_effective_date"), waiting_days())
    return (
        F.col("ineligible_reason").isNull()
        & (waiting_days() > 0)
        & (F.col("claim_amount") >= SPIKE_USD)
        & F.datediff("service_date", first_day).between(0, SPIKE_DAYS - 1)
    )


def _near_limit() -> Column:
    amount, limit = F.col("claim_amount"), F.col("_annual_limit")
    return (amount <= limit) & (amount >= limit * NEAR_LIMIT)


def _crowd(rows: DataFrame) -> DataFrame:
    """`claim_id` of bills near the limit, where enough customers brought such bills of the provider within days."""
    near = rows.where("_near_limit").select("claim_id", "customer_id", "provider_id", "service_date")
    others = near.select("provider_id", F.col("customer_id").alias("_customer"), F.col("service_date").alias("_day"))
    pairs = near.join(others, "provider_id").where(F.abs(F.datediff("service_date", "_day")) <= CONCENTRATION_DAYS)
    customers = F.countDistinct("_customer").alias("customers")
    return pairs.groupBy("claim_id").agg(customers).where(F.col("customers") >= CONCENTRATION_CUSTOMERS)
