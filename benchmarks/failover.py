"""How long nobody polls when the leader of two replicas on PostgreSQL is killed (kill -9)."""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path

from backend.tests.support.postgresql import running_postgresql
from benchmarks.outside_workspace import outside_workspace, pointing_at, used_once
from benchmarks.prometheus import total
from benchmarks.quantiles import summary
from e2e.server import Server, until

KILLS = int(os.environ.get("PETINSURE_BENCH_KILLS", "12"))


def measure() -> dict[str, object]:
    """Kill whoever leads, again and again; the killed one comes back as the one that waits."""
    with tempfile.TemporaryDirectory() as folder, running_postgresql() as postgresql:
        data_dir = Path(folder) / "data"
        used_once(data_dir)
        with outside_workspace(data_dir) as workspace, postgresql.database() as url:
            settings = pointing_at(str(workspace.base_url), workspace) | {"DATABASE_URL": url}
            leader, other = (Server(Path(folder) / name, **settings) for name in ("one", "two"))
            try:
                leader.start()
                until("the first to poll", lambda: _polls(leader))
                took_s = []
                for _ in range(KILLS):
                    other.start()
                    until("the other to listen", partial(_listens, other))
                    took_s.append(_one_kill(leader, other))
                    leader, other = other, leader
                return {"kills": KILLS, "kill_to_next_poll": summary(took_s), "longest_s": round(max(took_s), 2)}
            finally:
                leader.close()
                other.close()


def _one_kill(leader: Server, other: Server) -> float:
    """Seconds from the kill to the end of the other's first poll."""
    assert _polls(other) == 0
    began = time.perf_counter()
    leader.kill()
    until("the other to poll", lambda: _polls(other))
    return time.perf_counter() - began


def _listens(server: Server) -> bool:
    """It does not lead and has heard from who does."""
    checks = server.http.get("/api/health/ready").json()["checks"]
    return bool(checks["workspace"]["ok"] and not checks["poller"]["here"])


def _polls(server: Server) -> float:
    return total(server, "petinsure_polls_total", outcome="ok")
