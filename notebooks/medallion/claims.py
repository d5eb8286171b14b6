"""silver.claims brought up to date: new and changed claims, and the claims whose deductible and limit they move."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion import few
from medallion.few import Keys
from medallion.joins import that_have, with_facts
from medallion.lake import PARTITIONS, Lake
from medallion.records import KEPT, OWED, changed, claim_rows, with_owed
from medallion.references import REFERENCE_COLUMNS, with_terms_and_history
from medallion.run import Run
from medallion.schemas import CLAIMS
from medallion.terms import CLAIM_COLUMNS

TABLE = "silver.claims"
_STATE = ("_content_hash", "_refs_hash")
_HELD, _PLACE = "_held_hash", PARTITIONS[TABLE]
_NARROW = (*CLAIM_COLUMNS, *_STATE, *REFERENCE_COLUMNS, _HELD, _PLACE)


def as_held(run: Run, lake: Lake, keys: Keys) -> DataFrame:
    """What the table holds of the claims of `_key`: what `merge` compares them with."""
    rows = lake.read(TABLE).join(keys.rows.withColumnRenamed("_key", "claim_id"), "claim_id", "left_semi")
    return few.computed(run, rows.select("claim_id", "policy_id", *_STATE, F.col("_row_hash").alias(_HELD), _PLACE))


def merge(run: Run, lake: Lake, good: DataFrame, held: DataFrame) -> None:
    """Merge judged claims, and the claims of their policies whose deductible and limit left they move.

    Most of these are as they were, so first only what terms look at is read of them. `held` are the judged claims as
    the table holds them.
    """
    fresh = few.computed(run, changed(good, held, ["claim_id"], _STATE))
    ids = Keys.of(run, fresh, "claim_id", "policy_id")
    if ids:
        known = with_facts(fresh, held.select("claim_id", _HELD, _PLACE), "claim_id", few_rows=ids.few)
        claims = known.select(*_NARROW).unionAll(_neighbours(run, lake, ids, held).select(*_NARROW))
        owed = few.computed(run, with_owed(claims).where(f"NOT (_row_hash <=> {_HELD})").select(*OWED, _PLACE))
        own = ids.rows.select("claim_id", F.lit(True).alias("_own"))
        places = with_facts(owed, own, "claim_id").select(_PLACE, "_own").distinct().collect()
        rows = _wide(lake, fresh, ids.rows, owed, [place for place, is_own in places if not is_own])
        held_in = frozenset(place for place, _ in places if place is not None)
        lake.merge(TABLE, claim_rows(run, lake, rows), [CLAIMS.key], held_in=held_in)


def _neighbours(run: Run, lake: Lake, ids: Keys, held: DataFrame) -> DataFrame:
    """All other claims of the policies of claims: those that they have now, and those that they had as `held`."""
    moved = held.join(ids.rows.select("claim_id"), "claim_id", "left_semi").select("policy_id")
    policies = Keys.of(run, ids.rows.select("policy_id").unionAll(moved), "policy_id") or ids
    others = lake.read(TABLE).select(*CLAIM_COLUMNS, *_STATE, F.col("_row_hash").alias(_HELD), _PLACE)
    others = others.join(policies.rows, "policy_id", "left_semi")
    others = few.computed(run, others.join(ids.rows.select("claim_id"), "claim_id", "left_anti"))
    return with_terms_and_history(others, lake, few_rows=ids.few)


def _wide(lake: Lake, fresh: DataFrame, ids: DataFrame, owed: DataFrame, places: list[str]) -> DataFrame:
    """The claims of `owed` with all their columns: fresh ones, and others as the table holds them in `places`."""
    columns = (*CLAIMS.columns, *KEPT, "_refs_hash")
    claims = fresh.select(*columns)
    if places:
        others = owed.join(ids.select("claim_id"), "claim_id", "left_anti")
        held = lake.read(TABLE).where(F.col(_PLACE).isin(places)).select(*columns)
        claims = claims.unionAll(held.join(others.select("claim_id"), "claim_id", "left_semi"))
    return that_have(claims, owed.select(*OWED), "claim_id")
