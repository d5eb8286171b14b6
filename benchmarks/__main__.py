"""`make bench`, or `python -m benchmarks NAME…`: measures, prints, and writes benchmarks/results/NAME.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from e2e.server import Server

RESULTS = Path(__file__).parent / "results"

# A benchmark is a module of this package with `measure`, which answers its figures. One fresh server is shared by the
# first kind (`measure(server)`), in this order; the others bring what they need (`measure()`).
ON_THE_SERVER = ("click_to_gold",)
ON_THEIR_OWN: tuple[str, ...] = (
    "trigger",
    "polls",
    "failover",
    "fan_out",
    "large_store",
    "eta",
    "small_book",
    "large_book",
    "five_million",
)


def main() -> int:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ON_THE_SERVER + ON_THEIR_OWN))
    names = parser.parse_args().names or [*ON_THE_SERVER, *ON_THEIR_OWN]
    unknown = sorted(set(names) - {*ON_THE_SERVER, *ON_THEIR_OWN})
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(ON_THE_SERVER + ON_THEIR_OWN)}")
    RESULTS.mkdir(exist_ok=True)
    _on_one_server([name for name in ON_THE_SERVER if name in names])
    for name in ON_THEIR_OWN:
        if name in names:
            _measure(name)
    return 0


def _on_one_server(names: list[str]) -> None:
    if not names:
        return
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data")
        server.start()
        try:
            server.first_run()
            for name in names:
                _measure(name, server)
        finally:
            server.close()


def _measure(name: str, *given: object) -> None:
    print(f"{name} …", flush=True)
    write(name, import_module(f"benchmarks.{name}").measure(*given))


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
