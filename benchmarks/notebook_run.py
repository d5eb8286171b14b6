"""One run of the three notebooks' work in a process of its own, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of each layer, the processor's seconds of all, and the most memory (bytes) that the process with the
    engine in it had meanwhile."""

    seconds: dict[str, float]
    cpu_s: float
    peaks: dict[str, int]
    results: dict[str, Any]

    @property
    def peak_bytes(self) -> int:
        return max(self.peaks.values())

    @property
    def peaks_gib(self) -> dict[str, float]:
        return {layer: round(peak / 2**30, 2) for layer, peak in self.peaks.items()}

    @property
    def total_s(self) -> float:
        return sum(self.seconds.values())


def measure(
    lake: Path,
    landing: Path,
    as_of: str,
    *,
    run: int = 1,
    catalog: str = "lake1",
    warm_up_claims: int = 300,
    spark_remote: str = "",
) -> Measured:
    """Run bronze, silver and gold once, in a new process. `run` numbers the runs on one lake.

    Before the clock starts a book of `warm_up_claims` goes through all layers of another lake.
    """
    told_first = [str(lake), str(landing), as_of, catalog, str(run), str(warm_up_claims)]
    program = [sys.executable, "-m", "benchmarks.notebook_process", *told_first]
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_REMOTE"}
    environment["PYTHONPATH"] = str(NOTEBOOKS)  # as a notebook has its own folder on its path
    if spark_remote:
        environment["SPARK_REMOTE"] = spark_remote
    told = subprocess.run(program, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return Measured(**json.loads(told.splitlines()[-1]))
