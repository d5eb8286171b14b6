"""Memory of a worker with its engine while 5,000,000 claims go through all layers at once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.books import AS_OF, by_notebooks
from data_generator.generation import generate

CLAIMS = 5_000_000
LIMIT_GIB = 12


def measure(claims: int = CLAIMS) -> dict[str, object]:
    """Peak resident memory, and the rows that came out."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "landing", claims, 1, AS_OF)
        full = by_notebooks(root, root / "lake")
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
