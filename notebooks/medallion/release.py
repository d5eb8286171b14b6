"""gold.claims_analytics: one row per released claim, with what a reader of claims asks for beside it.

It is the gate: a claim that is not in it is in no figure of gold.
"""

from datetime import date
from functools import partial, reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion import contents, few, flags, pending
from medallion.few import Keys
from medallion.joins import that_have, with_facts
from medallion.lake import PARTITIONS, Changes, Lake
from medallion.parallel import both
from medallion.references import policy_terms
from medallion.rules import DECIDED
from medallion.run import Run
from medallion.spans import full_years
from medallion.standing import Standing
from medallion.told import changes_of

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


def release(run: Run, lake: Lake, standing: Standing, *, anew: bool) -> frozenset[str] | None:
    """Bring claims_analytics up to date for the run's claims, in one commit; an unchanged claim is not written.

    A claim can move what others are owed, and flag them: these change with it. With `anew` the rows that are there were
    made by other code, and are made again.
    Answers the customers of the claims that have changed since the last run; None when these may be more.
    """
    claims = pending.only_chosen(run, lake.read("silver.claims"), "claim_id")
    if anew or not lake.exists(TABLE):
        contents.replace(lake, TABLE, _whole(_with_released(claims, lake), lake, run), ["claim_id"])
        return None
    if run.claim_ids is not None:
        claims = _with_neighbours(claims, lake)
    is_as_left = standing.is_unchanged(TABLE)
    told = _told(run, lake, standing)
    if told is not None:
        claims = claims.where(F.col(PARTITIONS["silver.claims"]).isin(sorted(told.partitions)))
        keys = Keys(few.column(run, "claim_id", told.keys), True) if told.keys else None
    else:
        held = lake.read(TABLE).select("claim_id", "_row_hash")
        fresh = _hashed(claims, lake).join(held, ["claim_id", "_row_hash"], "left_anti")
        keys = Keys.of(run, fresh, "claim_id")
    if keys and not keys.few:  # so many are in no run for chosen claims
        contents.replace(lake, TABLE, _whole(claims, lake, run), ["claim_id"])
        return None
    customers = _merge(run, lake, claims.join(keys.rows, "claim_id", "left_semi"), keys.rows) if keys else frozenset()
    return customers if is_as_left else None


def _told(run: Run, lake: Lake, standing: Standing) -> Changes | None:
    """The claims that silver has changed since the last run, where it says so and nothing else has changed."""
    kept = standing.kept("silver.claims")
    if run.claim_ids is not None or kept is None or not standing.was_complete:
        return None
    if not standing.is_unchanged(TABLE, *_REFERENCES):
        return None
    return changes_of(run, "silver", "silver.claims", kept, lake.commit("silver.claims"))


def _merge(run: Run, lake: Lake, fresh: DataFrame, ids: DataFrame) -> frozenset[str]:
    """The fresh claims, and of the others those whose flags change: claims of the same providers, now or before.

    Answers the customers of the fresh claims, now and before.
    """
    held, place = lake.read(TABLE), PARTITIONS[TABLE]
    before = held.join(ids, "claim_id", "left_semi").select("provider_id", "customer_id", place)
    fresh, before = both(partial(few.computed, run, fresh), partial(few.computed, run, before))
    seen = fresh.select("provider_id", "customer_id", F.lit(None).cast("string").alias(place))
    seen = seen.unionAll(before).distinct().collect()
    providers, customers, held_in = ({row[n] for row in seen if row[n] is not None} for n in range(3))
    others = held.join(ids, "claim_id", "left_anti")
    others = others.join(few.column(run, "provider_id", providers), "provider_id", "left_semi")
    told = F.lit(None).cast("array<string>").alias("_told")
    facts = fresh.select(*flags.FACTS, told).unionAll(others.select(*flags.FACTS, F.col("review_flags").alias("_told")))
    signs = flags.with_repeats(flags.with_own_signs(flags.with_terms(facts, policy_terms(lake))))
    signs = signs.select("claim_id", "customer_id", "provider_id", "service_date", *flags.SIGNS, "_told")
    now = flags.flagged(flags.with_crowds(few.computed(run, signs.where(_may_change()))))
    flagged = few.computed(run, now.where("NOT (review_flags <=> _told)").select("claim_id", "review_flags"))
    rows = _rows(_joined(that_have(fresh, flagged, "claim_id"), lake, few_rows=True), run, lake)
    moved = flagged.join(ids, "claim_id", "left_anti")
    if not moved.isEmpty():
        again = held.drop("review_flags", "_run_id").join(moved, "claim_id")
        held_in |= {row[0] for row in again.select(place).distinct().collect()}
        rows = rows.unionByName(again.withColumn("_run_id", F.lit(run.batch_id)))
    lake.merge(TABLE, rows, ["claim_id"], held_in=frozenset(held_in))
    return frozenset(customers)


