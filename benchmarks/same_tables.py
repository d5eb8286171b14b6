"""Whether two lakes hold the same: row for row, or, where somebody else's code made one of them, by their totals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable

SILVER = ("customers", "pets", "policies", "policies_history", "vet_providers", "claims", "quarantine")
GOLD = ("claims_analytics", "monthly_kpis", "customer_360", "provider_performance", "risk_scoring", "cross_sell")
TABLES = (*(f"silver.{name}" for name in SILVER), *(f"gold.{name}" for name in GOLD))
"""quality_results is a log of batches: a rebuild, which is one batch, has another one by nature."""
_STAMPS = {"_run_id", "as_of"}
"""Which run last changed a row, and when: what a rebuild cannot have alike."""


class TablesDiffer(AssertionError):
    """The speed of a run that made something else is no speed."""


def expect_equal(one: Path, other: Path) -> int:
    """The number of rows compared, all columns but the stamps. Raises: TablesDiffer."""
    rows = 0
    with duckdb.connect() as db:
        for table in TABLES:
            columns = ", ".join(f'"{name}"' for name in _columns(one, table))
            ours, theirs = (f"SELECT {columns} FROM {_read(lake, table)}" for lake in (one, other))
            for left, right in ((ours, theirs), (theirs, ours)):
                count = _one(db, f"SELECT count(*) FROM ({left} EXCEPT ALL {right})")
                if count:
                    raise TablesDiffer(f"{table}: {count} rows of {one} and {other} differ")
            rows += int(_one(db, f"SELECT count(*) FROM {_read(one, table)}"))
    return rows


@dataclass(frozen=True, slots=True)
class Totals:
    """How many totals were compared, and the numbers that only the first lake has: work that the other does not do."""

    compared: int
    only_here: list[str]


def expect_equal_totals(one: Path, other: Path) -> Totals:
    """Rows of each table and the sum of each number that both lakes have. Raises: TablesDiffer."""
    compared, only_here = 0, []
    with duckdb.connect() as db:
        for table in TABLES:
            there = set(_columns(other, table))
            numbers = _numbers(db, one, table)
            only_here += [f"{table}.{name}" for name, _ in numbers if name not in there]
            totals = ["count(*)", *(_total(number) for number in numbers if number[0] in there)]
            ours, theirs = (
                db.execute(f"SELECT {', '.join(totals)} FROM {_read(lake, table)}").fetchone() for lake in (one, other)
            )
            if ours != theirs:
                raise TablesDiffer(f"{table}: totals {ours} of {one} are {theirs} in {other}")
            compared += len(totals)
    return Totals(compared, only_here)


def _columns(lake: Path, table: str) -> list[str]:
    names = [field.name for field in _delta(lake, table).schema().fields]
    return [name for name in names if name not in _STAMPS]


def _numbers(db: duckdb.DuckDBPyConnection, lake: Path, table: str) -> list[tuple[str, str]]:
    described = db.execute(f"DESCRIBE SELECT * FROM {_read(lake, table)}").fetchall()
    kinds = ("DECIMAL", "DOUBLE", "BIGINT", "INTEGER")
    return [(name, kind) for name, kind, *_ in described if kind.startswith(kinds)]


def _total(column: tuple[str, str]) -> str:
    """Doubles are figures of six places at most, summed as decimals: their own sum depends on the order of adding."""
    name, kind = column
    return f"round(sum({name}::DECIMAL(38,6)), 3)" if kind == "DOUBLE" else f"sum({name})::DECIMAL(38,2)"


def _one(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _read(lake: Path, table: str) -> str:
    files = ", ".join(f"'{uri}'" for uri in _delta(lake, table).file_uris())
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = true, hive_types_autocast = false)"


def _delta(lake: Path, table: str) -> DeltaTable:
    return DeltaTable(lake / "tables" / table.replace(".", "/"))
