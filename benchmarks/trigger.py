"""What a trigger costs beyond the workspace's own answer, and how soon a change there is an event at a client."""

from __future__ import annotations

import time
from datetime import datetime

import httpx

from benchmarks.quantiles import summary
from e2e.server import Server, until
from e2e.stream_client import StreamClient

ROUNDS = 200  # slower than the rate limit's default of 10/s, as every round waits for two runs to end


def measure(server: Server) -> dict[str, object]:
    """Alternate a trigger and a plain run-now of the same job, gold alone, each run to its end."""
    through_us: list[float] = []
    plain: list[float] = []
    written: list[float] = []
    received: list[float] = []
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
            until("the plain run to end", lambda run_id=run_id: _ended(workspace, run_id))
            through_us.append(_one_trigger(server, workspace, written, received))
    return {
        "trigger": summary(through_us),
        "run_now_alone": summary(plain),
        "beyond_the_workspace_p99_ms": round(summary(through_us)["p99_ms"] - summary(plain)["p50_ms"], 1),
        "change_to_event_in_the_log": summary(written),
        "change_to_event_at_a_client": summary(received),
    }


def _ended(workspace: httpx.Client, run_id: int) -> bool:
    """Asked of the workspace: the product need not have seen a run that others started."""
    return bool(workspace.get("/api/2.2/jobs/runs/get", params={"run_id": run_id}).json()["end_time"])


def _one_trigger(server: Server, workspace: httpx.Client, written: list[float], received: list[float]) -> float:
    """Trigger, follow the run to its end, and say how long the trigger took; note how late its end was known."""
    with StreamClient(server.url) as stream:
        stream.next()
        began = time.perf_counter()
        run_id = server.trigger("gold", if_active="queue")["run_id"]
        took_s = time.perf_counter() - began
        end = stream.until(
            lambda event: event["type"] == "databricks_job_completed" and event["data"]["run_id"] == run_id
        )
        received_at = time.time()
    ended_ms = workspace.get("/api/2.2/jobs/runs/get", params={"run_id": run_id}).json()["end_time"]
    written.append(datetime.fromisoformat(end["at"]).timestamp() - ended_ms / 1000)
    received.append(received_at - ended_ms / 1000)
    return took_s