def _may_change() -> Column:
    """A claim that has no flag, and no sign of one, will have none."""
    told = F.col("_told")
    return reduce(or_, [F.col(sign) for sign in flags.SIGNS], told.isNull() | (F.size(told) > 0))


def _whole(claims: DataFrame, lake: Lake, run: Run) -> DataFrame:
    facts = flags.with_terms(claims.select(*flags.FACTS), policy_terms(lake))
    crowds = flags.with_crowds(flags.with_own_signs(facts))  # first, as few rows wait for them then
    by_claim = flags.flagged(flags.with_repeats(crowds)).select("claim_id", "review_flags")
    return _rows(_joined(that_have(claims, by_claim, "claim_id"), lake), run, lake)


def _with_released(claims: DataFrame, lake: Lake) -> DataFrame:
    """The claims and those that are released already, as silver has them."""
    if not lake.exists(TABLE):
        return claims
    ids = claims.select("claim_id").unionAll(lake.read(TABLE).select("claim_id")).distinct()
    return lake.read("silver.claims").join(ids, "claim_id", "left_semi")


def _with_neighbours(chosen: DataFrame, lake: Lake) -> DataFrame:
    """The chosen claims and the released ones that share a policy with them, now or before: they share its deductible
    and limit. A neighbour that has landed anew is not released by this: it was not chosen.
    """
    silver, held = lake.read("silver.claims"), lake.read(TABLE)
    ids = chosen.select("claim_id")
    before = held.join(ids, "claim_id", "left_semi").select("policy_id")
    touched = chosen.select("policy_id").unionAll(before).distinct()
    neighbours = silver.join(touched, "policy_id", "left_semi")
    neighbours = neighbours.join(held.select("claim_id", "_content_hash"), ["claim_id", "_content_hash"], "left_semi")
    return silver.join(ids.unionAll(neighbours.select("claim_id")).distinct(), "claim_id", "left_semi")


def _hashed(claims: DataFrame, lake: Lake) -> DataFrame:
    """(claim_id, _row_hash) as the released row would have them: narrow columns only."""
    narrow = claims.select("claim_id", "policy_id", "pet_id", "customer_id", "provider_id", "_row_hash")
    for table, key, name in _DIMENSIONS:
        hashes = lake.read(f"silver.{table}").select(key, F.col("_content_hash").alias(name))
        narrow = with_facts(narrow, hashes, key)
    return narrow.select("claim_id", _released_hash().alias("_row_hash"))


_DIMENSIONS = (
    ("customers", "customer_id", "_customer_hash"),
    ("pets", "pet_id", "_pet_hash"),
    ("policies", "policy_id", "_policy_hash"),
    ("vet_providers", "provider_id", "_provider_hash"),
)
_REFERENCES = tuple(f"silver.{table}" for table, _, _ in _DIMENSIONS)


def _released_hash() -> Column:
    return F.md5(F.concat_ws("|", "_row_hash", *[F.coalesce(name, F.lit("-")) for name in _JOINED]))


def _joined(claims: DataFrame, lake: Lake, *, few_rows: bool = False) -> DataFrame:
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
    facts = {"customer_id": customers, "pet_id": pets, "policy_id": policies, "provider_id": providers}
    for key, rows in facts.items():
        claims = with_facts(claims, rows, key, few_rows=few_rows)
    return claims


def _rows(claims: DataFrame, run: Run, lake: Lake) -> DataFrame:
    zero = F.lit(0).cast(_MONEY)
    claims = claims.withColumn("pet_age_years", full_years("_born_on", "service_date"))
    return claims.select(
        *_CLAIM,
        F.date_format("service_date", "yyyy-MM").alias("service_month"),
        *[F.coalesce(name, zero).alias(name) for name in _TERMS],
        "ineligible_reason",
        _leakage().alias("leakage_amount"),
        F.col("status").isin(*DECIDED).alias("is_decided"),
        _days("submitted_date", "decision_date").alias("decision_days"),
        _days("decision_date", "payment_date").alias("payment_days"),
        "pet_name",
        "species",
        "breed",
        "pet_age_years",
        age_band(F.col("pet_age_years")).alias("age_band"),
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
        "_content_hash",
        _released_hash().alias("_row_hash"),
        F.lit(run.batch_id).alias("_run_id"),
        lake.part_of("service_date").alias(PARTITIONS[TABLE]),
    )


def _days(first: str, last: str) -> Column:
    """Null where the dates are not in order: such a claim has broken a rule, and is no cycle time."""
    days = F.datediff(last, first).cast("int")
    return F.when(days >= 0, days)


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
    """The released claims that belong to the figures as at `as_of`: served, and known to the insurer."""
    return claims.where((F.col("service_date") <= F.lit(as_of)) & (F.col("submitted_date") <= F.lit(as_of)))
