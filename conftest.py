"""How tests are dealt out when several processes run them (`make test`), and how they log."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import structlog
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent
# Folders whose tests share one costly start: a whole product, a workspace, an engine.
TOGETHER = ("e2e",)
REPORTS = ROOT / "test-results"
BEGUN_AT = pytest.StashKey[float]()
# What tests write is thrown away, and on a disk they would wait for it: half a second for a new PostgreSQL database.
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 2**30
MOST_PROCESSES = 5

if not hasattr(sys.modules["__main__"], "__file__"):  # pyspark would take xdist's workers for a run of its own doctests
    sys.modules["__main__"].__file__ = pytest.__file__


class ByFile(LoadScopeScheduling):
    """Tests of one file stay together, and those of a folder of TOGETHER, so that what they share is made once.

    The marker `xdist_group` would say the same, but xdist 3.8 writes it where pytest 9.2 does not look any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, _ = nodeid.partition("::")
        folder, _, _ = path.partition("/")
        return folder if folder in TOGETHER else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests that start servers wait for a fifth of their time."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGUN_AT] = time.time()
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    # Faults are logged in full, but plainly: drawing the locals of every frame costs a second a fault.
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )


def pytest_collection_finish() -> None:
    """What was imported stays to the end, so the collector need not walk through it again and again (a tenth of it)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the chaos suites have counted, whichever process ran them."""
    for report in sorted(REPORTS.glob("*.txt")):
        if report.stat().st_mtime >= config.stash[BEGUN_AT]:
            terminalreporter.section(report.stem)
            terminalreporter.write_line(report.read_text())


def _has_room(folder: Path) -> bool:
    if not folder.is_dir() or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return False
    told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(told["MemAvailable"].split()[0]) * 1024
    return min(available, shutil.disk_usage(folder).free) > ROOM_BYTES
