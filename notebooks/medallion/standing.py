"""Whether a layer is already what its sources give: then a run has nothing to read, to compute or to write.

A full run that succeeded leaves the versions it read and the versions it left in `<control_path>/standing/`. A layer
is a function of its sources, the day of valuation, the parameters and the code: while none of these has changed, and
nobody has touched its tables, computing it again gives the same.

Each run leaves the code it ran. Where that is other code, what the tables hold may follow other rules, or lack columns:
then the layer is made anew, and what differs is written. The file is a shortcut only: without it, or with one that
cannot be read, the run takes the longer way to the same tables.
"""

import json
from collections.abc import Iterable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from medallion.lake import Lake
from medallion.parallel import at_once
from medallion.run import Run

_MAX_BYTES = 100_000


class Standing:
    """The standing of one layer at the beginning of a run. Make it before anything is read."""

    def __init__(self, run: Run, lake: Lake, layer: str, sources: Iterable[str]) -> None:
        self._run = run
        self._lake = lake
        self._path = f"{run.control_path}/standing/{run.catalog}.{layer}.json"
        self._basis = {
            "sources": _commits(run, lake, sources),
            "as_of": run.as_of.isoformat(),
            "max_reject_share": run.max_reject_share,
        }
        self._kept = self._read()
        self.is_of_other_code = self._kept.get("code") != _code()

    def holds(self) -> bool:
        """Whether nothing has changed since the last full run; then the row counts of that run are still true."""
        kept, tables = self._kept, self._tables()
        if self.is_of_other_code or not tables or kept.get("basis") != self._basis or kept.get("tables") != tables:
            return False
        for name, rows in kept["rows"].items():
            self._lake.results[name].rows = rows
        return True

    def keep(self, *, nothing_pending: bool) -> None:
        """Say that the tables are of this code, and with `nothing_pending` that the layer is what its sources were."""
        told: dict[str, Any] = {"code": _code()}
        if nothing_pending:
            told["basis"], told["tables"] = self._basis, self._tables()
            told["rows"] = {table: result.rows for table, result in self._lake.results.items()}
        try:
            self._run.files.put(self._path, json.dumps(told), True)
        except Exception:  # noqa: BLE001 - every workspace has its own errors; the next run works without it
            return

    def _tables(self) -> dict[str, Any]:
        return _commits(self._run, self._lake, self._lake.results)

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._run.files.head(self._path, _MAX_BYTES))
        except Exception:  # noqa: BLE001 - a missing file has another error on each workspace
            return {}
        return kept if isinstance(kept, dict) else {}


def _commits(run: Run, lake: Lake, tables: Iterable[str]) -> dict[str, Any]:
    """[version, time] of the newest commit of each table that exists; the time tells a table that was made anew."""
    commits: dict[str, Any] = {}

    def ask(table: str) -> None:
        commits[table] = lake.commit(table)

    at_once([partial(ask, table) for table in tables if lake.exists(table)])
    return {table: [commits[table].version, commits[table].at] for table in sorted(commits)}


@cache
def _code() -> str:
    """A hash of this package: other rules may give other tables."""
    digest = sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
