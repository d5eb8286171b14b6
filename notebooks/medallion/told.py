"""Which few rows a layer has changed, as it tells the next one: looking for them costs a comparison of whole tables.

What is told is bound to the two commits between which it is all that happened. Whoever knows another commit, because a
run died, ran twice, or somebody else wrote, is not told anything, and compares.
"""

from collections.abc import Mapping
from typing import Any

from medallion import notes
from medallion.lake import Changes, Lake
from medallion.run import Commit, Run

_MAX_KEYS = 2_000
"""More rows are not told: then the comparison is the smaller part of the work."""


def changes(lake: Lake, before: Mapping[str, Any]) -> dict[str, Any]:
    """What this run has changed in each table, as notes; of a table that it left alone, what was told `before`."""
    told: dict[str, Any] = {}
    for table in lake.results:
        if not lake.touched(table):
            told |= {table: before[table]} if table in before else {}
            continue
        changed = lake.changes(table)
        if changed is not None and len(changed.keys) <= _MAX_KEYS:
            told[table] = {
                "since": notes.of_commit(changed.since),
                "to": notes.of_commit(changed.to),
                "keys": sorted(changed.keys),
                "partitions": sorted(changed.partitions),
            }
    return told


def changes_of(run: Run, layer: str, table: str, since: Commit, to: Commit) -> Changes | None:
    """What the layer's last run has changed in a table between two commits; None when it does not tell just that."""
    if since == to:
        return Changes(since, to, frozenset(), frozenset())
    told = notes.read(run, layer).get("changes", {}).get(table)
    if told is None or told["since"] != notes.of_commit(since) or told["to"] != notes.of_commit(to):
        return None
    return Changes(since, to, frozenset(told["keys"]), frozenset(told["partitions"]))
