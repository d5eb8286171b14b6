"""Quarantine: rejected rows with the rule, the reason in words and the raw row; healed when a good version comes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion import contents, few
from medallion.lake import Lake
from medallion.parallel import nothing
from medallion.rules import first_rule, reasons
from medallion.run import Run

QUARANTINE = "silver.quarantine"
_SCHEMA = (
    "table_name string, key string, rule string, message string, raw string, _run_id string, at timestamp, "
    "_rejects array<string>, _content_hash string"
)
_COLUMNS = [field.split()[0] for field in _SCHEMA.split(", ")]
_KEYS = ("table_name", "key")
_HEALED = "_healed"
_STATE = ("rule", "message", "_content_hash")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one table's run decided: the keys it looked at (`_key`) and the rows it rejects."""

    table: str
    keys: DataFrame
    rejected: DataFrame


def rejected_rows(judged: DataFrame, table: str, run_id: str) -> DataFrame:
    """Rows of quarantine: the newest version of each key that breaks a rule of severity reject."""
    return judged.where("_newest AND size(_rejects) > 0").select(
        F.lit(table).alias("table_name"),
        F.col("_key").alias("key"),
        first_rule().alias("rule"),
        reasons(table).alias("message"),
        F.coalesce("_corrupt", F.to_json("_raw")).alias("raw"),
        F.lit(run_id).alias("_run_id"),
        F.col("_landed_at").alias("at"),
        "_rejects",
        "_content_hash",
    )


def update(run: Run, lake: Lake, verdicts: Sequence[Verdicts]) -> Callable[[], None]:
    """Find what all verdicts change in quarantine, and answer its writing: one commit, or none when nothing changed.

    It has to come after those of the tables: what is healed would else be nowhere when the run dies in between, and of
    its batch there would be refused rows only.
    """
    if not lake.exists(QUARANTINE):
        rejected = few.computed(run, _all(run, [verdict.rejected for verdict in verdicts]))
        return partial(lake.append, QUARANTINE, rejected)
    if not verdicts:
        return nothing
    changes = _union([_changes(lake, verdict) for verdict in verdicts])
    rows = few.as_arrow(changes)
    if rows is None:
        return partial(lake.merge, QUARANTINE, changes, _KEYS, gone=_HEALED)
    return partial(lake.merge_few, QUARANTINE, rows, _KEYS, gone=_HEALED)


def replace(run: Run, lake: Lake, rejected: Sequence[DataFrame]) -> None:
    """Make quarantine hold exactly these rows; those that it holds already keep the run that put them there."""
    contents.replace(lake, QUARANTINE, _all(run, rejected), _KEYS)


def _all(run: Run, rejected: Sequence[DataFrame]) -> DataFrame:
    return _union([run.spark.createDataFrame([], _SCHEMA), *rejected])


def _changes(lake: Lake, verdict: Verdicts) -> DataFrame:
    """New and changed rejects, and the rows of keys that were looked at and are good now, flagged as healed."""
    columns = _COLUMNS
    looked_at = verdict.keys.select(F.col("_key").alias("key")).distinct()
    held = lake.read(QUARANTINE).where(F.col("table_name") == verdict.table).join(looked_at, "key", "left_semi")
    held = held.select(F.col("key"), F.struct(*columns).alias("_held"), _state().alias("_held_state"))
    now = verdict.rejected.select(F.col("key"), F.struct(*columns).alias("_now"), _state().alias("_now_state"))
    both = now.join(held, "key", "full_outer").where("NOT (_now_state <=> _held_state)")
    healed = F.col("_now_state").isNull()
    chosen = [F.when(healed, F.col("_held")[name]).otherwise(F.col("_now")[name]).alias(name) for name in columns]
    return both.select(*chosen, healed.alias(_HEALED))


def _state() -> Column:
    return F.md5(F.concat_ws("|", *_STATE))


def _union(parts: Sequence[DataFrame]) -> DataFrame:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    return whole
