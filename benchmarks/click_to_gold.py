"""Click to gold on 15,000 new claims, with the cluster warm and cold, as a client of the stream sees it."""

from __future__ import annotations

import subprocess
import sys
import time

from databricks.sdk.service.compute import State

from benchmarks.quantiles import quantile
from e2e.server import Server, until
from e2e.stream_client import StreamClient

ROUNDS = 3
CLAIMS = 15_000


def measure(server: Server) -> dict[str, object]:
    """Land a new book of claims (another seed) before each click, so that every run has as much to do."""
    return {
        "claims": CLAIMS,
        "warm": _summary([_click(server, seed, cold=False) for seed in range(100, 100 + ROUNDS)]),
        "cold": _summary([_click(server, seed, cold=True) for seed in range(200, 200 + ROUNDS)]),
    }


def _summary(seconds: list[float]) -> dict[str, object]:
    return {"median_s": round(quantile(seconds, 0.5), 2), "all_s": [round(value, 2) for value in seconds]}


def _click(server: Server, seed: int, *, cold: bool) -> float:
    landing = server.data_dir / "workspace" / "volumes" / "petinsure360" / "landing" / "raw" / f"seed-{seed}"
    program = [sys.executable, "-m", "data_generator", "--out", str(landing), "--claims", str(CLAIMS)]
    subprocess.run([*program, "--seed", str(seed)], check=True, stdout=subprocess.DEVNULL)
    if cold:
        _make_cold(server)
    with StreamClient(server.url) as stream:
        stream.next()
        began = time.perf_counter()
        run_id = server.trigger("all")["run_id"]
        stream.until(lambda event: event["type"] == "databricks_job_completed" and event["data"]["run_id"] == run_id)
        return time.perf_counter() - began


def _make_cold(server: Server) -> None:
    workspace = server.workspace()
    for cluster in workspace.clusters.list():
        assert cluster.cluster_id
        workspace.clusters.delete(cluster.cluster_id)
    until("every cluster to be TERMINATED", lambda: all(c.state == State.TERMINATED for c in workspace.clusters.list()))
