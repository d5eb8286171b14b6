"""Bronze: each landed file is ingested once and whole, and nothing of it is lost.

The manifest names what was ingested by path and content hash. It is written last: a run that dies earlier leaves rows
without a manifest entry, and the next run finds them by their file and hash instead of adding them again.
"""

import hashlib
from dataclasses import dataclass

from pyspark.sql import functions as F

from medallion import raw
from medallion.lake import Lake
from medallion.landing import LandedFile, chosen, discover
from medallion.progress import Progress
from medallion.result import Result
from medallion.run import Run
from medallion.schemas import ENTITIES, Entity

MANIFEST = "bronze.manifest"
STEPS = ("landing", *(f"bronze.{entity.table}" for entity in ENTITIES), MANIFEST)
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

    def run(self) -> Result:
        self._progress.at("landing")
        self._lake.ensure_schema("bronze")
        self._lake.track([*(f"bronze.{entity.table}" for entity in ENTITIES), MANIFEST])
        landing = discover(self._run.files, self._run.landing_path)
        known = self._known()
        candidates = [
            file
            for file in chosen(landing.files, self._run.claim_ids)
            if (file.path, file.size, file.modified_ms) not in known.seen
        ]
        entries: list[Ingested] = []
        for entity in ENTITIES:
            self._progress.at(f"bronze.{entity.table}")
            mine = [file for file in candidates if file.table == entity.table]
            if mine:
                entries += self._ingest(entity, mine, landing.files, known)
        self._progress.at(MANIFEST)
        self._record(entries)
        if landing.ignored:
            self._warn(
                f"{len(landing.ignored)} landed files are of no known table or format, such as {landing.ignored[0]}"
            )
        return self._finish()

    def _known(self) -> Known:
        if not self._lake.exists(MANIFEST):
            return Known(frozenset(), frozenset(), frozenset())
        rows = self._lake.read(MANIFEST).select("path", "content_hash", "size", "modified_ms").collect()
        return Known(
            frozenset((row["path"], row["size"], row["modified_ms"]) for row in rows),
            frozenset((row["path"], row["content_hash"]) for row in rows),
            frozenset(row["path"] for row in rows),
        )

    def _ingest(
        self, entity: Entity, files: list[LandedFile], siblings: tuple[LandedFile, ...], known: Known
    ) -> list[Ingested]:
        """Append the rows of the files whose content is new; answer what the manifest has to learn."""
        unrecorded = self._unrecorded(entity)
        doubtful = {path for path, _ in unrecorded} | known.paths
        looked_at = [file for file in files if file.is_csv or file.path in doubtful]
        digests = self._digests(looked_at, siblings)
        fresh, entries = [], []
        for file in files:
            digest = digests.get(file.path)
            if digest and (file.path, digest[0]) in unrecorded:
                entries.append(Ingested(file, digest[0], unrecorded[file.path, digest[0]]))
            elif digest is None or (file.path, digest[0]) not in known.content:
                fresh.append(file)
        if fresh:
            self._append(entity, fresh, siblings, {path: header for path, (_, header) in digests.items()})
            entries += self._appended(entity, fresh, siblings)
        return entries

    def _unrecorded(self, entity: Entity) -> dict[tuple[str, str], int]:
        """Rows by (path, hash) that a run which died before its manifest has left behind; usually none."""
        table = f"bronze.{entity.table}"
        if not self._lake.exists(table):
            return {}
        groups = self._lake.read(table).groupBy("_source_file", "_file_hash").agg(F.count("*").alias("n"))
        if self._lake.exists(MANIFEST):
            listed = self._lake.read(MANIFEST).select(
                F.col("path").alias("_source_file"), F.col("content_hash").alias("_file_hash")
            )
            groups = groups.join(listed, ["_source_file", "_file_hash"], "left_anti")
        return {(row["_source_file"], row["_file_hash"]): int(row["n"]) for row in groups.collect()}

    def _digests(self, files: list[LandedFile], siblings: tuple[LandedFile, ...]) -> dict[str, tuple[str, str]]:
        """(content hash, header record) by path."""
        empty = {file.path: (_HASH_OF_NOTHING, "") for file in files if file.size == 0}  # engines skip these
        filled = [file for file in files if file.size > 0]
        if not filled:
            return empty
        texts = raw.contents(self._run.spark, self._run.landing_path, filled, siblings)
        return empty | {path: (digest, header) for path, digest, header in raw.hashes(texts)}

    def _append(
        self, entity: Entity, files: list[LandedFile], siblings: tuple[LandedFile, ...], headers: dict[str, str]
    ) -> None:
        """All new rows of the table in one commit."""
        spark, root, run_id = self._run.spark, self._run.landing_path, self._run.batch_id
        csv = [file for file in files if file.is_csv and file.size > 0]
        lines = [file for file in files if not file.is_csv and file.size > 0]
        parts = []
        if lines:
            parts.append(raw.json_rows(raw.contents(spark, root, lines, siblings), entity, run_id))
        if csv:
            mine = {file.path: headers[file.path] for file in csv}
            parts.append(raw.csv_rows(raw.contents(spark, root, csv, siblings), entity, mine, run_id))
        rows = None
        for part in parts:
            rows = part if rows is None or part is None else rows.unionByName(part)
        if rows is not None:
            self._lake.append(f"bronze.{entity.table}", rows)

    def _appended(self, entity: Entity, files: list[LandedFile], siblings: tuple[LandedFile, ...]) -> list[Ingested]:
        """What was written, read back from the table; files without a row are hashed once more for the manifest."""
        table, entries = f"bronze.{entity.table}", []
        by_path = {file.path: file for file in files}
        if self._lake.exists(table):
            mine = self._lake.read(table).where(F.col("_run_id") == self._run.batch_id)
            groups = mine.groupBy("_source_file", "_file_hash").agg(F.count("*"), F.count("_corrupt")).collect()
            written = [tuple(row) for row in groups if row[0] in by_path]
            entries = [Ingested(by_path[path], digest, int(n)) for path, digest, n, _ in written]
            self._count(entity, sum(entry.rows for entry in entries), sum(int(row[3]) for row in written))
        empty = [file for file in files if file.path not in {entry.file.path for entry in entries}]
        digests = self._digests(empty, siblings)
        return entries + [Ingested(file, digests[file.path][0], 0) for file in empty if file.path in digests]

    def _count(self, entity: Entity, rows: int, corrupt: int) -> None:
        table = self._lake.results[f"bronze.{entity.table}"]
        table.rows_in = table.rows_out = rows
        self._result.rows_in += rows
        self._result.rows_out += rows
        if corrupt:
            self._warn(f"{table.name}: {corrupt} records could not be read and are kept raw")

    def _record(self, entries: list[Ingested]) -> None:
        if entries:
            rows = [
                (e.file.path, e.content_hash, e.file.table, e.file.size, e.file.modified_ms, e.rows, self._run.batch_id)
                for e in entries
            ]
            self._lake.append(MANIFEST, self._run.spark.createDataFrame(rows, _MANIFEST_SCHEMA))
            manifest = self._lake.results[MANIFEST]
            manifest.rows_in = manifest.rows_out = len(rows)

    def _warn(self, text: str) -> None:
        self._result.warnings.append(text)

    def _finish(self) -> Result:
        self._result.unknown_claim_ids = self._unknown_claim_ids()
        self._result.tables = self._lake.finish()
        self._progress.finished()
        if self._progress.failure:
            self._warn(self._progress.failure)
        return self._result

    def _unknown_claim_ids(self) -> list[str]:
        """Chosen claims that bronze does not hold after this run."""
        if self._run.claim_ids is None:
            return []
        if not self._lake.exists("bronze.claims"):
            return sorted(self._run.claim_ids)
        wanted = F.col("claim_id").isin(*self._run.claim_ids)
        held = self._lake.read("bronze.claims").where(wanted).select("claim_id").distinct().collect()
        return sorted(self._run.claim_ids - {row["claim_id"] for row in held})


def run_bronze(run: Run) -> Result:
    """Ingest what has landed and was not ingested yet. Repeating it adds nothing."""
    return Bronze(run).run()
