"""Statements about a Delta table's log, answered by delta-rs with Databricks' column names."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyspark.errors import AnalysisException
from pyspark.sql.types import (
    BooleanType,
    DataType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from local_workspace.engine.delta_log import newest_commits
from local_workspace.engine.names import Namespace
from local_workspace.engine.sql_text import tokens

if TYPE_CHECKING:
    from local_workspace.engine.statements import Call


def _struct(**kinds: DataType) -> StructType:
    return StructType([StructField(name, kind) for name, kind in kinds.items()])


_TEXT, _TEXTS = StringType(), MapType(StringType(), StringType())
# Said in types: each notebook asks for histories many times, and an engine would have to be asked what a text means.
_HISTORY = _struct(
    version=LongType(), timestamp=TimestampType(), userId=_TEXT, userName=_TEXT, operation=_TEXT,
    operationParameters=_TEXTS, job=_struct(jobId=_TEXT, jobName=_TEXT, jobRunId=_TEXT),
    notebook=_struct(notebookId=_TEXT), clusterId=_TEXT, readVersion=LongType(), isolationLevel=_TEXT,
    isBlindAppend=BooleanType(), operationMetrics=_TEXTS, userMetadata=_TEXT, engineInfo=_TEXT,
)  # fmt: skip
_DETAIL = (
    "format string, id string, name string, description string, location string, createdAt timestamp, "
    "lastModified timestamp, partitionColumns array<string>, clusteringColumns array<string>, numFiles bigint, "
    "sizeInBytes bigint, properties map<string,string>, minReaderVersion int, minWriterVersion int, "
    "tableFeatures array<string>, statistics map<string,string>"
)
_RESTORE = (
    "table_size_after_restore bigint, num_of_files_after_restore bigint, num_removed_files bigint, "
    "num_restored_files bigint, removed_files_size bigint, restored_files_size bigint"
)
_DEFAULT_RETENTION_H = 168


class Target:
    """The Delta table that a statement names: by name, or as delta.`path`."""

    def __init__(self, call: Call) -> None:
        parts = call.cursor.name()
        if len(parts) == 2 and parts[0].lower() == "delta" and "/" in parts[1]:
            self.name, self.folder = None, Path(call.engine.mapper.local(parts[1]))
        elif len(parts) == 1 and "/" in parts[0]:
            self.name, self.folder = None, Path(call.engine.mapper.local(parts[0]))
        else:
            self.name, self.folder = ".".join(call.complete(parts)), _folder(call, parts)

    def open(self) -> DeltaTable:
        try:
            return DeltaTable(str(self.folder))
        except (TableNotFoundError, DeltaError) as fault:
            raise AnalysisException(
                f"[DELTA_MISSING_DELTA_TABLE] {self.name or self.folder} is not a Delta table."
            ) from fault

    def history(self, limit: int | None) -> list[dict[str, Any]]:
        """What the commits say of themselves, the newest first."""
        try:
            newest = newest_commits(self.folder, limit) if limit else []
        except OSError:  # the table is being dropped, or its log tidied
            newest = []
        return newest or list(self.open().history(limit))

    def columns_changed(self, call: Call) -> None:
        if self.name is not None:
            call.engine.columns_changed(Namespace("", "").table(self.name.split(".")))


def history(call: Call) -> Any:
    target = Target(call)
    limit = int(call.cursor.value()) if call.cursor.take("LIMIT") else None
    return call.frame([_history_row(commit) for commit in target.history(limit)], _HISTORY)


def detail(call: Call) -> Any:
    target = Target(call)
    table = target.open()
    metadata, protocol = table.metadata(), table.protocol()
    files = table.get_add_actions(flatten=True)
    sizes = [int(size.as_py()) for size in files["size_bytes"]] if files.num_rows else []
    newest = target.history(1)[0]["timestamp"]
    row: tuple[Any, ...] = (
        "delta", str(metadata.id), target.name, metadata.description, str(target.folder),
        _instant(metadata.created_time), _instant(newest), list(metadata.partition_columns), [], len(sizes), sum(sizes),
        dict(metadata.configuration), protocol.min_reader_version, protocol.min_writer_version,
        [*(protocol.writer_features or []), *(protocol.reader_features or [])], {},
    )  # fmt: skip
    return call.frame([row], _DETAIL)


def optimize(call: Call) -> Any:
    """OPTIMIZE t [ZORDER BY (…)]; a WHERE clause is refused, since partitions would have to be understood here."""
    target = Target(call)
    if call.cursor.take("WHERE"):
        raise call.refuse("OPTIMIZE with WHERE", "optimize the whole table")
    order = call.cursor.parenthesised() if call.cursor.take("ZORDER", "BY") else None
    table = target.open()
    columns = [token.value for token in tokens(order or "") if token.text != ","]
    metrics = table.optimize.z_order(columns) if columns else table.optimize.compact()
    row = (str(target.folder), (int(metrics["numFilesAdded"]), int(metrics["numFilesRemoved"])))
    return call.frame([row], "path string, metrics struct<numFilesAdded:bigint,numFilesRemoved:bigint>")


def vacuum(call: Call) -> Any:
    """VACUUM t [RETAIN n HOURS] [DRY RUN]; fewer than 168 hours are refused, as Databricks does by default."""
    target = Target(call)
    hours: float = _DEFAULT_RETENTION_H
    if call.cursor.take("RETAIN"):
        hours = float(call.cursor.value())
        call.cursor.take("HOURS")
    dry_run = call.cursor.take("DRY", "RUN")
    check = call.engine.session.conf.get("spark.databricks.delta.retentionDurationCheck.enabled", "true")
    checked = str(check).lower() != "false"
    if checked and hours < _DEFAULT_RETENTION_H:
        raise AnalysisException(
            "[DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT] Are you sure you would like to vacuum files with such a low "
            "retention period? Set spark.databricks.delta.retentionDurationCheck.enabled = false to do so."
        )
    removed = target.open().vacuum(int(hours), dry_run=dry_run, enforce_retention_duration=checked)
    paths = [str(target.folder / name) for name in removed] if dry_run else [str(target.folder)]
    return call.frame([(path,) for path in paths], "path string")


def restore(call: Call) -> Any:
    """RESTORE [TABLE] t TO VERSION | TIMESTAMP AS OF x."""
    call.cursor.take("TABLE")
    target = Target(call)
    call.cursor.take("TO")
    kind = call.cursor.take_any("VERSION", "TIMESTAMP")
    call.cursor.take("AS", "OF")
    text = call.cursor.value()
    if kind is None:
        raise AnalysisException("RESTORE needs TO VERSION AS OF or TO TIMESTAMP AS OF.")
    table = target.open()
    wanted = int(text) if kind == "VERSION" else datetime.fromisoformat(text).replace(tzinfo=UTC)
    metrics = table.restore(wanted, commit_properties=CommitProperties())
    sizes = [int(size.as_py()) for size in DeltaTable(str(target.folder)).get_add_actions(flatten=True)["size_bytes"]]
    target.columns_changed(call)
    row = (sum(sizes), len(sizes), int(metrics["numRemovedFile"]), int(metrics["numRestoredFile"]), None, None)
    return call.frame([row], _RESTORE)


def show_create_table(call: Call) -> Any:
    target = Target(call)
    table = target.open()
    info = call.catalog.get_table(*str(target.name).split("."))
    columns = ",\n".join(f"  {column.name} {column.type_text.upper()}" for column in info.columns)
    text = f"CREATE TABLE {target.name} (\n{columns})\nUSING delta"
    if table.metadata().partition_columns:
        text += f"\nPARTITIONED BY ({', '.join(table.metadata().partition_columns)})"
    if info.table_type == "EXTERNAL":
        text += f"\nLOCATION '{call.catalog.storage.to_uri(target.folder)}'"
    return call.frame([(text + "\n",)], "createtab_stmt string")


def show_properties(call: Call) -> Any:
    properties = dict(Target(call).open().metadata().configuration)
    wanted = (call.cursor.parenthesised() or "").strip().strip("'\"`")
    rows = [(key, value) for key, value in sorted(properties.items()) if wanted in ("", key)]
    return call.frame(rows, "key string, value string")


def alter_table(call: Call) -> Any | None:
    """ADD COLUMNS and SET TBLPROPERTIES; other forms are the engine's to take or refuse."""
    target = Target(call)
    if call.cursor.take("ADD", "COLUMNS") or call.cursor.take("ADD", "COLUMN"):
        text = call.cursor.parenthesised() or call.cursor.rest()
        parsed = json.loads(StructType.fromDDL(text).json())
        target.open().alter.add_columns(Schema.from_json(json.dumps(parsed)).fields)
        target.columns_changed(call)
        return call.nothing()
    if call.cursor.take("SET", "TBLPROPERTIES"):
        target.open().alter.set_table_properties(_pairs(call.cursor.parenthesised() or ""), raise_if_not_exists=False)
        return call.nothing()
    return None


