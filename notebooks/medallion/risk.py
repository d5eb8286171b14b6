"""gold.risk_scoring: what pets of a species, breed and age cost, by condition, relative to the book."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from medallion.exact import ratio
from medallion.exposure import DAYS_PER_YEAR, days, in_force
from medallion.release import age_band, valued
from medallion.spans import full_years

FULL_CREDIBILITY_CLAIMS = 1082
"""Claims at which a frequency is within 5 % at 90 % confidence: the classical standard."""
_KEYS = ("species", "breed", "age_band", "claim_category")


def risk_scoring(exposure: DataFrame, claims: DataFrame, as_of: date) -> DataFrame:
    """One row per species, breed, age band and condition category with claims; `exposure` is `exposure_by_age`.

    relativity = (claims cost per exposure year of the cell / that of its species over all breeds and ages), drawn
    towards 1 by credibility sqrt(claims / 1082).
    """
    species_years = F.sum("exposure_years").over(Window.partitionBy("species"))
    exposure = exposure.withColumn("_species_years", species_years)
    cells = _cells(valued(claims, as_of)).join(exposure, ["species", "breed", "age_band"], "inner")
    category = Window.partitionBy("species", "claim_category")
    cells = cells.withColumn("_species_cost", F.sum(F.col("incurred_amount").cast("double")).over(category))
    cells = cells.withColumns(
        {
            "frequency": ratio(F.col("claims"), F.col("exposure_years")),
            "severity": ratio(F.col("incurred_amount"), F.col("claims")),
            "pure_premium": ratio(F.col("incurred_amount"), F.col("exposure_years")),
            "_base": ratio(F.col("_species_cost"), F.col("_species_years")),
            "credibility": F.round(F.least(F.sqrt(F.col("claims") / FULL_CREDIBILITY_CLAIMS), F.lit(1.0)), 6),
        }
    )
    raw = ratio(F.col("pure_premium"), F.col("_base"))
    blended = F.round(F.col("credibility") * F.col("raw_relativity") + (1.0 - F.col("credibility")), 6)
    cells = cells.withColumn("raw_relativity", raw).withColumn("relativity", F.coalesce(blended, F.lit(1.0)))
    band = F.when(F.col("relativity") >= 1.25, "high").when(F.col("relativity") <= 0.8, "low").otherwise("average")
    return cells.withColumn("risk_band", band).drop("_species_years", "_species_cost", "_base")


def exposure_by_age(pets: DataFrame, policies: DataFrame, as_of: date) -> DataFrame:
    """Exposure years by species, breed and age band: each day in force counts at the pet's age on that day."""
    born = pets.select("pet_id", "species", _breed(), F.col("date_of_birth").alias("_born_on"))
    held = in_force(policies, as_of).select("pet_id", "_from", "_until").join(born, "pet_id")
    ages = F.sequence(_age_on(F.col("_from")), _age_on(F.date_sub("_until", 1)))
    unknown = F.array(F.lit(None).cast("int"))
    years = held.withColumn("_age", F.explode(F.when(F.col("_born_on").isNull(), unknown).otherwise(ages)))
    start = F.greatest("_from", F.coalesce(_birthday(F.col("_age")), "_from"))
    end = F.least("_until", F.coalesce(_birthday(F.col("_age") + 1), "_until"))
    banded = years.select(
        "species", "breed", age_band(F.col("_age")).alias("age_band"), days(start, end).alias("_days")
    )
    return banded.groupBy("species", "breed", "age_band").agg(
        F.round(F.sum("_days") / DAYS_PER_YEAR, 4).alias("exposure_years")
    )


def _age_on(day: Column) -> Column:
    """Full years, counted as for claims; a day before the birth is age 0."""
    return F.greatest(full_years("_born_on", day), F.lit(0))


def _birthday(age: Column) -> Column:
    """The first day of an age; none for age 0, which begins with the first day in force."""
    return F.when(age > 0, F.add_months("_born_on", (age * 12).cast("int")))


def _cells(claims: DataFrame) -> DataFrame:
    category = F.coalesce("claim_category", F.lit("Unknown")).alias("claim_category")
    known = claims.where("species IS NOT NULL").select(
        "species", _breed(), "age_band", category, "paid_amount", "case_reserve", "is_emergency"
    )
    return known.groupBy(*_KEYS).agg(
        F.count("*").alias("claims"),
        F.sum(F.col("paid_amount") + F.col("case_reserve")).cast("decimal(12,2)").alias("incurred_amount"),
        F.count_if(F.coalesce("is_emergency", F.lit(False))).alias("emergency_claims"),
    )


def _breed() -> Column:
    return F.coalesce("breed", F.lit("Unknown")).alias("breed")
