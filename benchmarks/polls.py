"""How many calls one tick of the poller makes while N runs are active: ceil(N/25) listings, and nothing per run."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.outside_workspace import outside_workspace, pointing_at, used_once
from benchmarks.prometheus import samples, total
from benchmarks.stored import one_number
from e2e.server import Server, until

ACTIVE = (1, 25, 26, 100, 250)
PAGE = 25
TICKS = 20
HELD_S = 600
BETWEEN_S = 0.03
LISTING = "GET /api/2.2/jobs/runs/list"


def measure() -> dict[str, object]:
    """Hold one run at the start of its cluster and let the others queue behind it; count while nothing changes."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        used_once(data_dir)
        with outside_workspace(data_dir) as workspace:
            server = Server(data_dir, **pointing_at(str(workspace.base_url), workspace))
            try:
                server.start()
                job_id = _held_back(workspace)
                found = {}
                started = 0
                for wanted in ACTIVE:
                    for _ in range(wanted - started):
                        body = {"job_id": job_id, "only": ["gold_aggregations"], "queue": {"enabled": True}}
                        workspace.post("/api/2.2/jobs/run-now", json=body).raise_for_status()
                    started = wanted
                    found[str(wanted)] = _counted(server, wanted)
                return {"active_runs": found}
            finally:
                server.close()


def _held_back(workspace: httpx.Client) -> int:
    """Stop the cluster and make its next start slow; the job."""
    job = workspace.get("/api/2.2/jobs/list", params={"expand_tasks": "true"}).json()["jobs"][0]
    cluster = {"cluster_id": job["settings"]["tasks"][0]["existing_cluster_id"]}
    workspace.post("/api/2.1/clusters/delete", json=cluster).raise_for_status()

    def stopped() -> bool:
        told = workspace.get("/api/2.1/clusters/get", params=cluster).json()
        return bool(told["state"] == "TERMINATED")

    until("the cluster to stop", stopped)
    slow = {"kind": "slow_cluster_start", "count": None, "parameters": {"seconds": HELD_S}}
    workspace.put("/api/local/faults", json={"rules": [slow]}).raise_for_status()
    return int(job["job_id"])


def _counted(server: Server, wanted: int) -> dict[str, object]:
    """The calls of TICKS ticks, counted from one pause between two ticks to another."""
    until(
        f"{wanted} active runs to be known",
        lambda: one_number(server, "SELECT count(*) FROM runs WHERE active") == wanted,
        120,
    )
    ticks, before = _between_ticks(server)
    until("enough ticks", lambda: total(server, "petinsure_polls_total") >= ticks + TICKS, 600)
    now, after = _between_ticks(server)
    listings = (after.get(LISTING, 0) - before.get(LISTING, 0)) / (now - ticks)
    calls = (sum(after.values()) - sum(before.values())) / (now - ticks)
    return {
        "list_calls_a_tick": round(listings, 2),
        "expected": math.ceil(wanted / PAGE),
        "other_calls_a_tick": round(calls - listings, 2),
        "ticks": round(now - ticks),
    }


def _between_ticks(server: Server) -> tuple[float, dict[str, float]]:
    """Ticks and calls by endpoint, at a moment when no tick is under way: the counts stand still."""
    while True:
        first, ticks = _calls(server), total(server, "petinsure_polls_total")
        time.sleep(BETWEEN_S)
        if (second := _calls(server)) == first and total(server, "petinsure_polls_total") == ticks:
            return ticks, second


def _calls(server: Server) -> dict[str, float]:
    calls: dict[str, float] = {}
    for labels, value in samples(server, "petinsure_workspace_calls_total"):
        calls[labels["endpoint"]] = calls.get(labels["endpoint"], 0) + value
    return calls
