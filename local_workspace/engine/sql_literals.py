"""Parameters of a statement written into it as SQL literals, for a server that does not bind them itself.

Apache Spark 4.1 calls each named parameter of a client of 4.2 unbound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from local_workspace.engine.names import literal
from local_workspace.engine.sql_text import replace_parameters

_EPOCH = date(1970, 1, 1)
_TEXTS: dict[str, Callable[[Any], str]] = {
    "null": lambda _type: "NULL",
    "boolean": lambda value: "TRUE" if value else "FALSE",
    "integer": str,
    "long": lambda value: f"{value}L",
    "double": lambda value: f"CAST({literal(repr(value))} AS DOUBLE)",
    "decimal": lambda value: f"{value.value}BD",
    "string": literal,
    "date": lambda days: f"DATE {literal((_EPOCH + timedelta(days=days)).isoformat())}",
    "timestamp": lambda micros: f"timestamp_micros({micros}L)",
    "binary": lambda value: f"X'{value.hex()}'",
}


def write_in(sql: str, arguments: Mapping[str, Any]) -> str | None:
    """The statement with the `:name` of each argument (an Expression of Spark Connect) replaced by its value.

    None when an argument is no plain value: such a statement is left to the server.
    """
    texts: dict[str, str] = {}
    for name, argument in arguments.items():
        kind = argument.literal.WhichOneof("literal_type") if argument.HasField("literal") else None
        if kind not in _TEXTS:
            return None
        texts[name] = _TEXTS[kind](getattr(argument.literal, kind))
    return replace_parameters(sql, texts)
