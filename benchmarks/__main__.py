"""`make bench`: measures and prints; writes one JSON file per benchmark into benchmarks/results/."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import click_to_gold, trigger
from e2e.server import Server

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run every benchmark on one fresh server of its own."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data")
        server.start()
        try:
            server.first_run()
            for benchmark in (trigger, click_to_gold):
                name = benchmark.__name__.rpartition(".")[2]
                print(f"{name} …", flush=True)
                write(name, benchmark.measure(server))
        finally:
            server.close()
    return 0


def write(name: str, figures: dict[str, object]) -> None:
    """Print the figures and keep them with what machine they were taken on."""
    result = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
        **figures,
    }
    text = json.dumps(result, indent=2)
    print(text)
    (RESULTS / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
