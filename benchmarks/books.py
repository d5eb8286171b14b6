"""A lake made of a landed book: by our notebooks, and by hand in DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import notebook_run
from benchmarks.quantiles import quantile

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


def median(seconds: list[float]) -> float:
    return quantile(seconds, 0.5)
