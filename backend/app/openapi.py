"""`python -m app.openapi` writes docs/openapi.json, from which the dashboard's types are made."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.checkout import CHECKOUT
from app.connection import WorkspaceConnection
from app.main import create_app
from app.settings import Settings

TARGET = CHECKOUT / "docs" / "openapi.json"


def document() -> str:
    """The OpenAPI document as text; the same for the same code."""
    nowhere = WorkspaceConnection(kind="local", name="local workspace", host="http://127.0.0.1:8471")
    app = create_app(Settings.model_construct(), workspace=nowhere)
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


def main(target: Path = TARGET) -> int:
    """Write the document."""
    target.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
