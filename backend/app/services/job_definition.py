"""The pipeline's one job definition (resources/medallion.job.yml) as settings for jobs/create."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import yaml


def job_settings(
    definition: Path, *, notebook_root: str, cluster_id: str | None, parameters: dict[str, str]
) -> dict[str, Any]:
    """Settings for jobs/create and jobs/reset.

    notebook_root: workspace folder the notebooks were deployed to.   cluster_id: None means serverless compute.
    parameters: defaults that differ from the definition's, by parameter name.
    """
    [settings] = yaml.safe_load(definition.read_text())["resources"]["jobs"].values()
    return {
        **settings,
        "parameters": [
            {"name": one["name"], "default": parameters.get(one["name"], one["default"])}
            for one in settings["parameters"]
        ],
        "tasks": [_task(task, notebook_root, cluster_id) for task in settings["tasks"]],
    }


def _task(task: dict[str, Any], notebook_root: str, cluster_id: str | None) -> dict[str, Any]:
    notebook = task["notebook_task"]
    name = PurePosixPath(notebook["notebook_path"]).stem  # a notebook loses its extension in the workspace
    compute = {"existing_cluster_id": cluster_id} if cluster_id else {}
    return {
        **task,
        **compute,
        "notebook_task": {**notebook, "notebook_path": f"{notebook_root}/{name}", "source": "WORKSPACE"},
    }
