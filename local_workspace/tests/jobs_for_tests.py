"""Notebooks, jobs and waiting, said shortly."""

from __future__ import annotations

import base64
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service import workspace as objects

from local_workspace.tests.serving_app import Served
from local_workspace.tests.waiting import until

KEYS = ("bronze", "silver", "gold")


def put_notebook(sdk: WorkspaceClient, path: str, source: str = "print('hello')") -> None:
    content = base64.b64encode(f"# Databricks notebook source\n{source}\n".encode()).decode()
    sdk.workspace.mkdirs(path.rpartition("/")[0])
    kind, language = objects.ImportFormat.SOURCE, objects.Language.PYTHON
    sdk.workspace.import_(path, content=content, format=kind, language=language, overwrite=True)


def task(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    """A notebook task on `/nb/<key>`."""
    parameters = more.pop("base_parameters", {})
    notebook = {"notebook_path": f"/nb/{key}", "base_parameters": parameters}
    depends = {"depends_on": [{"task_key": other} for other in upstream]} if upstream else {}
    return {"task_key": key, "notebook_task": notebook} | depends | more


def chain() -> list[dict[str, Any]]:
    """bronze -> silver -> gold."""
    return [task("bronze"), task("silver", "bronze"), task("gold", "silver")]


class Jobs:
    """The Jobs API over raw HTTP, where the answer itself is what a test looks at."""

    def __init__(self, served: Served, version: str = "2.2") -> None:
        self._http = served.http
        self._sdk = served.sdk
        self._root = f"/api/{version}/jobs"

    def post(self, path: str, expect: int = 200, **body: Any) -> dict[str, Any]:
        response = self._http.post(f"{self._root}/{path}", json=body)
        assert response.status_code == expect, response.text
        told: dict[str, Any] = response.json()
        return told

    def get(self, path: str, expect: int = 200, **query: Any) -> dict[str, Any]:
        response = self._http.get(f"{self._root}/{path}", params=query)
        assert response.status_code == expect, response.text
        told: dict[str, Any] = response.json()
        return told

    def create(self, tasks: list[dict[str, Any]], **settings: Any) -> int:
        """A job whose notebooks exist."""
        for item in tasks:
            put_notebook(self._sdk, item["notebook_task"]["notebook_path"])
        return int(self.post("create", tasks=tasks, **settings)["job_id"])

    def run(self, job_id: int, **options: Any) -> int:
        return int(self.post("run-now", job_id=job_id, **options)["run_id"])

    def read(self, run_id: int, **query: Any) -> dict[str, Any]:
        return self.get("runs/get", run_id=run_id, **query)

    def ended(self, run_id: int) -> dict[str, Any]:
        """The run once `status` says TERMINATED."""
        until(lambda: self.read(run_id)["status"]["state"] == "TERMINATED")
        return self.read(run_id)

    def until_task(self, run_id: int, key: str, life_cycle: str) -> dict[str, Any]:
        """The task's latest attempt once it is in that state."""
        until(lambda: tasks_of(self.read(run_id))[key]["state"]["life_cycle_state"] == life_cycle)
        return tasks_of(self.read(run_id))[key]


def tasks_of(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The latest attempt of each task."""
    return {item["task_key"]: item for item in sorted(run["tasks"], key=lambda item: item["attempt_number"])}


def results(run: dict[str, Any]) -> dict[str, str | None]:
    return {key: item["state"].get("result_state") for key, item in tasks_of(run).items()}


def final(run: dict[str, Any]) -> tuple[str, str | None]:
    return run["state"]["life_cycle_state"], run["state"].get("result_state")
