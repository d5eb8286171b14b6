"""gold.customer_360 and gold.cross_sell: each customer with pets, policies, figures, tiers and the next best offer."""

from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.exact import ratio
from medallion.exposure import days, earned, in_force, premium_days
from medallion.release import valued
from medallion.spans import full_months

TARGET_MARGIN = Decimal("0.28")
"""Share of earned premium that is left after the target loss ratio of 72 %."""
ACQUISITION_COST_USD = Decimal(60)
_MONEY = "decimal(12,2)"


def customer_360(
    customers: DataFrame, pets: DataFrame, policies: DataFrame, claims: DataFrame, as_of: date
) -> DataFrame:
    """One row per customer."""
    rows = (
        customers.select(
            "customer_id",
            "first_name",
            "last_name",
            "city",
            "state",
            "customer_since",
            "preferred_contact",
            "marketing_opt_in",
        )
        .join(_pets(pets), "customer_id", "left")
        .join(_policies(policies, as_of), "customer_id", "left")
        .join(_claims(claims, as_of), "customer_id", "left")
    )
    counts = (
        "pets",
        "policies",
        "active_policies",
        "insured_pets",
        "claims",
        "open_claims",
        "denied_claims",
        "unprotected_wellness",
        "low_limits",
    )
    money = ("annual_premium", "earned_premium", "paid_amount", "incurred_amount")
    rows = rows.withColumns({name: F.coalesce(name, F.lit(0)).cast("bigint") for name in counts})
    rows = rows.withColumns({name: F.coalesce(name, F.lit(0)).cast(_MONEY) for name in money})
    rows = rows.withColumns(
        {
            "tenure_months": F.greatest(full_months("customer_since", as_of), F.lit(0)),
            "loss_ratio": ratio(F.col("incurred_amount"), F.col("earned_premium")),
            "lifetime_value": _lifetime_value(),
            "is_multi_pet": F.col("insured_pets") > 1,
            "limit_used": F.coalesce(ratio(F.col("_paid_last_year"), F.col("_limit")), F.lit(0.0)),
        }
    )
    rows = rows.withColumns({"value_tier": _value_tier(), "churn_tier": _churn_tier()})
    rows = rows.withColumn("_best", F.split(F.array_max(_offers()), r"\|"))
    rows = rows.withColumns(
        {"next_best_offer": F.get("_best", F.lit(1)), "next_best_offer_reason": F.get("_best", F.lit(2))}
    )
    return rows.drop("_best", "_limit", "_paid_last_year")


def cross_sell(customer_rows: DataFrame) -> DataFrame:
    """One row per customer and offer that suits; `priority` 1 is the customer's next best offer."""
    candidates = customer_rows.select(
        "customer_id", "value_tier", "marketing_opt_in", F.explode(_offers()).alias("_offer")
    ).withColumn("_offer", F.split("_offer", r"\|"))
    ranked = Window.partitionBy("customer_id").orderBy(F.col("score").desc(), F.col("offer").desc())
    flat = candidates.select(
        "customer_id",
        F.get("_offer", F.lit(1)).alias("offer"),
        F.get("_offer", F.lit(2)).alias("reason"),
        F.get("_offer", F.lit(0)).cast("double").alias("score"),
        "value_tier",
        F.coalesce("marketing_opt_in", F.lit(False)).alias("may_contact"),
    )
    return flat.withColumn("priority", F.row_number().over(ranked).cast("int"))


def offers() -> list[tuple[str, Column, Column, str]]:
    """(offer, suits, score 0..1, reason). A score grows with how much of the book the offer has been right for.

    A score that is computed is a decimal, which every engine rounds alike.
    """
    pets, active = F.col("pets"), F.col("active_policies")
    return [
        ("multi_pet", active.between(1, 99) & (pets > active), F.lit(0.8), "has more pets than insured pets"),
        ("win_back", (active == 0) & (F.col("policies") > 0), F.lit(0.7), "has no policy in force any more"),
        (
            "limit_upgrade",
            (active > 0) & (F.col("low_limits") > 0) & (F.col("limit_used") >= 0.5),
            F.lit(Decimal("0.6")) + F.lit(Decimal("0.3")) * F.least("limit_used", F.lit(1.0)).cast("decimal(7,6)"),
            "has used half of an annual limit or more",
        ),
        (
            "wellness",
            (active > 0) & (F.col("unprotected_wellness") > 0),
            F.when(F.col("claims") > 2, 0.55).otherwise(0.4),
            "has a policy without wellness cover",
        ),
    ]


