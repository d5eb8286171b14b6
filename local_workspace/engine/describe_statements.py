"""DESCRIBE TABLE and SHOW COLUMNS: the engine answers them with no rows for tables that it was told by location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_workspace.engine.catalog import CatalogError, TableInfo
from local_workspace.engine.names import quoted

if TYPE_CHECKING:
    from local_workspace.engine.statements import Call

_OTHERS = ("QUERY", "SCHEMA", "DATABASE", "NAMESPACE", "CATALOG", "FUNCTION", "VOLUME", "SELECT", "WITH", "VALUES")
_DESCRIBED = "col_name string, data_type string, comment string"


def describe_table(call: Call) -> Any | None:
    """DESCRIBE [TABLE] [EXTENDED | FORMATTED] name, of tables, views and temporary views."""
    if call.cursor.current is None or call.cursor.current.upper in _OTHERS:
        return None
    call.cursor.take("TABLE")
    extended = call.cursor.take_any("EXTENDED", "FORMATTED") is not None
    parts = call.cursor.name()
    if not call.cursor.at_end:
        return None
    rows: list[tuple[str, str, str | None]] = list(_columns(call, parts))
    info = _known(call, parts)
    if info is not None:
        rows += _partitions(info, rows)
        rows += _details(info) if extended else []
    return call.frame(rows, _DESCRIBED)


def show_columns(call: Call) -> Any:
    call.cursor.take_any("IN", "FROM")
    parts = call.cursor.name()
    if call.cursor.take_any("IN", "FROM"):
        parts = [*call.cursor.name(), *parts]
    return call.frame([(name,) for name, _, _ in _columns(call, parts)], "col_name string")


def _columns(call: Call, parts: list[str]) -> list[tuple[str, str, str | None]]:
    fields = call.engine.session.table(quoted(*parts)).schema.fields
    return [(field.name, field.dataType.simpleString(), field.metadata.get("comment")) for field in fields]


def _known(call: Call, parts: list[str]) -> TableInfo | None:
    try:
        return call.catalog.get_table(*call.complete(parts))
    except CatalogError:
        return None


def _partitions(info: TableInfo, columns: list[tuple[str, str, str | None]]) -> list[tuple[str, str, str | None]]:
    if not info.partition_columns:
        return []
    return [
        ("# Partition Information", "", ""),
        ("# col_name", "data_type", "comment"),
        *(column for column in columns if column[0] in info.partition_columns),
    ]


def _details(info: TableInfo) -> list[tuple[str, str, str | None]]:
    facts = {
        "Catalog": info.catalog_name,
        "Database": info.schema_name,
        "Table": info.name,
        "Type": info.table_type,
        "Comment": info.comment,
        "Location": info.storage_location,
        "Provider": (info.data_source_format or "").lower(),
        "View Text": info.view_definition,
        "Table Properties": f"[{','.join(f'{key}={value}' for key, value in sorted(info.properties.items()))}]",
    }
    return [
        ("", "", ""),
        ("# Detailed Table Information", "", ""),
        *((name, value, "") for name, value in facts.items() if value),
    ]


HANDLERS = {
    ("DESCRIBE",): describe_table,
    ("DESC",): describe_table,
    ("SHOW", "COLUMNS"): show_columns,
}
