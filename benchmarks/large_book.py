"""300,000 claims: our notebooks against the same work by hand in DuckDB and against Apache Spark, in one run.

Then a batch of 200 claims on that lake against the full run. Spark is left out, and said to be, where it is not
installed (`make test-spark` installs it).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

from benchmarks import notebook_run
from benchmarks.books import AS_OF, by_notebooks, compared, median
from benchmarks.same_tables import expect_equal
from data_generator.generation import generate
from deploy.apache_spark import SparkMissing, server

CLAIMS = 300_000
BATCH = 200
ROUNDS = 3


def measure(claims: int = CLAIMS) -> dict[str, object]:
    """Medians of rounds that alternate between the engines."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "landing", claims, 1, AS_OF)
        full = compared(root, ROUNDS)
        return {
            "claims": claims,
            "layers_s": {layer: round(value, 2) for layer, value in full.ours[-1].seconds.items()},
            "peaks_gib": full.ours[-1].peaks_gib,
            **full.figures,
            "apache_spark": _spark(root, full.ours_s),
            # The figures of the next day are other ones for every policy in force: premium is earned by the day.
            "batch_of_the_same_day": _batch(root, AS_OF, 2),
            "batch_of_the_next_day": _batch(root, AS_OF + timedelta(days=1), 3),
        }


def _spark(root: Path, ours_s: float) -> dict[str, object]:
    """One warm run of the same notebooks on Apache Spark local[2]."""
    try:
        with server() as url:
            took_s = by_notebooks(root, root / "spark", spark_remote=url).total_s
    except SparkMissing as missing:
        return {"not_measured": str(missing).splitlines()[0]}
    return {
        "notebooks_s": round(took_s, 2),
        "times_faster": round(took_s / ours_s, 2),
        "rows_equal": expect_equal(root / "ours-0", root / "spark"),
    }


def _batch(root: Path, day: date, run: int) -> dict[str, object]:
    """200 new claims on the lake of the earlier runs, valued at `day`, compared with a rebuild of everything.

    Medians of rounds that alternate, each batch on the lake as it was before: a machine does not keep its speed for as
    long as all of this takes.
    """
    _land_batch(root / "landing", day, f"-{run}")
    lake, before, rebuilt = root / "ours-0", root / f"before-{run}", root / f"rebuilt-{run}"
    shutil.copytree(lake, before)
    batches, rebuilds = [], []
    for _ in range(ROUNDS):
        shutil.rmtree(lake)
        shutil.copytree(before, lake)
        os.sync()  # so that it is not written to the disk meanwhile
        batches.append(notebook_run.measure(lake, root / "landing", day.isoformat(), run=run))
        shutil.rmtree(rebuilt, ignore_errors=True)
        rebuilt.mkdir()
        rebuilds.append(notebook_run.measure(rebuilt, root / "landing", day.isoformat()))
    batch_s, full_s = (median([each.total_s for each in measured]) for measured in (batches, rebuilds))
    return {
        "claims": BATCH,
        "valued_at": day.isoformat(),
        "notebooks_s": round(batch_s, 2),
        "layers_s": {layer: round(value, 2) for layer, value in batches[-1].seconds.items()},
        "full_s": round(full_s, 2),
        "share_of_full": round(batch_s / full_s, 3),
        "rows_equal_to_a_rebuild": expect_equal(lake, rebuilt),
    }


def _land_batch(landing: Path, day: date, suffix: str) -> None:
    """New claims like those of the last days, for the same policies, as a file of its own."""
    lines: list[str] = []
    for file in sorted((landing / "claims").glob("claims_????-??-??.jsonl"), reverse=True):
        lines += file.read_text().splitlines()
        if len(lines) >= BATCH:
            break
    rows = [json.loads(line) for line in lines[:BATCH]]
    at = f"{day.isoformat()}T08:00:00Z"
    fresh = [
        row
        | {
            "claim_id": f"{row['claim_id']}{suffix}",
            "invoice_number": f"{row['invoice_number']}{suffix}",
            "updated_at": at,
        }
        for row in rows
    ]
    target = landing / "claims" / f"claims_{day.isoformat()}{suffix}.jsonl"
    target.write_text("".join(json.dumps(row) + "\n" for row in fresh))
