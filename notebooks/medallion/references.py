"""What a claim refers to: its policy's terms, its pet's history, and whether customer and provider are known."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.joins import with_facts
from medallion.lake import Lake

REFERENCE_HASHES = ("_policy_hash", "_pet_hash", "_customer_hash", "_provider_hash")


REFERENCE_COLUMNS = (
    *("_policy_pet_id", "_effective_date", "_term_end", "_annual_deductible", "_reimbursement_pct", "_annual_limit"),
    *("_accident_wait", "_illness_wait", "_orthopedic_wait", "_wellness", "_dental"),
    *("_conditions", "_onset_on"),
)
"""What the terms of a policy need beside the claim."""


def with_references(claims: DataFrame, lake: Lake, *, few_rows: bool = False) -> DataFrame:
    """Each claim with the columns that its rules and its policy's terms need; nulls where the reference is unknown."""
    claims = _with_parties(with_terms_and_history(claims, lake, few_rows=few_rows), lake, few_rows=few_rows)
    return claims.withColumn("_refs_hash", refs_hash())


def with_terms_and_history(claims: DataFrame, lake: Lake, *, few_rows: bool = False) -> DataFrame:
    """Each claim with what the terms of its policy are applied to; nulls where policy or pet is unknown."""
    claims = with_facts(claims, policy_terms(lake), "policy_id", few_rows=few_rows)
    return with_facts(claims, _pet_history(lake), "pet_id", few_rows=few_rows)


def _with_parties(claims: DataFrame, lake: Lake, *, few_rows: bool = False) -> DataFrame:
    customers = _known(lake, "customers", "customer_id", "_customer_hash")
    providers = _known(lake, "vet_providers", "provider_id", "_provider_hash")
    claims = with_facts(claims, customers, "customer_id", few_rows=few_rows)
    return with_facts(claims, providers, "provider_id", few_rows=few_rows)


def with_pet(policies: DataFrame, lake: Lake, *, few_rows: bool = False) -> DataFrame:
    """Each policy with `_pet_hash`, null where its pet is unknown."""
    return with_facts(policies, _known(lake, "pets", "pet_id", "_pet_hash"), "pet_id", few_rows=few_rows)


def with_reference_hashes(claims: DataFrame, lake: Lake) -> DataFrame:
    """Only the hashes, to see which claims are stale."""
    claims = with_facts(claims, policy_terms(lake).select("policy_id", "_policy_hash"), "policy_id")
    claims = with_facts(claims, _pet_history(lake).select("pet_id", "_pet_hash"), "pet_id")
    return _with_parties(claims, lake)


def refs_hash() -> Column:
    """Changes whenever something that the claim's rules or terms look at changes."""
    return F.md5(F.concat_ws("|", *[F.coalesce(F.col(name), F.lit("-")) for name in REFERENCE_HASHES]))


def policy_terms(lake: Lake) -> DataFrame:
    """`policy_id` with what its rules, terms and flags look at."""
    terms = ("effective_date", "annual_deductible", "reimbursement_pct", "annual_limit")
    return lake.read("silver.policies").select(
        "policy_id",
        F.col("_content_hash").alias("_policy_hash"),
        F.col("pet_id").alias("_policy_pet_id"),
        F.least("expiration_date", F.coalesce("cancellation_date", "expiration_date")).alias("_term_end"),
        *[F.col(name).alias(f"_{name}") for name in terms],
        *[
            F.coalesce(F.col(f"{k}_wait_days"), F.lit(0)).alias(f"_{k}_wait")
            for k in ("accident", "illness", "orthopedic")
        ],
        F.coalesce("includes_wellness", F.lit(False)).alias("_wellness"),
        F.coalesce("includes_dental", F.lit(False)).alias("_dental"),
    )


def _pet_history(lake: Lake) -> DataFrame:
    """Few pets have conditions, and only their texts are split."""
    conditions = F.col("pre_existing_conditions")
    return lake.read("silver.pets").select(
        "pet_id",
        F.col("_content_hash").alias("_pet_hash"),
        F.when(conditions.isNotNull(), F.split(conditions, r"\s*;\s*")).alias("_conditions"),
        F.col("condition_onset_on").alias("_onset_on"),
    )


def _known(lake: Lake, table: str, key: str, name: str) -> DataFrame:
    return lake.read(f"silver.{table}").select(key, F.lit("known").alias(name))
