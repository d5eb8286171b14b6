"""The medallion layers, the tasks that make them, and the notebooks that the tasks run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import combinations

from app.domain.errors import UnknownLayer


class Layer(StrEnum):
    """A data level, or `all` for the three in order."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    ALL = "all"


BRONZE_TASK = "bronze_ingestion"
SILVER_TASK = "silver_transformations"
GOLD_TASK = "gold_aggregations"

TASK_KEYS = (BRONZE_TASK, SILVER_TASK, GOLD_TASK)
NOTEBOOKS = {
    BRONZE_TASK: "01_bronze_ingestion",
    SILVER_TASK: "02_silver_transformations",
    GOLD_TASK: "03_gold_aggregations",
}
TASK_LAYER = {BRONZE_TASK: Layer.BRONZE, SILVER_TASK: Layer.SILVER, GOLD_TASK: Layer.GOLD}
LAYER_TASKS: dict[Layer, tuple[str, ...]] = {
    Layer.BRONZE: (BRONZE_TASK,),
    Layer.SILVER: (SILVER_TASK,),
    Layer.GOLD: (GOLD_TASK,),
    Layer.ALL: TASK_KEYS,
}
# Every set of our tasks that a run can have, in the order of the layers.
TASK_SETS = tuple(tasks for size in (1, 2, 3) for tasks in combinations(TASK_KEYS, size))
# The demo buttons: what they run, and the layer they are said to have.
BRONZE_TO_SILVER = (Layer.SILVER, (BRONZE_TASK, SILVER_TASK))
SILVER_TO_GOLD = (Layer.GOLD, (GOLD_TASK,))

LAYER_TABLES: dict[Layer, tuple[str, ...]] = {
    Layer.BRONZE: ("customers", "pets", "policies", "vet_providers", "claims", "manifest"),
    Layer.SILVER: (
        "customers",
        "pets",
        "policies",
        "policies_history",
        "vet_providers",
        "claims",
        "quarantine",
        "quality_results",
    ),
    Layer.GOLD: (
        "claims_analytics",
        "monthly_kpis",
        "customer_360",
        "provider_performance",
        "risk_scoring",
        "cross_sell",
    ),
}


def parse_layer(text: str) -> Layer:
    """The layer named by `text`; UnknownLayer says what is allowed."""
    try:
        return Layer(text)
    except ValueError as fault:
        allowed = [layer.value for layer in Layer]
        raise UnknownLayer(f"Unknown layer {text!r}; allowed: {', '.join(allowed)}.", allowed=allowed) from fault


def layer_of_tasks(tasks: Iterable[str]) -> Layer | None:
    """The layer a set of our task keys amounts to: all three = all, else the highest; None when there is none."""
    known = [task for task in TASK_KEYS if task in set(tasks)]
    if len(known) == len(TASK_KEYS):
        return Layer.ALL
    return TASK_LAYER[known[-1]] if known else None


def task_of_notebook(notebook_path: str | None) -> str | None:
    """Our task key for a notebook path, by the notebook's name; None for a notebook that is not ours."""
    if not notebook_path:
        return None
    name = notebook_path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".py").removesuffix(".ipynb")
    return next((task for task, notebook in NOTEBOOKS.items() if notebook == name), None)
