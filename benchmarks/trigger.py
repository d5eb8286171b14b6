"""What a trigger costs beyond the workspace's own answer, and how soon a change there is an event at a client.

A relay between the server and the workspace times the very call that a click makes; the rest of the click is ours.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx

from benchmarks.outside_workspace import outside_workspace, pointing_at, used_once
from benchmarks.quantiles import summary
from benchmarks.relay import Relay, relay
from e2e.server import Server, until
from e2e.stream_client import StreamClient

# Slower than the rate limit's default of 10/s, as every round waits for its run to end.
ROUNDS = int(os.environ.get("PETINSURE_BENCH_CLICKS", "200"))
RUN_NOW = "POST /api/2.2/jobs/run-now "
# After a run the server reads what came of it, for about a second on this machine; every other click comes later.
AT_REST_S = 1.5


def measure() -> dict[str, object]:
    """Click gold again and again, each run to its end."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        used_once(data_dir)
        with outside_workspace(data_dir) as workspace, relay(workspace.base_url.port or 0, watched=RUN_NOW) as wire:
            server = Server(data_dir, **pointing_at(wire.url, workspace))
            try:
                server.start()
                until("the first poll", lambda: server.get("/api/health/ready")["checks"]["workspace"]["ok"])
                return _clicks(server, workspace, wire)
            finally:
                server.close()


def _clicks(server: Server, workspace: httpx.Client, wire: Relay) -> dict[str, object]:
    clicks: list[float] = []
    written: list[float] = []
    received: list[float] = []
    for number in range(ROUNDS):
        time.sleep(AT_REST_S * (number % 2))
        clicks.append(_one_click(server, workspace, written, received))
    assert len(wire.took_s) == ROUNDS, "a click is one call"
    ours = [click - call for click, call in zip(clicks, wire.took_s, strict=True)]
    return {
        "clicks": ROUNDS,
        "click": summary(clicks),
        "workspace_own": summary(wire.took_s),
        "beyond_the_workspace": summary(ours),
        "beyond_the_workspace_at_rest": summary(ours[1::2]),
        "beyond_the_workspace_at_the_end_of_a_run": summary(ours[0::2]),
        "change_to_event_in_the_log": summary(written),
        "change_to_event_at_a_client": summary(received),
    }


def _one_click(server: Server, workspace: httpx.Client, written: list[float], received: list[float]) -> float:
    """Click, follow the run to its end, and say how long the click took; note how late the end was known."""
    with StreamClient(server.url) as stream:
        stream.next()
        began = time.perf_counter()
        response = server.post("/api/pipeline/databricks/trigger", {"layer": "gold", "if_active": "queue"})
        took_s = time.perf_counter() - began
        run_id = response.json()["run_id"]
        end = stream.until(
            lambda event: event["type"] == "databricks_job_completed" and event["data"]["run_id"] == run_id
        )
        received_at = time.time()
    ended_ms = workspace.get("/api/2.2/jobs/runs/get", params={"run_id": run_id}).json()["end_time"]
    written.append(datetime.fromisoformat(end["at"]).timestamp() - ended_ms / 1000)
    received.append(received_at - ended_ms / 1000)
    return took_s
