"""Bronze: each landed file is ingested once and whole, and nothing of it is lost.

The manifest names what was ingested by path and content hash. It is written last: a run that dies earlier leaves rows
without a manifest entry, and the next run finds them by their file and hash instead of adding them again.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion import raw
from medallion.lake import Lake
from medallion.landed import MANIFEST
from medallion.landing import LandedFile, chosen, discover, portions
from medallion.parallel import at_once, both
from medallion.pending import landed_claim_ids, unknown_claim_ids
from medallion.progress import Progress
from medallion.result import Result
from medallion.run import Run
from medallion.schemas import ENTITIES, Entity

_TABLES = tuple(f"bronze.{entity.table}" for entity in ENTITIES)
STEPS = ("landing", *_TABLES, MANIFEST)
_MANIFEST_SCHEMA = (
    "path string, content_hash string, table_name string, size bigint, modified_ms bigint, rows bigint, _run_id string"
)


_HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Ingested:
    """One manifest entry."""

    file: LandedFile
    content_hash: str
    rows: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the manifest holds: (path, size, time) to skip a file unopened, (path, hash) to recognise its content."""

    seen: frozenset[tuple[str, int, int]]
    content: frozenset[tuple[str, str]]
    paths: frozenset[str]


class Bronze:
    """One run of the layer."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = Lake(run)
        self._progress = Progress(run, STEPS)
        self._result = Result("bronze")
        self._landed: tuple[LandedFile, ...] = ()
        self._corrupt: Counter[str] = Counter()
        self._stamp = raw.Stamp(run.batch_id, run.now())

    def run(self) -> Result:
        self._lake.ensure_schema("bronze")
        self._lake.track([*_TABLES, MANIFEST])
        landing = discover(self._run.files, self._run.landing_path)
        self._landed = landing.files
        self._progress.did("landing")
        if landing.ignored:
            example = landing.ignored[0]
            self._warn(f"{len(landing.ignored)} landed files are of no known table or format, such as {example}")
        entries = self._ingest()
        both(partial(self._record, entries), partial(self._lake.finish, _TABLES))
        return self._finish()

    def _ingest(self) -> list[Ingested]:
        """Append the rows of every file whose content is new; answer what the manifest has to learn."""
        known = self._known()
        files = [
            file
            for file in chosen(self._landed, self._run.claim_ids)
            if (file.path, file.size, file.modified_ms) not in known.seen
        ]
        if not files:
            return []
        unrecorded = self._unrecorded({file.table for file in files})
        doubtful = {path for path, _ in unrecorded} | known.paths
        digests = self._digests([file for file in files if file.is_csv or file.path in doubtful])
        fresh, entries = [], []
        for file in files:
            digest = digests.get(file.path)
            if digest and (file.path, digest[0]) in unrecorded:
                entries.append(Ingested(file, digest[0], unrecorded[file.path, digest[0]]))
            elif digest is None or (file.path, digest[0]) not in known.content:
                fresh.append(file)
        self._append(fresh, {path: header for path, (_, header) in digests.items()})
        return entries + self._appended(fresh, digests)

    def _known(self) -> Known:
        if not self._lake.exists(MANIFEST):
            return Known(frozenset(), frozenset(), frozenset())
        rows = self._lake.read(MANIFEST).select("path", "content_hash", "size", "modified_ms").collect()
        return Known(
            frozenset((row["path"], row["size"], row["modified_ms"]) for row in rows),
            frozenset((row["path"], row["content_hash"]) for row in rows),
            frozenset(row["path"] for row in rows),
        )

    def _unrecorded(self, tables: set[str]) -> dict[tuple[str, str], int]:
        """Rows by (path, hash) that a run which died before its manifest has left behind; usually none."""
        held = [self._files_of(f"bronze.{table}") for table in sorted(tables) if self._lake.exists(f"bronze.{table}")]
        if not held:
            return {}
        groups = _union(held)
        if self._lake.exists(MANIFEST):
            listed = self._lake.read(MANIFEST).select(
                F.col("path").alias("_source_file"), F.col("content_hash").alias("_file_hash")
            )
            groups = groups.join(listed, ["_source_file", "_file_hash"], "left_anti")
        return {(row["_source_file"], row["_file_hash"]): int(row["n"]) for row in groups.collect()}

    def _files_of(self, table: str, *, mine: bool = False) -> DataFrame:
        """(_source_file, _file_hash, n, corrupt) of a table, or of this run's rows in it."""
        rows = self._lake.read(table)
        if mine:
            rows = rows.where(F.col("_run_id") == self._run.batch_id)
        counts = F.count("*").alias("n"), F.count("_corrupt").alias("corrupt")
        return rows.groupBy("_source_file", "_file_hash").agg(*counts)

    def _digests(self, files: list[LandedFile]) -> dict[str, tuple[str, str]]:
        """(content hash, header record) by path."""
        empty = {file.path: (_HASH_OF_NOTHING, "") for file in files if file.size == 0}  # engines skip these
        filled = [file for file in files if file.size > 0]
        if not filled:
            return empty
        return empty | {path: (digest, header) for path, digest, header in raw.hashes(self._contents(filled))}

    def _contents(self, files: list[LandedFile]) -> DataFrame:
        return raw.contents(self._run.spark, self._run.landing_path, files, self._landed)

    def _append(self, files: list[LandedFile], headers: dict[str, str]) -> None:
        sizes = Counter[str]()
        for file in files:
            sizes[file.table] += file.size
        most_first = sorted(ENTITIES, key=lambda entity: -sizes[entity.table])  # so that it is not waited for alone
        at_once([partial(self._append_to, entity, files, headers) for entity in most_first])

    def _append_to(self, entity: Entity, files: list[LandedFile], headers: dict[str, str]) -> None:
        """All new rows of a table, whole files in each commit.

        A run that dies between two commits leaves files that the manifest does not list; the next one finds them.
        """
        mine = [file for file in files if file.table == entity.table and file.size > 0]
        for portion in portions(mine):
            rows = self._raw_rows(entity, portion, headers)
            if rows is not None:
                self._lake.append(f"bronze.{entity.table}", rows)
        self._progress.did(f"bronze.{entity.table}")

    def _raw_rows(self, entity: Entity, files: list[LandedFile], headers: dict[str, str]) -> DataFrame | None:
        lines, csv = [f for f in files if not f.is_csv], [f for f in files if f.is_csv]
        parts = []
        if lines:
            parts.append(raw.json_rows(self._contents(lines), entity, self._stamp))
        if csv:
            mine = {file.path: headers[file.path] for file in csv}
            parts.append(raw.csv_rows(self._contents(csv), entity, mine, self._stamp))
        found = [part for part in parts if part is not None]
        return _union(found) if found else None

    def _appended(self, files: list[LandedFile], digests: dict[str, tuple[str, str]]) -> list[Ingested]:
        """What was written, read back from the tables; files without a row are hashed for the manifest."""
        by_path = {file.path: file for file in files}
        tables = [f"bronze.{table}" for table in sorted({file.table for file in files})]
        parts = [self._files_of(table, mine=True) for table in tables if self._lake.touched(table)]
        written = [row for row in _union(parts).collect() if row["_source_file"] in by_path] if parts else []
        entries = []
        for row in written:
            file = by_path.pop(row["_source_file"])
            entries.append(Ingested(file, row["_file_hash"], int(row["n"])))
            self._count(file.table, int(row["n"]), int(row["corrupt"]))
        without_rows = list(by_path.values())
        digests = digests | self._digests([file for file in without_rows if file.path not in digests])
        return entries + [Ingested(f, digests[f.path][0], 0) for f in without_rows if f.path in digests]

    def _count(self, table: str, rows: int, corrupt: int) -> None:
        self._lake.results[f"bronze.{table}"].rows_in += rows
        self._result.rows_in += rows
        self._result.rows_out += rows
        self._corrupt[table] += corrupt

    def _record(self, entries: list[Ingested]) -> None:
        if entries:
            rows = [
                (e.file.path, e.content_hash, e.file.table, e.file.size, e.file.modified_ms, e.rows, self._run.batch_id)
                for e in entries
            ]
            self._lake.append(MANIFEST, self._run.spark.createDataFrame(rows, _MANIFEST_SCHEMA))
            self._lake.results[MANIFEST].rows_in = len(rows)

    def _warn(self, text: str) -> None:
        self._result.warnings.append(text)

    def _finish(self) -> Result:
        for table, corrupt in self._corrupt.items():
            if corrupt:
                name = self._lake.full_name(f"bronze.{table}")
                self._warn(f"{name}: {corrupt} records could not be read and are kept raw")
        self._result.unknown_claim_ids = unknown_claim_ids(self._run, partial(landed_claim_ids, self._run, self._lake))
        self._result.tables = self._lake.finish()
        self._progress.finished()
        if self._progress.failure:
            self._warn(self._progress.failure)
        return self._result


def _union(parts: list[DataFrame]) -> DataFrame:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    return whole


def run_bronze(run: Run) -> Result:
    """Ingest what has landed and was not ingested yet. Repeating it adds nothing."""
    return Bronze(run).run()
