"""The process of `notebook_run.measure`: the notebooks' work as a worker does it, and what it took as JSON.

The engine is the embedded one, or the Spark Connect server of SPARK_REMOTE. Before the clock starts another book goes
through all layers of another lake, so that no engine is measured while it loads its code.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from data_generator.generation import generate
from notebooks.tests import engines
from notebooks.tests.conftest import LAYERS, Workspace, make_workspace

_STATUS = Path("/proc/self/status")
_WARM_UP = "lake99"
_WARM_UP_DAY = date(2025, 7, 31)


def main() -> None:
    """The new process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("lake", type=Path)
    parser.add_argument("landing", type=Path)
    for name in ("as_of", "catalog"):
        parser.add_argument(name)
    for name in ("run", "warm_up_claims"):
        parser.add_argument(name, type=int)
    told = parser.parse_args()
    with engines.session([told.catalog, _WARM_UP]) as spark, tempfile.TemporaryDirectory() as scratch:
        _warm_up(spark, Path(scratch), told.warm_up_claims)
        workspace = _workspace(spark, told.catalog, told.lake)
        workspace.runs = told.run - 1
        gc.collect()
        gc.freeze()  # as a worker of the local workspace has it
        seconds, results, peaks, cpu_s = {}, {}, {}, 0.0
        for layer in LAYERS:
            _forget_peak()
            began, cpu_began = time.perf_counter(), time.process_time()
            result = workspace.run(layer, as_of=told.as_of, landing_path=str(told.landing), batch_id=f"run-{told.run}")
            seconds[layer] = time.perf_counter() - began
            cpu_s += time.process_time() - cpu_began
            peaks[layer] = _peak_bytes()
            results[layer] = json.loads(result.to_json())
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peaks": peaks, "results": results}))


def _forget_peak() -> None:
    """Linux counts the peak from here; elsewhere it stays that of the whole process."""
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    """The most memory that this process had, resident."""
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _warm_up(spark: Any, root: Path, claims: int) -> None:
    """On a Spark server that ran it before, a repeat: its schemas are dropped first."""
    for schema in ("bronze", "silver", "gold"):
        spark.sql(f"DROP SCHEMA IF EXISTS {_WARM_UP}.{schema} CASCADE")
    workspace = make_workspace(spark, _WARM_UP, root)
    generate(workspace.landing, claims, 1, _WARM_UP_DAY)
    workspace.run_all()


def _workspace(spark: Any, catalog: str, root: Path) -> Workspace:
    """The lake with the tables it has; a new engine has to be told of them, a Spark server knows them."""
    if not (root / "tables").exists():
        return make_workspace(spark, catalog, root)
    for schema in ("bronze", "silver", "gold"):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema} LOCATION '{root}/tables/{schema}'")
        for log in sorted((root / "tables" / schema).glob("*/_delta_log")):
            table = f"{catalog}.{schema}.{log.parent.name}"
            spark.sql(f"CREATE TABLE IF NOT EXISTS {table} USING DELTA LOCATION '{log.parent}'")
    return Workspace(spark, root, catalog, root / "landing")


if __name__ == "__main__":
    main()
