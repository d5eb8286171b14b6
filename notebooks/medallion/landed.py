"""The raw rows that have landed since silver last left nothing pending, as the manifest of bronze tells them.

They lie in data files of their own, so reading them costs what has landed, and not the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.lake import Lake
from medallion.parallel import both
from medallion.pending import bronze_rows
from medallion.run import Run
from medallion.schemas import Entity
from medallion.standing import Standing

MANIFEST = "bronze.manifest"
_FEW_FILES = 100
"""Up to so many files are named in a query."""


@dataclass(frozen=True, slots=True)
class Landed:
    """The new raw rows of one table of bronze, and how many they are."""

    rows: DataFrame
    count: int


def since_last_run(run: Run, lake: Lake, standing: Standing, entity: Entity) -> Landed | None:
    """The raw rows that came since; None when that cannot be told beyond doubt, or not all of them are to be looked at.

    The manifest must account for every row by which the table has grown: a run of bronze that died, or somebody else,
    may have left rows that it does not list.
    """
    table = f"bronze.{entity.table}"
    kept, listed = standing.kept(table), standing.kept(MANIFEST)
    if run.claim_ids is not None or not standing.was_complete or kept is None or listed is None:
        return None
    now = lake.commit(table)
    if now == kept:
        return Landed(bronze_rows(run, lake, entity).limit(0), 0)
    if now.version <= kept.version:
        return None
    try:
        files, grown_by = both(
            partial(_new_files, lake, entity, listed.version),
            lambda: lake.read(table).count() - lake.read_version(table, kept.version).count(),
        )
    except Exception:  # noqa: BLE001 - each engine has its own error for a version that was cleaned up
        return None
    if not 0 < len(files) <= _FEW_FILES or sum(file["rows"] for file in files) != grown_by:
        return None
    rows = bronze_rows(run, lake, entity).where(
        _is_of(files, "_source_file", "path") & _is_of(files, "_file_hash", "content_hash")
    )
    return Landed(rows, grown_by)


def _new_files(lake: Lake, entity: Entity, version: int) -> Sequence[Any]:
    """(path, content_hash, rows) of files with rows that the manifest did not list at a version."""
    columns = ["path", "content_hash", "rows"]
    is_mine = (F.col("table_name") == entity.table) & (F.col("rows") > 0)
    now, before = lake.read(MANIFEST), lake.read_version(MANIFEST, version)
    new = now.where(is_mine).select(*columns).join(before.select(*columns), columns, "left_anti")
    return list(new.limit(_FEW_FILES + 1).collect())


def _is_of(files: Sequence[Any], column: str, name: str) -> Column:
    return F.col(column).isin(sorted({file[name] for file in files}))
