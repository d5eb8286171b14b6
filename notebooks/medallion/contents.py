"""Making a table hold exactly the wanted rows, in one commit, or none when it does already.

A row that is held unchanged keeps its stamps: the run that last changed it, and the day it was valued at.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion import few
from medallion.joins import with_facts
from medallion.lake import PARTITIONS, STAMPS, Lake
from medallion.parallel import both

_GONE = "_gone"


def known(lake: Lake, table: str, keys: Sequence[str]) -> pa.Table | None:
    """Keys, hash and stamps of the rows held: what `sync` compares with. None when they are many, or not all there."""
    if not lake.exists(table) or not _is_comparable(lake, table, keys):
        return None
    return few.as_arrow(lake.read(table).select(*keys, "_row_hash", *STAMPS))


def sync(
    lake: Lake,
    table: str,
    wanted: DataFrame,
    keys: Sequence[str],
    *,
    held: pa.Table | None = None,
    differs: bool = False,
) -> None:
    """Make the table hold exactly `wanted`, whose `_row_hash` tells whether a row is unchanged.

    The table is written whole: a figure's plan is too deep to be the source of a MERGE, which reads it repeatedly.
    Where some row `differs` for certain, that is not found out first. `held` is what is `known` already.
    """
    if not lake.exists(table):
        lake.append(table, wanted)
        return
    if not _is_comparable(lake, table, keys):
        lake.overwrite(table, wanted)
        return
    held = known(lake, table, keys) if held is None else held
    rows = few.as_arrow(wanted) if held is not None else None
    if held is None or rows is None:
        _overwrite(lake, table, wanted, keys, F.col("_row_hash"), STAMPS, differs=differs)
    elif (kept := _with_kept_stamps(rows, held, keys)) is not None:
        lake.overwrite(table, lake.spark.createDataFrame(kept))


def _is_comparable(lake: Lake, table: str, keys: Sequence[str]) -> bool:
    return {*keys, "_row_hash", *STAMPS} <= set(lake.columns(table))


def sync_part(lake: Lake, table: str, wanted: DataFrame, keys: Sequence[str], held: DataFrame) -> None:
    """Make a part of the table, of which `held` are the rows, hold exactly `wanted`: few rows, which are merged."""
    now, rows = both(held.select(*keys, "_row_hash").toArrow, wanted.toArrow)
    before, own = _tuples(now, (*keys, "_row_hash")), _tuples(rows, (*keys, "_row_hash"))
    unchanged, stay = set(before), {row[:-1] for row in own}
    fresh = rows.filter(pa.array([row not in unchanged for row in own], pa.bool_()))
    gone = now.select(list(keys)).filter(pa.array([row[:-1] not in stay for row in before], pa.bool_()))
    whole = pa.concat_tables([_nullable(fresh), _nullable(gone)], promote_options="default")
    whole = whole.append_column(_GONE, pa.array([False] * fresh.num_rows + [True] * gone.num_rows, pa.bool_()))
    lake.merge_few(table, whole, keys, gone=_GONE)


def replace(lake: Lake, table: str, wanted: DataFrame, keys: Sequence[str]) -> None:
    """The same by all columns: for a table of other code, which may lack columns and hold other rows.

    A row that only lies in another partition now is unchanged.
    """
    if not lake.exists(table):
        lake.append(table, wanted)
        return
    part = PARTITIONS.get(table)
    columns, there = [name for name in wanted.columns if name != part], lake.columns(table)
    if not set(columns) <= set(there):
        lake.overwrite(table, wanted)
        return
    facts = [name for name in columns if name not in STAMPS]
    stamps = [name for name in STAMPS if name in columns]
    state = F.md5(F.to_json(F.struct(*facts)))
    if part is None or part in there:
        _overwrite(lake, table, wanted, keys, state, stamps, part=part)
    else:
        _overwrite(lake, table, wanted, keys, state, stamps, differs=True)


def _with_kept_stamps(rows: Any, held: Any, keys: Sequence[str]) -> Any:
    """The Arrow table `rows` with the stamps of those that `held` (keys, hash, stamps) has unchanged; None when all are
    and nothing else is held."""
    names = (*keys, "_row_hash", *STAMPS)
    before = {row[:-2]: row[-2:] for row in _tuples(held, names)}
    own = _tuples(rows, names)
    if len(own) == held.num_rows == sum(row[:-2] in before for row in own):
        return None
    stamps = [before.get(row[:-2], row[-2:]) for row in own]
    for place, name in enumerate(STAMPS):
        number = rows.schema.get_field_index(name)
        field = rows.schema.field(number)
        rows = rows.set_column(number, field, pa.array([stamp[place] for stamp in stamps], field.type))
    return rows


def _nullable(rows: Any) -> Any:
    """A row that goes has its keys only."""
    return rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema]))


def _tuples(rows: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(rows.column(name).to_pylist() for name in names), strict=True))


def _overwrite(
    lake: Lake,
    table: str,
    wanted: DataFrame,
    keys: Sequence[str],
    state: Column,
    stamps: Sequence[str],
    *,
    part: str | None = None,
    differs: bool = False,
) -> None:
    """Compare and write where the rows are; `part` is a column whose change is written and leaves the row's stamps."""
    held, kept_as = lake.read(table), [*stamps, *([part] if part else [])]
    rows = with_facts(wanted.withColumn("_state", state), _states(held, keys, state, kept_as), *keys)
    same = F.coalesce(F.col("_held_state") == F.col("_state"), F.lit(False))
    if not differs:
        stays = same & F.col(f"_held_{part}").eqNullSafe(F.col(part)) if part else same
        count, kept = rows.agg(F.count("*"), F.count_if(stays)).collect()[0]
        if count == kept == held.count():
            return
    kept_stamps = {name: F.when(same, F.col(f"_held_{name}")).otherwise(F.col(name)) for name in stamps}
    lake.overwrite(table, rows.withColumns(kept_stamps).select(*wanted.columns))


def _states(held: DataFrame, keys: Sequence[str], state: Column, columns: Sequence[str]) -> DataFrame:
    """One row a key, also where older code left two: `_held_state` and `_held_<column>`.

    Each column has an aggregate of its own: one over a struct takes Sail 0.7.2 time that grows with the square of the
    keys.
    """
    each = held.withColumn("_held_state", state).groupBy(*keys)
    return each.agg(
        F.min("_held_state").alias("_held_state"), *[F.min(name).alias(f"_held_{name}") for name in columns]
    )
