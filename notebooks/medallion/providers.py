"""gold.provider_performance: each clinic against peers that treated the same conditions."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.exact import quotient, ratio
from medallion.release import valued

_MONEY = "decimal(12,2)"
_COUNTS = ("claims", "decided_claims", "denied_claims", "emergency_claims", "flagged_claims", "documented_claims")
CREDIBLE_CLAIMS = 30
"""Claims from which on a provider's own experience counts in full."""


def provider_performance(providers: DataFrame, claims: DataFrame, as_of: date) -> DataFrame:
    """One row per provider of the directory, with claims or without."""
    claims = valued(claims, as_of)
    rows = (
        providers.select(
            "provider_id", "provider_name", "provider_type", "city", "state", "is_in_network", "average_rating"
        )
        .join(_figures(claims), "provider_id", "left")
        .join(_customers(claims), "provider_id", "left")
        .join(_repeats(claims), "provider_id", "left")
    )
    counts = (*_COUNTS, "customers", "duplicate_invoices")
    rows = rows.withColumns({name: F.coalesce(name, F.lit(0)).cast("bigint") for name in counts})
    money = ("billed_amount", "paid_amount")
    rows = rows.withColumns({name: F.coalesce(name, F.lit(0)).cast(_MONEY) for name in money})
    whole = Window.partitionBy(F.lit(1))
    in_network = F.coalesce("is_in_network", F.lit(False))
    network_claims = F.sum(F.when(in_network, F.col("claims"))).over(whole)
    above_peers = F.col("billed_amount").cast("double") - F.col("_peer_billed")
    weight = F.least(F.col("claims") / F.lit(float(CREDIBLE_CLAIMS)), F.lit(1.0))
    return rows.withColumns(
        {
            "severity_index": ratio(F.col("billed_amount"), F.col("_peer_billed")),
            "credibility": F.round(weight, 6),
            "denial_rate": ratio(F.col("denied_claims"), F.col("decided_claims")),
            "average_billed": quotient(F.col("billed_amount"), F.col("claims"), 2).cast(_MONEY),
            "volume_share": ratio(F.col("claims"), F.sum("claims").over(whole)),
            "network_share": F.when(in_network, ratio(F.col("claims"), network_claims)),
            "upcoding_z": F.when(F.col("_peer_variance") > 0, F.round(above_peers / F.sqrt("_peer_variance"), 4)),
            "documentation_rate": ratio(F.col("documented_claims"), F.col("claims")),
            "is_in_network": in_network,
        }
    ).drop("_peer_billed", "_peer_variance")


def _figures(claims: DataFrame) -> DataFrame:
    """One row per provider, beside its own figures those of its peers: what claims with the conditions that it treated
    cost on average over the book, and the variance of that.

    From exact sums, so that every engine and every order of rows gives the same. The claims are read once, for the sums
    of a provider's claims of a condition; what a condition costs over the book is a sum of these.
    """
    condition = F.coalesce("diagnosis_code", F.lower("diagnosis"), F.lit("?")).alias("_condition")
    cells = claims.groupBy("provider_id", condition, F.coalesce("species", F.lit("?")).alias("_species"))
    cells = cells.agg(*_sums(), F.max("service_date").alias("last_service_date"))
    book = Window.partitionBy("_condition", "_species")
    cells = cells.withColumns({f"_book{name}": F.sum(name).over(book) for name in ("_priced", "_billed", "_squares")})
    count, total = F.col("_book_priced"), F.col("_book_billed").cast("double")
    mean = F.when(count > 0, total / count)
    spread = F.greatest(F.col("_book_squares").cast("double") - total * mean, F.lit(0.0))
    variance = F.when(count > 1, spread / (count - 1))
    return (
        cells.where("provider_id IS NOT NULL")
        .groupBy("provider_id")
        .agg(
            *[F.sum(name).alias(name) for name in _COUNTS],
            F.sum("_billed").cast(_MONEY).alias("billed_amount"),
            F.sum("_paid").cast(_MONEY).alias("paid_amount"),
            F.round(F.sum(mean * F.col("claims")), 4).alias("_peer_billed"),
            F.round(F.sum(variance * F.col("claims")), 2).alias("_peer_variance"),
            quotient(F.sum("_waited"), F.sum("_waits"), 2).cast("double").alias("average_invoice_days"),
            F.max("last_service_date").alias("last_service_date"),
        )
    )


def _sums() -> list[Column]:
    """Of some claims: counts, and sums that may be summed again."""
    amount, waited = F.col("claim_amount"), _days_to_invoice()
    is_documented = F.col("diagnosis_code").isNotNull() & F.col("invoice_number").isNotNull()
    return [
        F.count("*").alias("claims"),
        F.count_if("is_decided").alias("decided_claims"),
        F.count_if(F.col("status") == "Denied").alias("denied_claims"),
        F.count_if(F.coalesce("is_emergency", F.lit(False))).alias("emergency_claims"),
        F.count_if(F.size("review_flags") > 0).alias("flagged_claims"),
        F.count_if(is_documented).alias("documented_claims"),
        F.count(amount).alias("_priced"),
        F.sum(amount).alias("_billed"),
        F.sum((amount * amount).cast("decimal(26,4)")).alias("_squares"),
        F.sum("paid_amount").alias("_paid"),
        F.sum(waited).alias("_waited"),
        F.count(waited).alias("_waits"),
    ]


def _customers(claims: DataFrame) -> DataFrame:
    """(provider_id, customers): an aggregate of its own, as a distinct count beside others costs half of them again."""
    pairs = claims.where("customer_id IS NOT NULL").select("provider_id", "customer_id").distinct()
    return pairs.groupBy("provider_id").agg(F.count("*").alias("customers"))


def _repeats(claims: DataFrame) -> DataFrame:
    """(provider_id, duplicate_invoices): claims whose invoice number the provider has used more than once.

    All but the first of an invoice are flagged, so the few flagged claims tell which invoices to count.
    """
    invoice = ["provider_id", "invoice_number"]
    repeated = claims.where(F.array_contains("review_flags", "duplicate_invoice")).select(*invoice).distinct()
    counts = repeated.join(claims.select(*invoice), invoice).groupBy(*invoice).agg(F.count("*").alias("_n"))
    return counts.where("_n > 1").groupBy("provider_id").agg(F.sum("_n").alias("duplicate_invoices"))


def _days_to_invoice() -> Column:
    """Days from treatment to the claim; null where the dates are not in order."""
    days = F.datediff("submitted_date", "service_date")
    return F.when(days >= 0, days)
