"""gold.provider_performance: each clinic against peers that treated the same conditions."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.exact import quotient, ratio
from medallion.joins import that_have
from medallion.release import valued

_MONEY = "decimal(12,2)"
CREDIBLE_CLAIMS = 30
"""Claims from which on a provider's own experience counts in full."""


def provider_performance(providers: DataFrame, claims: DataFrame, as_of: date) -> DataFrame:
    """One row per provider of the directory, with claims or without."""
    claims = valued(claims, as_of)
    rows = (
        providers.select(
            "provider_id", "provider_name", "provider_type", "city", "state", "is_in_network", "average_rating"
        )
        .join(_figures(_with_peers(claims)), "provider_id", "left")
        .join(_customers(claims), "provider_id", "left")
        .join(_repeats(claims), "provider_id", "left")
    )
    counts = (
        "claims",
        "decided_claims",
        "denied_claims",
        "emergency_claims",
        "customers",
        "duplicate_invoices",
        "flagged_claims",
        "documented_claims",
    )
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


def _with_peers(claims: DataFrame) -> DataFrame:
    """Each claim of a provider with what its condition costs on average over the book, and the variance of that.

    From exact sums, so that every engine and every order of rows gives the same.
    """
    condition = F.coalesce("diagnosis_code", F.lower("diagnosis"), F.lit("?"))
    claims = claims.withColumns({"_condition": condition, "_species": F.coalesce("species", F.lit("?"))})
    sums = claims.groupBy("_condition", "_species").agg(
        F.count("claim_amount").alias("_n"),
        F.sum("claim_amount").cast("double").alias("_sum"),
        F.sum((F.col("claim_amount") * F.col("claim_amount")).cast("decimal(26,4)")).cast("double").alias("_squares"),
    )
    mean = F.when(F.col("_n") > 0, F.col("_sum") / F.col("_n"))
    spread = F.greatest(F.col("_squares") - F.col("_sum") * mean, F.lit(0.0))
    peers = sums.select(
        "_condition",
        "_species",
        mean.alias("_peer_billed"),
        F.when(F.col("_n") > 1, spread / (F.col("_n") - 1)).alias("_peer_variance"),
    )
    return that_have(claims.where("provider_id IS NOT NULL"), peers, "_condition", "_species")


def _customers(claims: DataFrame) -> DataFrame:
    """(provider_id, customers): an aggregate of its own, as a distinct count beside others costs half of them again."""
    pairs = claims.where("customer_id IS NOT NULL").select("provider_id", "customer_id").distinct()
    return pairs.groupBy("provider_id").agg(F.count("*").alias("customers"))


def _repeats(claims: DataFrame) -> DataFrame:
    """(provider_id, duplicate_invoices): claims whose invoice number the provider has used more than once."""
    invoices = claims.where("provider_id IS NOT NULL AND invoice_number IS NOT NULL")
    counts = invoices.groupBy("provider_id", "invoice_number").agg(F.count("*").alias("_n")).where("_n > 1")
    return counts.groupBy("provider_id").agg(F.sum("_n").alias("duplicate_invoices"))


def _days_to_invoice() -> Column:
    """Days from treatment to the claim; null where the dates are not in order."""
    days = F.datediff("submitted_date", "service_date")
    return F.when(days >= 0, days)


def _figures(claims: DataFrame) -> DataFrame:
    waited = _days_to_invoice()
    return claims.groupBy("provider_id").agg(
        F.count("*").alias("claims"),
        F.count_if("is_decided").alias("decided_claims"),
        F.count_if(F.col("status") == "Denied").alias("denied_claims"),
        F.count_if(F.coalesce("is_emergency", F.lit(False))).alias("emergency_claims"),
        F.count_if(F.size("review_flags") > 0).alias("flagged_claims"),
        F.sum("claim_amount").cast(_MONEY).alias("billed_amount"),
        F.sum("paid_amount").cast(_MONEY).alias("paid_amount"),
        F.round(F.sum("_peer_billed"), 4).alias("_peer_billed"),
        F.round(F.sum("_peer_variance"), 2).alias("_peer_variance"),
        F.count_if(F.col("diagnosis_code").isNotNull() & F.col("invoice_number").isNotNull()).alias(
            "documented_claims"
        ),
        quotient(F.sum(waited), F.count(waited), 2).cast("double").alias("average_invoice_days"),
        F.max("service_date").alias("last_service_date"),
    )
