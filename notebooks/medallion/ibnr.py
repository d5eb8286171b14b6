"""Claims incurred but not reported: chain ladder over service months, from the book's own reporting delays."""

from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

MAX_LAG = 12
"""Months after the service month from which on nothing more is expected."""


def ibnr_by_month(spark: SparkSession, claims: DataFrame, as_of: date) -> DataFrame:
    """(service_month, ibnr_amount, developed): `developed` is the share of the final cost that is reported by now.

    Cumulative incurred C(m, k) of service month m reported within k months; factor f(k) = sum C(m, k+1) / sum C(m, k)
    over the months m old enough to have both; ibnr(m) = C(m, age) x (f(age) x ... x f(11) - 1), never below zero.
    """
    now = as_of.year * 12 + as_of.month
    reported = claims.groupBy(
        _month_number("service_date").alias("m"),
        F.greatest(
            F.lit(0), F.least(F.lit(MAX_LAG), _month_number("submitted_date") - _month_number("service_date"))
        ).alias("k"),
    ).agg(F.sum(F.col("paid_amount") + F.col("case_reserve")).cast("double").alias("amount"))
    lags = spark.range(MAX_LAG + 1).select(F.col("id").cast("int").alias("k"))
    grid = reported.select("m").distinct().crossJoin(lags).where(F.col("m") + F.col("k") <= now)
    by_lag = Window.partitionBy("m").orderBy("k")
    triangle = grid.join(reported, ["m", "k"], "left").select(
        "m",
        "k",
        F.sum(F.coalesce("amount", F.lit(0.0))).over(by_lag).alias("cumulative"),
    )
    triangle = triangle.withColumn("next", F.lead("cumulative").over(by_lag))
    newest = triangle.where("next IS NULL").select("m", F.col("k").alias("age"), "cumulative")
    final = newest.crossJoin(_to_final(triangle)).where("age = k")
    return final.select(
        _month_text("m").alias("service_month"),
        F.round(F.greatest(F.col("cumulative") * (F.col("to_final") - 1.0), F.lit(0.0)), 2)
        .cast("decimal(12,2)")
        .alias("ibnr_amount"),
        F.round(F.lit(1.0) / F.col("to_final"), 6).alias("developed"),
    )


def _to_final(triangle: DataFrame) -> DataFrame:
    """(k, to_final): by how much the cost reported within k months still grows. Rounded: engines agree to the cent."""
    factor = F.greatest(F.coalesce(F.sum("next") / F.nullif(F.sum("cumulative"), F.lit(0.0)), F.lit(1.0)), F.lit(1.0))
    pairs = triangle.where("next IS NOT NULL").groupBy("k").agg(F.log(factor).alias("growth"))
    lags = triangle.select("k").distinct().join(pairs, "k", "left")
    later = (
        Window.partitionBy(F.lit(1))
        .orderBy(F.col("k").desc())
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    growth = F.sum(F.coalesce("growth", F.lit(0.0))).over(later)
    return lags.select("k", F.round(F.exp(growth), 9).alias("to_final"))


def _month_number(column: str) -> Column:
    return (F.year(column) * 12 + F.month(column)).cast("int")


def _month_text(column: str) -> Column:
    year = F.floor((F.col(column) - 1) / 12).cast("int")
    month = (F.col(column) - 1 - year * 12 + 1).cast("int")
    return F.concat_ws("-", F.lpad(year.cast("string"), 4, "0"), F.lpad(month.cast("string"), 2, "0"))
