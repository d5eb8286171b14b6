"""A history of a million runs and twenty million events: pages, details, replay and start, through the real server.

The log holds twenty times what is kept, so that all of it is measured while retention drops the surplus. Sizes by
`PETINSURE_BENCH_RUNS`; with the full size the store takes some 35 GB.
"""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from benchmarks.large_store_build import FIRST_RUN_ID, multiply
from benchmarks.quantiles import summary
from e2e.server import Server

RUNS = int(os.environ.get("PETINSURE_BENCH_RUNS", "1000000"))
EVENTS_PER_RUN = 20
REQUESTS = 300
REPLAYED = 10_000
REPLAYS = 9
HISTORY = "/api/pipeline/databricks/runs"
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"layer": "gold"}, {"state": "FAILED"}, {"state": "TERMINATED"}, {"state": "REFUSED"}, {"state": "TIMEDOUT"},
    {"layer": "silver", "state": "SUCCESS"}, {"limit": "100"},
)  # fmt: skip


def measure(runs: int = RUNS) -> dict[str, object]:
    """Let the product record a run of each kind, multiply them, and use the result as people do."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data")
        store = server.data_dir / "petinsure.db"
        try:
            server.start()
            server.first_run()
            for layer in ("bronze", "silver", "gold"):
                server.ended(server.trigger(layer)["run_id"])
            server.interrupt()
            small_s = _restart(server)
            server.interrupt()
            began = time.perf_counter()
            multiply(store, runs=runs, events_per_run=EVENTS_PER_RUN)
            built_s = time.perf_counter() - began
            return {
                "runs": runs,
                "events": runs * EVENTS_PER_RUN,
                "store_gb": round(store.stat().st_size / 1e9, 1),
                "built_in_s": round(built_s),
                "start_s": {"few_runs": round(small_s, 2), "all_runs": round(_restart(server), 2)},
                **_used(server, store, runs),
            }
        finally:
            server.close()


def _used(server: Server, store: Path, runs: int) -> dict[str, object]:
    before = _oldest(store)
    random.seed(runs)
    some_runs = (f"{HISTORY}/{FIRST_RUN_ID + random.randint(1, runs)}" for _ in itertools.count())
    pages = _pages(server)
    return {
        "list": _figures(server, REQUESTS, lambda: _timed(lambda: next(pages))),
        "detail": _figures(server, REQUESTS, lambda: _timed(lambda: server.get(next(some_runs)))),
        f"replay_of_{REPLAYED}_events": _figures(server, REPLAYS, lambda: _replay(server)),
        "write_while_trimming": _figures(server, REQUESTS, lambda: _timed(lambda: _land(server))),
        "events_trimmed_meanwhile": _oldest(store) - before,
    }


def _figures(server: Server, times: int, once: Callable[[], float]) -> dict[str, float]:
    """Times of the caller, and the server's processor time for one, which other programs on the machine add less to."""
    before_s = _cpu_s(server)
    times_s = [once() for _ in range(times)]
    return summary(times_s) | {"server_cpu_ms": round((_cpu_s(server) - before_s) / times * 1000, 1)}


def _cpu_s(server: Server) -> float:
    assert server.process is not None
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _land(server: Server) -> None:
    assert server.post("/api/claims", {"claim_amount": "1.00"}).is_success


def _restart(server: Server) -> float:
    return _timed(server.start)


def _timed(what: Callable[[], Any]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _pages(server: Server) -> Iterator[None]:
    """Page after page of every filter in turn, each page following the one before under its filter."""
    tokens: list[str | None] = [None] * len(FILTERS)
    for n in itertools.cycle(range(len(FILTERS))):
        token = {"page_token": tokens[n]} if tokens[n] else {}
        tokens[n] = server.get(HISTORY, **FILTERS[n], **token).get("next_page_token")
        yield


def _replay(server: Server) -> float:
    """From connecting to the last of the newest events at a client."""
    answer = server.get("/api/events/poll", wait_s=0)
    head = answer["events"][-1]["seq"]
    began, frames, seen = time.perf_counter(), [], 0
    address = f"{server.url.replace('http', 'ws')}/ws?after={head - REPLAYED}"
    with connect(address, compression=None, proxy=None) as stream:
        while seen < REPLAYED:
            frames.append(str(stream.recv(timeout=60)))
            seen += frames[-1].count("\n") + 1
        took_s = time.perf_counter() - began
    seqs = [int(line[len('{"seq":') : line.index(",")]) for frame in frames for line in frame.split("\n")]
    assert seqs == list(range(head - REPLAYED + 1, head - REPLAYED + 1 + len(seqs)))
    return took_s


def _oldest(store: Path) -> int:
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        oldest: int = db.execute("SELECT oldest_seq FROM event_head").fetchone()[0]
    db.close()
    return oldest
