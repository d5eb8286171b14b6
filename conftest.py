"""How tests are dealt out when several processes run them (`make test`)."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
# Folders whose tests share one costly start: a whole product, a workspace, an engine.
TOGETHER = ("e2e",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file stay together, and those of a folder of TOGETHER, so that what they share is made once."""
    for item in items:
        path = item.path.relative_to(ROOT)
        group = path.parts[0] if path.parts[0] in TOGETHER else str(path)
        item.add_marker(pytest.mark.xdist_group(group))