def comment_on_table(call: Call) -> Any:
    target = Target(call)
    call.cursor.take("IS")
    target.open().alter.set_table_description(call.cursor.value())
    return call.nothing()


def _folder(call: Call, parts: list[str]) -> Path:
    named = call.complete(parts)
    folder = call.catalog.table_folder(*named)
    if folder is None:
        raise AnalysisException(f"[DELTA_TABLE_ONLY_OPERATION] {'.'.join(named)} is a view, not a Delta table.")
    return folder


def _history_row(commit: dict[str, Any]) -> tuple[Any, ...]:
    return (
        int(commit["version"]), _instant(commit.get("timestamp")), commit.get("userId"), commit.get("userName"),
        commit.get("operation"), _texts(commit.get("operationParameters")), None, None, commit.get("clusterId"),
        commit.get("readVersion"), commit.get("isolationLevel"), commit.get("isBlindAppend"),
        _texts(commit.get("operationMetrics")), commit.get("userMetadata"),
        commit.get("engineInfo") or commit.get("clientVersion"),
    )  # fmt: skip


def _texts(mapping: dict[str, Any] | None) -> dict[str, str]:
    """Delta keeps parameters as JSON texts; plain texts stay as they are."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in (mapping or {}).items()}


def _instant(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)


def _pairs(text: str) -> dict[str, str]:
    """`'a' = 'b', c.d = 'e'` as a dictionary."""
    pairs: dict[str, str] = {}
    for entry in text.split(","):
        key, _, value = entry.partition("=")
        pairs["".join(token.value for token in tokens(key))] = "".join(token.value for token in tokens(value))
    return pairs


HANDLERS = {
    ("DESCRIBE", "HISTORY"): history,
    ("DESC", "HISTORY"): history,
    ("DESCRIBE", "DETAIL"): detail,
    ("DESC", "DETAIL"): detail,
    ("OPTIMIZE",): optimize,
    ("VACUUM",): vacuum,
    ("RESTORE",): restore,
    ("SHOW", "CREATE", "TABLE"): show_create_table,
    ("SHOW", "TBLPROPERTIES"): show_properties,
    ("ALTER", "TABLE"): alter_table,
    ("COMMENT", "ON", "TABLE"): comment_on_table,
}
