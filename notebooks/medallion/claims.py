"""silver.claims brought up to date: new and changed claims, and the claims whose deductible and limit they move."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion import few
from medallion.conform import filled
from medallion.few import Keys
from medallion.joins import that_have, with_facts
from medallion.lake import PARTITIONS, Lake
from medallion.landed import Landed
from medallion.records import KEPT, OWED, changed, claim_rows, with_owed
from medallion.references import REFERENCE_COLUMNS, with_terms_and_history
from medallion.run import Run
from medallion.schemas import CLAIMS
from medallion.terms import CLAIM_COLUMNS

TABLE = "silver.claims"
_STATE = ("_content_hash", "_refs_hash")
_HELD, _PLACE = "_held_hash", PARTITIONS[TABLE]
_NARROW = (*CLAIM_COLUMNS, *_STATE, *REFERENCE_COLUMNS, _HELD, _PLACE)


@dataclass(frozen=True, slots=True)
class Held:
    """What the table holds: the claims that are judged, and the claims of the policies that those which have landed
    name, as far as terms look at them; None where these are many, or nobody knows which have landed."""

    judged: DataFrame
    of_policies: pa.Table | None
    policies: frozenset[str]


def as_held(run: Run, lake: Lake, keys: Keys, new: Landed | None) -> Held:
    """What `merge` compares the claims of `_key` with; what lands is read here as the claims are judged beside."""
    rows = lake.read(TABLE).join(keys.rows.withColumnRenamed("_key", "claim_id"), "claim_id", "left_semi")
    rows = rows.select("claim_id", "policy_id", *_STATE, F.col("_row_hash").alias(_HELD), _PLACE)
    judged = few.computed(run, rows)
    named = few.as_arrow(new.rows.select(filled("policy_id").alias("policy_id"))) if new and new.count else None
    if named is None:
        return Held(judged, None, frozenset())
    policies = frozenset(named.column(0).to_pylist()) - {None}
    return Held(judged, few.as_arrow(_of_policies(lake, few.column(run, "policy_id", policies))), policies)


def merge(run: Run, lake: Lake, good: DataFrame, held: Held) -> None:
    """Merge judged claims, and the claims of their policies whose deductible and limit left they move.

    Most of these are as they were, so first only what terms look at is read of them.
    """
    fresh = few.computed(run, changed(good, held.judged, ["claim_id"], _STATE))
    ids = Keys.of(run, fresh, "claim_id", "policy_id")
    if ids:
        known = with_facts(fresh, held.judged.select("claim_id", _HELD, _PLACE), "claim_id", few_rows=ids.few)
        claims = known.select(*_NARROW).unionAll(_neighbours(run, lake, ids, held).select(*_NARROW))
        owed = few.computed(run, with_owed(claims).where(f"NOT (_row_hash <=> {_HELD})").select(*OWED, _PLACE))
        own = ids.rows.select("claim_id", F.lit(True).alias("_own"))
        places = with_facts(owed, own, "claim_id").select(_PLACE, "_own").distinct().collect()
        rows = _wide(lake, fresh, ids.rows, owed, [place for place, is_own in places if not is_own])
        held_in = frozenset(place for place, _ in places if place is not None)
        lake.merge(TABLE, claim_rows(run, lake, rows), [CLAIMS.key], held_in=held_in)


def _neighbours(run: Run, lake: Lake, ids: Keys, held: Held) -> DataFrame:
    """All other claims of the policies of claims: those that they have now, and those that they had as `held`."""
    own = ids.rows.select("claim_id")
    moved = held.judged.join(own, "claim_id", "left_semi").select("policy_id")
    wanted = ids.rows.select("policy_id").unionAll(moved)
    others = _read_ahead(held, wanted)
    if others is not None:
        rows = few.frame(run, others).join(own, "claim_id", "left_anti")
    else:
        policies = Keys.of(run, wanted, "policy_id") or ids
        rows = few.computed(run, _of_policies(lake, policies.rows).join(own, "claim_id", "left_anti"))
    return with_terms_and_history(rows, lake, few_rows=ids.few)


def _read_ahead(held: Held, wanted: DataFrame) -> pa.Table | None:
    """The claims of the wanted policies, where those of all of them were read."""
    if (rows := held.of_policies) is None or (policies := few.as_arrow(wanted)) is None:
        return None
    names = policies.column(0).combine_chunks()
    if not held.policies.issuperset(names.to_pylist()):
        return None
    return rows.filter(pc.is_in(rows.column("policy_id"), names))


def _of_policies(lake: Lake, policies: DataFrame) -> DataFrame:
    rows = lake.read(TABLE).select(*CLAIM_COLUMNS, *_STATE, F.col("_row_hash").alias(_HELD), _PLACE)
    return rows.join(policies, "policy_id", "left_semi")


def _wide(lake: Lake, fresh: DataFrame, ids: DataFrame, owed: DataFrame, places: list[str]) -> DataFrame:
    """The claims of `owed` with all their columns: fresh ones, and others as the table holds them in `places`."""
    columns = (*CLAIMS.columns, *KEPT, "_refs_hash")
    claims = fresh.select(*columns)
    if places:
        others = owed.join(ids.select("claim_id"), "claim_id", "left_anti")
        held = lake.read(TABLE).where(F.col(_PLACE).isin(places)).select(*columns)
        claims = claims.unionAll(held.join(others.select("claim_id"), "claim_id", "left_semi"))
    return that_have(claims, owed.select(*OWED), "claim_id")
