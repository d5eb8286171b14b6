"""Columns of an Arrow table as the texts of Databricks' JSON_ARRAY format, a column at a time."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def as_texts(table: pa.Table) -> pa.Table:
    """The same table with every column a string column; null stays null.

    Timestamps are ISO 8601 with milliseconds, in UTC with a Z; arrays, maps and structs are JSON; binary is base64.
    """
    return pa.table(
        [_text_column(column) for column in table.columns], names=[str(i) for i in range(table.num_columns)]
    )


def text_rows(texts: pa.Table) -> list[list[str | None]]:
    """Rows of a table that `as_texts` made."""
    if texts.num_columns == 0:
        return [[] for _ in range(texts.num_rows)]
    return [list(row) for row in zip(*(column.to_pylist() for column in texts.columns), strict=True)]


def java_double(value: float) -> str:
    """A double as the JVM writes it: 1.0, 1.0E10, 1.0E-5, NaN, Infinity."""
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return repr(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{rest}E{int(exponent) + len(digits) - 1}"


def _text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_timestamp(kind):
        milliseconds = column.cast(pa.timestamp("us")).cast(pa.timestamp("ms"), safe=False)
        iso = pc.replace_substring(milliseconds.cast(pa.string()), " ", "T", max_replacements=1)
        return pc.binary_join_element_wise(iso, "Z", "") if kind.tz else iso
    if pa.types.is_float64(kind):
        return _mapped(column, java_double)
    if pa.types.is_floating(kind):
        return _mapped(column, lambda value: java_double(float(f"{value:.8g}")))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _mapped(column, lambda value: base64.b64encode(value).decode())
    if pa.types.is_list(kind) and (pa.types.is_integer(kind.value_type) or pa.types.is_boolean(kind.value_type)):
        return pa.chunked_array([_plain_lists(chunk) for chunk in column.chunks], pa.string())
    if pa.types.is_nested(kind):
        return _mapped(column, lambda value: json.dumps(_jsonable(value), ensure_ascii=False, separators=(",", ":")))
    if pa.types.is_duration(kind):
        return _mapped(column, str)
    return column.cast(pa.string())


def _plain_lists(lists: pa.Array) -> pa.Array:
    """Lists of numbers or booleans, whose JSON needs no quoting."""
    texts = pc.fill_null(pc.cast(lists, pa.list_(pa.string())).flatten(), "null")
    lengths = pc.list_value_length(lists)
    ends = pc.cumulative_sum(pc.fill_null(lengths, 0)).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ",")
    bracketed = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(pc.is_valid(lists), bracketed, pa.scalar(None, pa.string()))


def _mapped(column: pa.ChunkedArray, text: Callable[[Any], str]) -> pa.ChunkedArray:
    values = [None if value is None else text(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.string())])


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(each, tuple) and len(each) == 2 for each in value):  # Arrow's maps
            return {str(key): _jsonable(each) for key, each in value}
        return [_jsonable(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date | Decimal):
        return value.isoformat() if isinstance(value, date) else str(value)
    return value
