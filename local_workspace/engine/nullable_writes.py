"""Columns of a new Delta table written from a DataFrame are nullable, as on Databricks.

The engine would keep NOT NULL wherever it can infer it. Besides being different, that makes MERGE slow beyond use: the
time to plan it doubles with each updated NOT NULL column (measured on Sail 0.7.2).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.sql.connect import proto
from pyspark.sql.types import StructField, StructType

from local_workspace.engine.names import Cursor
from local_workspace.storage import InvalidPath, Storage

SchemaOf = Callable[[Any], StructType]

_NEW_COLUMNS_V2 = {
    proto.WriteOperationV2.MODE_CREATE,
    proto.WriteOperationV2.MODE_REPLACE,
    proto.WriteOperationV2.MODE_CREATE_OR_REPLACE,
}


class NullableWrites:
    """Changes the plans of writes that decide a table's columns; `schema_of` asks the engine for a plan's schema."""

    def __init__(self, storage: Storage, schema_of: SchemaOf) -> None:
        self._storage = storage
        self._schema_of = schema_of

    def rewrite(self, request: Any) -> None:
        """Apply to an ExecutePlanRequest whose paths are local already."""
        command = request.plan.command
        kind = command.WhichOneof("command_type") if request.plan.HasField("command") else None
        if kind == "write_operation" and self._decides_columns(command.write_operation):
            _make_nullable(command.write_operation.input, self._schema_of)
        elif kind == "write_operation_v2" and command.write_operation_v2.mode in _NEW_COLUMNS_V2:
            _make_nullable(command.write_operation_v2.input, self._schema_of)

    def _decides_columns(self, write: Any) -> bool:
        if write.HasField("source") and write.source.lower() != "delta":
            return False
        folder = self._folder(write)
        if folder is None or not (folder / "_delta_log").is_dir():
            return True
        options = {key.lower(): value for key, value in write.options.items()}
        return str(options.get("overwriteschema", "")).lower() == "true"

    def _folder(self, write: Any) -> Path | None:
        """Where the target lies, when that can be told without asking the engine."""
        if write.path or "path" in write.options:
            return Path(write.path or write.options["path"])
        parts = Cursor(write.table.table_name).name()
        try:
            return self._storage.table_path(parts[0], parts[1], parts[2]) if len(parts) == 3 else None
        except InvalidPath:
            return None


def nullable(schema: StructType) -> StructType:
    """The same columns, none of them NOT NULL.

    What lies inside of arrays, maps and structs stays: the engine could not read the table otherwise.
    """
    return StructType([StructField(field.name, field.dataType, True, field.metadata) for field in schema.fields])


def _is_nullable(relation: Any) -> bool:
    """Whether the rows are united with none of a nullable schema already: then the engine need not be asked."""
    right = relation.set_op.right_input
    if not relation.HasField("set_op") or not right.HasField("local_relation") or right.local_relation.HasField("data"):
        return False
    try:
        schema = StructType.fromJson(json.loads(right.local_relation.schema))
    except ValueError:
        return False
    return bool(nullable(schema) == schema)


def _make_nullable(relation: Any, schema_of: SchemaOf) -> None:
    """Unite the rows with none of a nullable schema: what a union may hold is what any side may hold."""
    if _is_nullable(relation):
        return
    schema = schema_of(relation)
    wanted = nullable(schema)
    if wanted == schema:
        return
    union = proto.SetOperation(set_op_type=proto.SetOperation.SET_OP_TYPE_UNION, is_all=True)
    union.left_input.CopyFrom(relation)
    union.right_input.local_relation.schema = wanted.json()
    relation.Clear()
    relation.set_op.CopyFrom(union)
