"""Where the files that belong to the program are: the notebooks, the job's definition, the built dashboard."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DASHBOARD = CHECKOUT / "bi-dashboard" / "dist"
