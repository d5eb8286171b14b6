"""Whether a layer is already what its sources give: then a run has nothing to read, to compute or to write.

A run that succeeded leaves the versions it read and the versions it left (`notes.py`). A layer is a function of its
sources, the day of valuation, the parameters and the code: while none of these has changed, and nobody has touched its
tables, computing it again gives the same. That is true of a part of a layer as well: what has the same commits as then
need not be looked at, and what changed since then can be told by comparing with those versions.

Each run leaves the code it ran. Where that is other code, what the tables hold may follow other rules, or lack columns:
then the layer is made anew, and what differs is written. So it is when the book has outgrown the one part of a table
that a small one lies in: claims of one month never lie in two parts.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion import few, notes, told
from medallion.lake import PARTITIONS, Lake
from medallion.run import Commit, Run

_MAX_PART_BYTES = 100_000


class Standing:
    """The standing of one layer at the beginning of a run. Make it before anything is read."""

    def __init__(self, run: Run, lake: Lake, layer: str, sources: Iterable[str]) -> None:
        self._run = run
        self._lake = lake
        self._layer = layer
        self._basis = {
            "sources": _commits(lake, sources),
            "as_of": run.as_of.isoformat(),
            "max_reject_share": run.max_reject_share,
        }
        self._kept = notes.read(run, layer)
        self._kept_basis: dict[str, Any] = self._kept.get("basis") or {}
        self._parts: dict[str, str] = {}
        self._is_of_other_code = self._kept.get("code") != _code()

    def holds(self) -> bool:
        """Whether nothing has changed since the last full run; then the row counts of that run are still true."""
        kept, tables = self._kept, self._tables()
        if self._is_of_other_code or not tables or not self.was_complete or kept.get("tables") != tables:
            return False
        if self._kept_basis != self._basis:
            return False
        for name, rows in kept["rows"].items():
            self._lake.results[name].rows = rows
        return True

    @cached_property
    def is_to_be_made_anew(self) -> bool:
        """Whether the tables are those of other code, or of a book that has outgrown the one part that its claims lie
        in."""
        return self._is_of_other_code or self._kept.get("small_book") != self._lake.is_small_book

    @property
    def was_complete(self) -> bool:
        """Whether the last run had left nothing pending."""
        return self._kept.get("nothing_pending") is True

    def kept(self, table: str) -> Commit | None:
        """The commit that a source or a table of the layer had at the end of the last run; None when that is not known,
        or the layer is to be made anew."""
        if self.is_to_be_made_anew:
            return None
        commits = {**(self._kept_basis.get("sources") or {}), **(self._kept.get("tables") or {})}
        return Commit(*commits[table]) if table in commits else None

    @property
    def days_since(self) -> int | None:
        """Days from the day that the last run valued at to that of this run; None when it is not known."""
        as_of = self._kept_basis.get("as_of")
        return None if as_of is None else (self._run.as_of - date.fromisoformat(as_of)).days

    def is_unchanged(self, *tables: str) -> bool:
        """Whether the tables are what the last run, of this code, has found and left."""
        return all(self._lake.exists(table) and self.kept(table) == self._lake.commit(table) for table in tables)

    def part(self, name: str, sources: Sequence[str], make: Callable[[], DataFrame]) -> DataFrame:
        """An aggregate that figures are made of: that of the last run while day and sources are what they were then.

        A small one is computed here and now, once, and kept for the next run.
        """
        kept = self._kept.get("parts", {}).get(name)
        if kept is not None and self.days_since == 0 and self.is_unchanged(*sources):
            self._parts[name] = kept
            return self._run.spark.createDataFrame(notes.rows_of(kept))
        return self._remembered(name, make())

    def part_by_partition(self, name: str, table: str, make: Callable[[DataFrame], DataFrame]) -> DataFrame:
        """An aggregate of a table of this layer by its partition, and by more: on the same day it is made again for the
        partitions only that this run has written since the last one."""
        column, rows = PARTITIONS[table], self._lake.read(table)
        kept, last = self._kept.get("parts", {}).get(name), self.kept(table)
        written = self._lake.written_since(table, last) if last is not None and self.days_since == 0 else None
        if kept is None or written is None:
            return self._remembered(name, make(rows))
        known = notes.rows_of(kept)
        whole = known.filter(pa.array([place not in written for place in known.column(column).to_pylist()], pa.bool_()))
        if written:
            made = few.as_arrow(make(rows.where(F.col(column).isin(sorted(written)))))
            whole = None if made is None else pa.concat_tables([whole, made.cast(known.schema)])
        return self._held(name, whole) if whole else make(rows)

    def _remembered(self, name: str, rows: DataFrame) -> DataFrame:
        """Compute a small part here and now, and keep it for the next run."""
        held = few.as_arrow(rows)
        return self._held(name, held) if held else rows

    def _held(self, name: str, rows: pa.Table) -> DataFrame:
        text = notes.of_rows(rows)
        if len(text) <= _MAX_PART_BYTES:
            self._parts[name] = text
        return self._run.spark.createDataFrame(rows)

    def keep(self, *, nothing_pending: bool) -> None:
        """Say what the tables are made of, and with `nothing_pending` that the layer is all that its sources give."""
        left = {
            "code": _code(),
            "small_book": self._lake.is_small_book,
            "basis": self._basis,
            "tables": self._tables(),
            "rows": {table: result.rows for table, result in self._lake.results.items()},
            "nothing_pending": nothing_pending,
            "changes": told.changes(self._lake, self._kept.get("changes", {})),
            "parts": self._parts,
        }
        notes.leave(self._run, self._layer, left)

    def _tables(self) -> dict[str, Any]:
        return _commits(self._lake, self._lake.results)


def _commits(lake: Lake, tables: Iterable[str]) -> dict[str, Any]:
    """The newest commit of each table that exists."""
    return {table: notes.of_commit(commit) for table, commit in sorted(lake.commits(tables).items())}


@cache
def _code() -> str:
    """A hash of this package: other rules may give other tables."""
    digest = sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
