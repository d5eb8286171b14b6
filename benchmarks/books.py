"""A lake made of a landed book: by our notebooks, and by hand in DuckDB, and both compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import notebook_run
from benchmarks.quantiles import quantile
from benchmarks.same_tables import Totals, expect_equal, expect_equal_totals

AS_OF = date(2025, 7, 31)


def by_notebooks(root: Path, lake: Path, **more: Any) -> notebook_run.Measured:
    """All of `root`/landing into a new lake; `more` is for `notebook_run.measure`."""
    lake.mkdir()
    return notebook_run.measure(lake, root / "landing", AS_OF.isoformat(), **more)


def by_hand(root: Path, lake: Path) -> float:
    """The same work hand-written in DuckDB, in a process of its own; the seconds that it took."""
    program = [sys.executable, "-m", "benchmarks.duckdb_pipeline", str(root / "landing"), str(lake), AS_OF.isoformat()]
    environment = os.environ | {"PYTHONPATH": str(notebook_run.NOTEBOOKS), "RUST_LOG": "error"}
    told = subprocess.run(program, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return float(sum(json.loads(told).values()))


@dataclass(frozen=True, slots=True)
class Compared:
    """Our rounds and those by hand, and what the lakes that they have left have in common."""

    ours: list[notebook_run.Measured]
    hand_s: list[float]
    totals: Totals
    rows: int

    @property
    def ours_s(self) -> float:
        return median([each.total_s for each in self.ours])

    @property
    def figures(self) -> dict[str, object]:
        """What a benchmark prints of it; the medians of the rounds."""
        return {
            "notebooks_s": round(self.ours_s, 2),
            "duckdb_s": round(median(self.hand_s), 2),
            "times_duckdb": round(self.ours_s / median(self.hand_s), 2),
            "totals_equal_to_duckdb": self.totals.compared,
            "numbers_that_duckdb_leaves_out": self.totals.only_here,
            "rows_equal_to_a_second_build": self.rows,
        }


def compared(root: Path, rounds: int, **more: Any) -> Compared:
    """Rounds that alternate between us and DuckDB, in the lakes `root`/ours-N and duckdb-N. Raises: TablesDiffer."""
    ours, hand_s = [], []
    for number in range(rounds):
        ours.append(by_notebooks(root, root / f"ours-{number}", **more))
        hand_s.append(by_hand(root, root / f"duckdb-{number}"))
    totals = expect_equal_totals(root / "ours-0", root / "duckdb-0")
    return Compared(ours, hand_s, totals, expect_equal(root / "ours-0", root / "ours-1"))


def median(seconds: list[float]) -> float:
    return quantile(seconds, 0.5)
