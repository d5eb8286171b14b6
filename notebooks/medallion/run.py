"""One run of one notebook: what it was told, and the workspace's services it may use."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Protocol

from pyspark.sql import SparkSession

from medallion import context

PARAMETERS = {
    "catalog": "petinsure360",
    "landing_path": "/Volumes/petinsure360/landing/raw",
    "control_path": "/Volumes/petinsure360/landing/control",
    "claim_ids": "",
    "claim_ids_path": "",
    "batch_id": "",
    "as_of": "",
    "submission_id": "",
    "task_key": "",
    "max_reject_share": "0.5",
}
"""The widgets of each notebook and their defaults."""

CLAIM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
MAX_CLAIM_IDS = 10_000
MAX_CLAIM_IDS_BYTES = 2_000_000


class FileInfo(Protocol):
    """A directory entry of `dbutils.fs.ls`: folders have names that end with a slash; times are epoch milliseconds."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modificationTime(self) -> int: ...


class Files(Protocol):
    """The part of `dbutils.fs` that the pipeline uses."""

    def ls(self, path: str) -> Sequence[FileInfo]: ...
    def mkdirs(self, path: str) -> bool: ...
    def head(self, path: str, max_bytes: int) -> str: ...
    def put(self, path: str, contents: str, overwrite: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Commit:
    """The newest commit of a Delta table: its version, and its time as the workspace writes it."""

    version: int
    at: str


class ParameterError(ValueError):
    """A parameter that no run can work with; the text names it and says what is allowed."""


@dataclass(frozen=True)
class Run:
    """What one notebook task works with. `claim_ids` is None when everything pending is meant."""

    spark: SparkSession
    files: Files
    last_commit: Callable[[str], Commit]
    now: Callable[[], datetime]
    catalog: str
    landing_path: str
    control_path: str
    claim_ids: frozenset[str] | None
    batch_id: str
    told_as_of: date | None
    task_key: str
    max_reject_share: float

    @cached_property
    def as_of(self) -> date:
        """The day the figures are valued at: as told, else the day (UTC) of the newest file that bronze holds."""
        return self.told_as_of or newest_landing(self.spark, f"{self.catalog}.bronze.manifest")


def newest_landing(spark: SparkSession, manifest: str) -> date:
    """The last day on which a file of the manifest was changed; the epoch while there is none, and so no figure."""
    held = (
        spark.sql(f"SELECT max(modified_ms) FROM {manifest}").collect() if spark.catalog.tableExists(manifest) else []
    )
    newest_ms = held[0][0] if held else None
    return datetime.fromtimestamp((newest_ms or 0) / 1000, UTC).date()


def described_commit(spark: SparkSession) -> Callable[[str], Commit]:
    """The newest commit of a table, as DESCRIBE HISTORY tells it."""

    def commit(table: str) -> Commit:
        row = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()[0]
        return Commit(int(row["version"]), str(row["timestamp"]))

    return commit


def from_notebook(spark: SparkSession, dbutils: Any, task_key: str) -> Run:
    """Declare the widgets and read them; what a job does not pass, the notebook's context says.

    `task_key` is the task's name where neither tells one.
    Raises: ParameterError.
    """
    for name, default in PARAMETERS.items():
        dbutils.widgets.text(name, default)
    given = {name: dbutils.widgets.get(name) for name in PARAMETERS}
    if not (context.is_told(given["batch_id"]) and context.is_told(given["task_key"])):
        given |= _from_context(given, context.tags(dbutils), task_key)
    return from_parameters(spark, dbutils.fs, given)


def _from_context(given: Mapping[str, str], tags: Mapping[str, str], task_key: str) -> dict[str, str]:
    said = {"batch_id": context.first(tags, context.RUN_TAGS), "task_key": context.first(tags, context.TASK_TAGS)}
    said["task_key"] = said["task_key"] or task_key
    return {name: given[name] if context.is_told(given[name]) else text for name, text in said.items()}


def from_parameters(
    spark: SparkSession,
    files: Files,
    given: Mapping[str, str],
    *,
    last_commit: Callable[[str], Commit] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Run:
    """Check the parameters and make a run of them; an empty one means its default.

    `now` dates the progress file and the ingestion: no figure depends on the clock.
    Raises: ParameterError.
    """
    told = {name: (given.get(name) or default).strip() for name, default in PARAMETERS.items()}
    if not re.fullmatch(r"[A-Za-z0-9_]+", told["catalog"]):
        raise ParameterError(f"catalog {told['catalog']!r}: letters, digits and underscores are allowed")
    return Run(
        spark=spark,
        files=files,
        last_commit=last_commit or described_commit(spark),
        now=now,
        catalog=told["catalog"],
        landing_path=told["landing_path"].rstrip("/"),
        control_path=told["control_path"].rstrip("/"),
        claim_ids=_claim_ids(files, told["claim_ids"], told["claim_ids_path"]),
        batch_id=_batch_id(told["batch_id"]),
        told_as_of=_as_of(told["as_of"]),
        task_key=told["task_key"] or "task",
        max_reject_share=_share(told, "max_reject_share"),
    )


def _batch_id(batch_id: str) -> str:
    if not context.is_told(batch_id):
        raise ParameterError("batch_id is empty, and this notebook is run by no job that could name its run: pass one")
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", batch_id):
        raise ParameterError(f"batch_id {batch_id!r}: a run id is expected (letters, digits, and _ . : -)")
    return batch_id


def _as_of(text: str) -> date | None:
    if not context.is_told(text):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as cause:
        raise ParameterError(f"as_of {text!r}: a date such as 2026-01-31 is expected") from cause


def _share(told: Mapping[str, str], name: str) -> float:
    try:
        share = float(told[name])
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ParameterError(f"{name} {told[name]!r}: a fraction from 0 to 1 is expected, such as {PARAMETERS[name]}")
    return share


def _claim_ids(files: Files, inline: str, path: str) -> frozenset[str] | None:
    ids = [word.strip() for word in inline.split(",") if word.strip()]
    if path:
        ids += _ids_of_file(files.head(path, MAX_CLAIM_IDS_BYTES), path)
    bad = [word for word in ids if not CLAIM_ID.fullmatch(word)]
    if bad:
        raise ParameterError(f"claim_ids: {bad[0]!r} does not match {CLAIM_ID.pattern}")
    if len(ids) > MAX_CLAIM_IDS:
        raise ParameterError(f"claim_ids: {len(ids)} given, at most {MAX_CLAIM_IDS} are allowed")
    return frozenset(ids) or None


def _ids_of_file(text: str, path: str) -> list[str]:
    try:
        ids = json.loads(text)
    except ValueError as cause:
        raise ParameterError(f"claim_ids_path {path}: not JSON") from cause
    if not isinstance(ids, list) or not all(isinstance(word, str) for word in ids) or not ids:
        raise ParameterError(f"claim_ids_path {path}: a JSON array of claim ids is expected")
    return ids
