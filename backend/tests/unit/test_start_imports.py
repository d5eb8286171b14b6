"""What a start waits for is imported before anything is served: the heavy libraries are not among it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backend.tests.conftest import CHECKOUT


@pytest.mark.parametrize(
    ("program", "absent"),
    [("app.application", ("databricks.sdk", "psycopg", "alembic")), ("app.serve", ("app.main", "uvicorn"))],
)
def test_a_start_leaves_for_later_what_it_does_not_need(program: str, absent: tuple[str, ...]) -> None:
    told = f"import sys, {program}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=CHECKOUT / "backend"
    )
    assert done.stdout.strip() == "[]"
