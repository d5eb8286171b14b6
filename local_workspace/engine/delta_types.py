"""Delta's column types in the words of Unity Catalog and Spark SQL."""

from __future__ import annotations

from typing import Any

_SQL_NAMES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}


def type_text(delta_type: Any) -> str:
    """`bigint`, `decimal(12,2)`, `array<struct<a:int>>`: the text that DESCRIBE TABLE shows."""
    kind = type(delta_type).__name__
    if kind == "PrimitiveType":
        return _SQL_NAMES.get(delta_type.type, str(delta_type.type).replace(" ", ""))
    if kind == "ArrayType":
        return f"array<{type_text(delta_type.element_type)}>"
    if kind == "MapType":
        return f"map<{type_text(delta_type.key_type)},{type_text(delta_type.value_type)}>"
    return "struct<" + ",".join(f"{field.name}:{type_text(field.type)}" for field in delta_type.fields) + ">"


def type_name(text: str) -> str:
    """Unity Catalog's ColumnTypeName of a type text: `LONG` for `bigint`, `DECIMAL` for `decimal(12,2)`."""
    base = text.split("(")[0].split("<")[0]
    names = {"bigint": "LONG", "smallint": "SHORT", "tinyint": "BYTE", "void": "NULL"}
    return names.get(base, base.upper())
