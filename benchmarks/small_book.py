"""15,000 claims through all layers on a warm engine, against the same work by hand in DuckDB, in one run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.books import AS_OF, compared, median
from data_generator.generation import generate

CLAIMS = 15_000
ROUNDS = 5
TARGET_S = 1.2


def measure(claims: int = CLAIMS) -> dict[str, object]:
    """Medians of rounds that alternate; each begins after another book of the same size went through the engine."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "landing", claims, 1, AS_OF)
        full = compared(root, ROUNDS, warm_up_claims=claims)
    ours = full.ours
    return {
        "claims": claims,
        "target_s": TARGET_S,
        "within_target": full.ours_s <= TARGET_S,
        **full.figures,
        "all_s": [round(each.total_s, 2) for each in ours],
        "layers_s": {layer: round(median([each.seconds[layer] for each in ours]), 2) for layer in ours[0].seconds},
        "cpu_s": round(median([each.cpu_s for each in ours]), 2),
    }
