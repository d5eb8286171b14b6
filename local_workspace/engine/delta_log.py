"""The newest commits of a Delta table, read from the end of its log: which files the table has is not loaded."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"(\d{20})\.json")


def newest_commits(folder: Path, limit: int) -> list[dict[str, Any]]:
    """At most `limit` commits, the newest first: what each says of itself, with `version` and `timestamp` (epoch ms).

    A commit that tells no time has that of its file. The list is empty for a folder that is no Delta table.
    Source: the Delta transaction log protocol, "Delta Log Entries" and "Commit Provenance Information".
    """
    log = folder / "_delta_log"
    names = os.listdir(log) if log.is_dir() else []
    versions = sorted((name for name in names if _COMMIT.fullmatch(name)), reverse=True)
    return [_commit(log / name) for name in versions[:limit]]


def _commit(file: Path) -> dict[str, Any]:
    said: dict[str, Any] = {"timestamp": int(file.stat().st_mtime * 1000)}
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if '"commitInfo"' in line:
                said |= json.loads(line).get("commitInfo") or {}
    return said | {"version": int(file.stem)}
