"""Named parameters of the SQL Statement Execution API as values for `spark.sql(…, args=)`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_READERS: dict[str, Callable[[str], Any]] = {
    "STRING": str,
    "INT": int,
    "INTEGER": int,
    "BIGINT": int,
    "LONG": int,
    "SMALLINT": int,
    "SHORT": int,
    "TINYINT": int,
    "BYTE": int,
    "FLOAT": float,
    "DOUBLE": float,
    "DECIMAL": Decimal,
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
    "TIMESTAMP_NTZ": datetime.fromisoformat,
    "BINARY": base64.b64decode,
    "BOOLEAN": lambda text: {"true": True, "false": False}[text.lower()],
}


def bound_values(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """`[{"name", "value", "type"}]` as a dictionary; a missing value is NULL, a missing type is STRING.

    Raises: ValueError naming the parameter whose value does not fit its type.
    """
    return {parameter["name"]: _bound(parameter) for parameter in parameters}


def _bound(parameter: dict[str, Any]) -> Any:
    value = parameter.get("value")
    if value is None:
        return None
    kind = str(parameter.get("type") or "STRING").upper().split("(")[0].strip()
    if kind not in _READERS:
        raise ValueError(f"Parameter {parameter['name']!r}: type {kind} is not supported.")
    try:
        return _READERS[kind](str(value))
    except (ValueError, KeyError, ArithmeticError) as fault:
        raise ValueError(f"Parameter {parameter['name']!r}: {value!r} is not a {kind}.") from fault