def _offers() -> Column:
    """The offers that suit, as texts `score|offer|reason` whose order is the order of the scores (all below 1)."""
    texts = [
        F.when(suits, F.concat_ws("|", score.cast("decimal(5,4)").cast("string"), F.lit(offer), F.lit(reason)))
        for offer, suits, score, reason in offers()
    ]
    return F.array_compact(F.array(*texts))


def _pets(pets: DataFrame) -> DataFrame:
    active = F.coalesce("is_active", F.lit(True))
    by_species = pets.where(active).groupBy("customer_id", "species").agg(F.count("*").alias("_pets"))
    return by_species.groupBy("customer_id").agg(
        F.sum("_pets").alias("pets"), F.array_join(F.array_sort(F.collect_list("species")), ", ").alias("species")
    )


def _policies(policies: DataFrame, as_of: date) -> DataFrame:
    """Figures of each customer's policies, first by pet: counting distinct pets takes the engine a set a customer."""
    held = in_force(policies, as_of).withColumn("_active", F.col("_until") > F.lit(as_of))
    active = F.col("_active")
    premium = F.when(active, F.col("monthly_premium") * 12)
    by_pet = held.groupBy("customer_id", "pet_id").agg(
        F.count("*").alias("policies"),
        F.count_if("_active").alias("active_policies"),
        F.sum(premium).alias("annual_premium"),
        premium_days(days("_from", "_until")).alias("_premium_days"),
        F.count_if(active & ~F.coalesce("includes_wellness", F.lit(False))).alias("unprotected_wellness"),
        F.count_if(active & F.col("annual_limit").isNotNull()).alias("low_limits"),
        F.max(F.when(active, F.col("annual_limit"))).alias("_limit"),
        F.min(F.when(active, days(F.lit(as_of), F.col("expiration_date")))).alias("days_to_renewal"),
    )
    counts = ("policies", "active_policies", "unprotected_wellness", "low_limits")
    return by_pet.groupBy("customer_id").agg(
        *[F.sum(name).alias(name) for name in counts],
        F.count_if((F.col("active_policies") > 0) & F.col("pet_id").isNotNull()).alias("insured_pets"),
        F.sum("annual_premium").cast(_MONEY).alias("annual_premium"),
        earned(F.sum("_premium_days")).alias("earned_premium"),
        F.max("_limit").alias("_limit"),
        F.min("days_to_renewal").cast("int").alias("days_to_renewal"),
    )


def _claims(claims: DataFrame, as_of: date) -> DataFrame:
    recent = F.col("service_date") > F.date_sub(F.lit(as_of), 365)
    return (
        valued(claims, as_of)
        .groupBy("customer_id")
        .agg(
            F.count("*").alias("claims"),
            F.count_if(~F.col("is_decided")).alias("open_claims"),
            F.count_if(F.col("status") == "Denied").alias("denied_claims"),
            F.sum("paid_amount").cast(_MONEY).alias("paid_amount"),
            F.sum(F.col("paid_amount") + F.col("case_reserve")).cast(_MONEY).alias("incurred_amount"),
            F.sum(F.when(recent, F.col("paid_amount"))).cast(_MONEY).alias("_paid_last_year"),
            F.max("service_date").alias("last_service_date"),
        )
    )


def _lifetime_value() -> Column:
    value = F.col("earned_premium") * F.lit(TARGET_MARGIN) - F.lit(ACQUISITION_COST_USD)
    return F.round(value, 2).cast(_MONEY)


def _value_tier() -> Column:
    premium = F.col("annual_premium")
    return (
        F.when(premium >= 1200, "platinum").when(premium >= 700, "gold").when(premium > 0, "silver").otherwise("lapsed")
    )


def _churn_tier() -> Column:
    """high: nothing in force, or renewal near after a denial; medium: young, denied or near renewal; else low."""
    near = F.coalesce(F.col("days_to_renewal") <= 45, F.lit(False))
    denied = F.col("denied_claims") > 0
    return (
        F.when(F.col("active_policies") == 0, "lapsed")
        .when(near & denied, "high")
        .when(near | denied | (F.col("tenure_months") < 6), "medium")
        .otherwise("low")
    )
