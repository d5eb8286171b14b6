"""One run of one notebook: what it was told, and the workspace's services it may use."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from pyspark.sql import SparkSession

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


class ParameterError(ValueError):
    """A parameter that no run can work with; the text names it and says what is allowed."""


@dataclass(frozen=True)
class Run:
    """What one notebook task works with. `claim_ids` is None when everything pending is meant."""

    spark: SparkSession
    files: Files
    table_version: Callable[[str], int]
    now: Callable[[], datetime]
    catalog: str
    landing_path: str
    control_path: str
    claim_ids: frozenset[str] | None
    batch_id: str
    as_of: date
    task_key: str


def described_version(spark: SparkSession) -> Callable[[str], int]:
    """The newest Delta version of a table, as DESCRIBE HISTORY tells it."""

    def version(table: str) -> int:
        return int(spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").select("version").collect()[0][0])

    return version


def from_notebook(spark: SparkSession, dbutils: Any) -> Run:
    """Declare the widgets and read them.

    Raises: ParameterError.
    """
    for name, default in PARAMETERS.items():
        dbutils.widgets.text(name, default)
    given = {name: dbutils.widgets.get(name) for name in PARAMETERS}
    return from_parameters(spark, dbutils.fs, given)


def from_parameters(
    spark: SparkSession,
    files: Files,
    given: dict[str, str],
    *,
    table_version: Callable[[str], int] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Run:
    """Check the parameters and make a run of them; an empty one means its default.

    `now` dates the progress file and nothing else: no figure depends on the clock.
    Raises: ParameterError.
    """
    told = {name: (given.get(name) or default).strip() for name, default in PARAMETERS.items()}
    if not re.fullmatch(r"[A-Za-z0-9_]+", told["catalog"]):
        raise ParameterError(f"catalog {told['catalog']!r}: letters, digits and underscores are allowed")
    return Run(
        spark=spark,
        files=files,
        table_version=table_version or described_version(spark),
        now=now,
        catalog=told["catalog"],
        landing_path=told["landing_path"].rstrip("/"),
        control_path=told["control_path"].rstrip("/"),
        claim_ids=_claim_ids(files, told["claim_ids"], told["claim_ids_path"]),
        batch_id=_batch_id(told),
        as_of=_as_of(told),
        task_key=told["task_key"] or "task",
    )


def _required(told: dict[str, str], name: str) -> str:
    if not told[name]:
        raise ParameterError(f"{name} is empty: the job passes it, a run by hand has to as well")
    return told[name]


def _batch_id(told: dict[str, str]) -> str:
    batch_id = _required(told, "batch_id")
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", batch_id):
        raise ParameterError(f"batch_id {batch_id!r}: a run id is expected (letters, digits, and _ . : -)")
    return batch_id


def _as_of(told: dict[str, str]) -> date:
    text = _required(told, "as_of")
    try:
        return date.fromisoformat(text[:10])
    except ValueError as cause:
        raise ParameterError(f"as_of {text!r}: a date such as 2026-01-31 is expected") from cause


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
