"""Joins: the engine holds the facts, and the many rows stream by."""

import os

import pytest
from pyspark.sql import functions as F

from medallion.joins import kept_after, with_facts


@pytest.fixture
def joined(workspace):
    """300 rows, and for most of them one of 100 facts; a flag that the rows tell, and a text made of the facts.

    The flag is one of which no engine knows how often it is true: Sail expects that a fifth of the rows is left, fewer
    than there are facts.
    """
    spark, schema = workspace.spark, f"{workspace.catalog}.bronze"
    named = F.col("id").cast("string")
    facts = spark.range(100).select("id", F.concat(F.lit("known"), named).alias("fact"))
    many = spark.range(300).select((F.col("id") % 101).alias("id"), named.alias("number"))
    for name, rows in {"facts": facts, "many": many}.items():
        rows.write.format("delta").saveAsTable(f"{schema}.{name}")
    rows = with_facts(spark.table(f"{schema}.many"), spark.table(f"{schema}.facts"), "id")
    unknown = F.md5(F.coalesce("fact", F.lit("-")))
    return rows.withColumns({"_hash": unknown, "_good": F.md5("number") != F.md5(F.lit("7"))})


def test_rows_whose_flag_is_false_or_unknown_are_left_out(joined):
    flags = joined.withColumn("_good", F.when(F.col("number") != "8", F.col("_good")))
    kept = {row["number"]: row["fact"] for row in kept_after("_hash", flags, "_good").collect()}
    assert kept.keys() == {str(number) for number in range(300)} - {"7", "8"}
    assert [number for number, fact in kept.items() if fact is None] == ["100", "201"]


@pytest.mark.skipif("SPARK_REMOTE" in os.environ, reason="reads the plan of the embedded engine")
def test_a_condition_does_not_make_the_engine_hold_the_many_rows(joined):
    plan = kept_after("_hash", joined, "_good")._explain_string()
    assert "join_type=Right" in plan
    assert "join_type=Left" not in plan
