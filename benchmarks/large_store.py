"""A history of a million runs and twenty million events: pages, details, replay and start, through the real server.

The log holds twenty times what is kept, so that all of it is measured while retention drops the surplus. Sizes by
`PETINSURE_BENCH_RUNS`; with the full size the store takes some 35 GB.
"""

from __future__ import annotations

import itertools
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from benchmarks.large_store_build import FIRST_RUN_ID, multiply
from benchmarks.quantiles import summary
from benchmarks.stored import one_number
from e2e.server import Server, free_port

RUNS = int(os.environ.get("PETINSURE_BENCH_RUNS", "1000000"))
EVENTS_PER_RUN = 20
REQUESTS = 330
SETTLED_S = 6.0  # what follows a start, the reading of the lake and the like, is not what pages are measured beside
REPLAYED = 10_000
REPLAYS = 9
OLDEST = "SELECT oldest_seq FROM event_head"
HISTORY = "/api/pipeline/databricks/runs"
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"layer": "gold"}, {"state": "FAILED"}, {"state": "TERMINATED"}, {"state": "REFUSED"}, {"state": "TIMEDOUT"},
    {"layer": "silver", "state": "SUCCESS"}, {"layer": "silver", "state": "FAILED"}, {"state": "ACCEPTED"},
    {"limit": "100"},
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
                "start_s": {"few_runs": round(small_s, 2), **_starts(server)},
                **_used(server, runs),
                "row_bytes": _row_bytes(server, runs),
            }
        finally:
            server.close()


def _starts(server: Server) -> dict[str, float]:
    """The whole product's start, and the server's own beside a workspace that somebody else runs (and is away)."""
    whole = [_restart(server)]
    server.interrupt()
    away = {"DATABRICKS_HOST": f"http://127.0.0.1:{free_port()}", "DATABRICKS_TOKEN": "none"}
    alone = Server(server.data_dir, **away)
    try:
        alone_s = _timed(alone.start)
    finally:
        alone.close()
    whole.append(_restart(server))
    return {"all_runs": round(whole[0], 2), "all_runs_again": round(whole[1], 2), "server_alone": round(alone_s, 2)}


def _row_bytes(server: Server, runs: int) -> dict[str, float]:
    """What one run and one event cost: the texts of a sample, and the file's size shared out over all."""
    text = one_number(server, "SELECT avg(length(text)) FROM (SELECT text FROM events LIMIT 10000)")
    size = (server.data_dir / "petinsure.db").stat().st_size
    return {"event_text": round(text), "file_for_a_run_with_its_events": round(size / runs)}


def _used(server: Server, runs: int) -> dict[str, object]:
    time.sleep(SETTLED_S)
    before = one_number(server, OLDEST)
    random.seed(runs)
    some_runs = (f"{HISTORY}/{FIRST_RUN_ID + random.randint(1, runs)}" for _ in itertools.count())
    by_filter: dict[str, list[float]] = {}
    pages = _pages(server, by_filter)
    return {
        "list": _figures(server, REQUESTS, lambda: next(pages)),
        "list_p95_ms_by_filter": {name: summary(times_s)["p95_ms"] for name, times_s in by_filter.items()},
        "detail": _figures(server, REQUESTS, lambda: _timed(lambda: server.http.get(next(some_runs)).read())),
        f"replay_of_{REPLAYED}_events": _figures(server, REPLAYS, lambda: _replay(server)),
        "write_while_trimming": _figures(server, REQUESTS, lambda: _timed(lambda: _land(server))),
        "events_trimmed_meanwhile": one_number(server, OLDEST) - before,
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


def _pages(server: Server, by_filter: dict[str, list[float]]) -> Iterator[float]:
    """Seconds to the last byte of page after page, the filters in turn, each page following the one before of its own.

    Reading the JSON is the caller's own affair and not counted.
    """
    tokens: list[str | None] = [None] * len(FILTERS)
    for n in itertools.cycle(range(len(FILTERS))):
        token = {"page_token": tokens[n]} if tokens[n] else {}
        began = time.perf_counter()
        response = server.http.get(HISTORY, params={**FILTERS[n], **token})
        took_s = time.perf_counter() - began
        assert response.is_success, response.text[:500]
        tokens[n] = response.json().get("next_page_token")
        by_filter.setdefault(" ".join(f"{name}={value}" for name, value in FILTERS[n].items()), []).append(took_s)
        yield took_s


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
