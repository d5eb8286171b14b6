"""Putting other notebooks in the place of the product's, for as long as a test lasts."""

from __future__ import annotations

import base64
from pathlib import Path

from databricks.sdk.service.workspace import ImportFormat, Language

from e2e.server import Server

CHECKOUT = Path(__file__).parents[1] / "notebooks"
ROOT = "/PetInsure360"
HEADER = "# Databricks notebook source\n"
SILVER = "02_silver_transformations"


def original(name: str) -> str:
    """The product's own notebook."""
    return (CHECKOUT / f"{name}.py").read_text()


def gated(name: str, gate: Path) -> str:
    """The product's own notebook, which first waits until the file `gate` is there."""
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.02)\n"
    return HEADER + wait + "\n# COMMAND ----------\n" + original(name).removeprefix(HEADER)


def put(server: Server, name: str, source: str) -> None:
    """Import a notebook over the one that is there, as somebody editing it in the workspace would."""
    server.workspace().workspace.import_(
        f"{ROOT}/{name}",
        content=base64.b64encode(source.encode()).decode(),
        format=ImportFormat.SOURCE,
        language=Language.PYTHON,
        overwrite=True,
    )
