"""What a server process has used so far, read by itself."""

from __future__ import annotations

import resource
from pathlib import Path

from pydantic import BaseModel

PAGE_BYTES = resource.getpagesize()


class Usage(BaseModel):
    """Resident memory now, and processor time (user and system) since the start."""

    rss_bytes: int
    cpu_s: float


def usage() -> Usage:
    """Of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Usage(rss_bytes=pages * PAGE_BYTES, cpu_s=spent.ru_utime + spent.ru_stime)
