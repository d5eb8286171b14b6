"""With DATABRICKS_HOST the same build talks to any Databricks-compatible server, in both modes and to a foreign job."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import NotebookTask, Task, TaskDependency

from e2e.server import Server, free_port, until

GENERATE = [sys.executable, "-m", "data_generator", "--claims", "1000", "--seed", "5"]


class Elsewhere:
    """A workspace that the server did not start: its address and token are all that is known."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.host = f"http://127.0.0.1:{free_port()}"
        port = self.host.rpartition(":")[2]
        program = [sys.executable, "-m", "app.cli", "workspace", "--port", port, "--data-dir", str(data_dir)]
        self.process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
        until("the workspace to answer", self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.host}/api/local/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    @property
    def environment(self) -> dict[str, str]:
        token = (self.data_dir / "workspace.token").read_text().strip()
        return {"DATABRICKS_HOST": self.host, "DATABRICKS_TOKEN": token, "PIPELINE_POLL_INTERVAL_S": "0.25"}

    def client(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.host, token=self.environment["DATABRICKS_TOKEN"], auth_type="pat")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The product's command line, pointed at this workspace."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *words, "--data-dir", str(self.data_dir.parent / "cli")],
            env={**os.environ, **self.environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    workspace = Elsewhere(tmp_path_factory.mktemp("elsewhere") / "data")
    try:
        deployed = workspace.command("deploy")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        landing = workspace.client().volumes.read("petinsure360.landing.raw").storage_location
        subprocess.run([*GENERATE, "--out", str(landing)], check=True, stdout=subprocess.DEVNULL)
        yield workspace
    finally:
        workspace.process.terminate()
        workspace.process.wait(20)


def serve(elsewhere: Elsewhere, folder: Path, **more: str) -> Server:
    server = Server(folder / "data", **elsewhere.environment, **more)
    server.start()
    return server


def test_the_server_starts_nothing_by_itself_and_runs_the_deployed_job(elsewhere: Elsewhere, tmp_path: Path) -> None:
    server = serve(elsewhere, tmp_path)
    try:
        until("the workspace to be known", lambda: server.get("/api/pipeline/status")["workspace"]["state"] == "ok")
        assert server.get("/api/pipeline/status")["workspace"]["kind"] == "databricks"
        assert not list(elsewhere.client().jobs.list_runs())
        run = server.ended(server.trigger("all")["run_id"])
        assert run["result"] == "SUCCESS", run
        assert run["records"]["in"] >= 1000
        told = elsewhere.client().jobs.get_run(run["run_id"])
        assert [task.task_key for task in told.tasks or []] == [task["task_key"] for task in run["tasks"]]
    finally:
        server.close()


def test_mode_notebooks_submits_the_notebooks_without_a_job(elsewhere: Elsewhere, tmp_path: Path) -> None:
    server = serve(elsewhere, tmp_path, PIPELINE_MODE="notebooks")
    try:
        answer = server.post("/api/pipeline/process/bronze-to-silver", {}).json()
        run = server.ended(answer["run_id"])
        assert run["result"] == "SUCCESS", run
        told = elsewhere.client().jobs.get_run(run["run_id"])
        assert str(told.run_type) == "RunType.SUBMIT_RUN"
        assert [task.task_key for task in told.tasks or []] == ["bronze_ingestion", "silver_transformations"]
    finally:
        server.close()


def test_a_job_that_somebody_else_made_runs_by_its_notebooks(elsewhere: Elsewhere, tmp_path: Path) -> None:
    tasks = [
        Task(
            task_key=key,
            notebook_task=NotebookTask(notebook_path=f"/PetInsure360/{notebook}"),
            depends_on=[TaskDependency(task_key=before)] if before else None,
        )
        for key, notebook, before in (
            ("Ingest", "01_bronze_ingestion", None),
            ("Clean", "02_silver_transformations", "Ingest"),
            ("Publish", "03_gold_aggregations", "Clean"),
        )
    ]
    job_id = elsewhere.client().jobs.create(name="ETL of the data team", tasks=tasks).job_id
    server = serve(elsewhere, tmp_path, DATABRICKS_JOB_ID=str(job_id))
    try:
        run = server.ended(server.trigger("silver")["run_id"])
        assert run["result"] == "SUCCESS", run
        told = elsewhere.client().jobs.get_run(run["run_id"])
        ran = {task.task_key for task in told.tasks or [] if task.start_time}
        assert ran == {"Clean"}
        everything = server.ended(server.trigger("all")["run_id"])
        assert everything["result"] == "SUCCESS", everything
        assert [task["task_key"] for task in everything["tasks"]] == ["Ingest", "Clean", "Publish"]
    finally:
        server.close()


def test_a_notebook_edited_there_is_kept_unless_forced(elsewhere: Elsewhere) -> None:
    client = elsewhere.client()
    path = "/PetInsure360/03_gold_aggregations"
    edited = client.workspace.download(path).read() + b"\n# COMMAND ----------\n\n# a remark of the data team\n"
    client.workspace.upload(path, edited, overwrite=True)
    kept = elsewhere.command("deploy")
    assert kept.returncode == 1
    assert path in kept.stdout
    assert b"a remark of the data team" in client.workspace.download(path).read()
    assert elsewhere.command("deploy", "--force").returncode == 0
    assert b"a remark of the data team" not in client.workspace.download(path).read()
