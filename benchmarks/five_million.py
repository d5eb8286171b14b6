"""Memory of a worker with its engine while 5,000,000 claims go through all layers at once."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from benchmarks import notebook_run
from data_generator.generation import generate

CLAIMS = 5_000_000
AS_OF = date(2025, 7, 31)
LIMIT_GIB = 12


def measure(claims: int = CLAIMS) -> dict[str, object]:
    """Peak resident memory, and the rows that came out."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "landing", claims, 1, AS_OF)
        (root / "lake").mkdir()
        full = notebook_run.measure(root / "lake", root / "landing", AS_OF.isoformat())
    return {
        "claims": claims,
        "peak_gib": round(full.peak_bytes / 2**30, 2),
        "peaks_gib": full.peaks_gib,
        "limit_gib": LIMIT_GIB,
        "within_limit": full.peak_bytes <= LIMIT_GIB * 2**30,
        "layers_s": {layer: round(value, 1) for layer, value in full.seconds.items()},
        "rows_out": {layer: result["rows_out"] for layer, result in full.results.items()},
        "rows_quarantined": {layer: result["rows_quarantined"] for layer, result in full.results.items()},
    }
