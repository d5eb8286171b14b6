"""What a trigger costs beyond the workspace's own answer, and how soon a change there is an event at a client."""

from __future__ import annotations

import time

import httpx

from benchmarks.quantiles import summary
from e2e.server import Server
from e2e.stream_client import StreamClient

ROUNDS = 30


def measure(server: Server) -> dict[str, object]:
    """Alternate a trigger and a plain run-now of the same job, gold alone, each run to its end."""
    through_us: list[float] = []
    plain: list[float] = []
    lags: list[float] = []
    token = (server.data_dir / "workspace.token").read_text().strip()
    with httpx.Client(
        base_url=server.workspace_url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as workspace:
        job_id = workspace.get("/api/2.2/jobs/list").json()["jobs"][0]["job_id"]
        for _ in range(ROUNDS):
            began = time.perf_counter()
            body = {"job_id": job_id, "only": ["gold_aggregations"]}
            run_id = workspace.post("/api/2.2/jobs/run-now", json=body).json()["run_id"]
            plain.append(time.perf_counter() - began)
            server.ended(run_id)
            through_us.append(_one_trigger(server, workspace, lags))
    return {
        "trigger": summary(through_us),
        "run_now_alone": summary(plain),
        "beyond_the_workspace_p99_ms": round(summary(through_us)["p99_ms"] - summary(plain)["p50_ms"], 1),
        "change_to_event": summary(lags),
    }


def _one_trigger(server: Server, workspace: httpx.Client, lags: list[float]) -> float:
    with StreamClient(server.url) as stream:
        stream.next()
        began = time.perf_counter()
        run_id = server.trigger("gold", if_active="queue")["run_id"]
        took = time.perf_counter() - began
        stream.until(lambda event: event["type"] == "databricks_job_completed" and event["data"]["run_id"] == run_id)
        received = time.time()
    ended_ms = workspace.get("/api/2.2/jobs/runs/get", params={"run_id": run_id}).json()["end_time"]
    lags.append(received - ended_ms / 1000)
    return took
