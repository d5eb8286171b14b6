"""15,000 claims through all layers on a warm engine, against the same work by hand in DuckDB, in one run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.books import AS_OF, by_hand, by_notebooks, median
from benchmarks.same_tables import expect_equal, expect_equal_totals
from data_generator.generation import generate

CLAIMS = 15_000
ROUNDS = 5
TARGET_S = 1.2


def measure(claims: int = CLAIMS) -> dict[str, object]:
    """Medians of rounds that alternate; each begins after another book of the same size went through the engine."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "landing", claims, 1, AS_OF)
        ours, hand_s = [], []
        for number in range(ROUNDS):
            ours.append(by_notebooks(root, root / f"ours-{number}", warm_up_claims=claims))
            hand_s.append(by_hand(root, root / f"duckdb-{number}"))
        took_s = median([each.total_s for each in ours])
        totals = expect_equal_totals(root / "ours-0", root / "duckdb-0")
        return {
            "claims": claims,
            "notebooks_s": round(took_s, 2),
            "all_s": [round(each.total_s, 2) for each in ours],
            "target_s": TARGET_S,
            "within_target": took_s <= TARGET_S,
            "layers_s": {layer: round(median([each.seconds[layer] for each in ours]), 2) for layer in ours[0].seconds},
            "cpu_s": round(median([each.cpu_s for each in ours]), 2),
            "duckdb_s": round(median(hand_s), 2),
            "times_duckdb": round(took_s / median(hand_s), 2),
            "totals_equal_to_duckdb": totals.compared,
            "rows_equal_to_a_second_build": expect_equal(root / "ours-0", root / "ours-1"),
        }
