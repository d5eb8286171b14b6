"""What `display` shows and what the last expression of a cell leaves: tables, HTML or text, all bounded."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.sql.connect.dataframe import DataFrame

from local_workspace.engine.sql_values import as_texts, text_rows
from local_workspace.notebooks.recording import Output

MAX_ROWS = 1000
MAX_BYTES = 1024 * 1024


def displayed(value: Any) -> Output:
    """The output of `display(value)`."""
    if isinstance(value, DataFrame):
        return _table(value.limit(MAX_ROWS + 1).toArrow())
    if isinstance(value, pd.DataFrame):
        return _table(pa.Table.from_pandas(value.head(MAX_ROWS + 1), preserve_index=False))
    if isinstance(value, list) and value and hasattr(value[0], "__dataclass_fields__"):
        names = list(value[0].__dataclass_fields__)
        rows: list[list[str | None]] = [[_cut(getattr(each, name)) for name in names] for each in value[:MAX_ROWS]]
        return _bounded(names, rows, len(value) > MAX_ROWS)
    return shown(value)


def shown(value: Any) -> Output:
    """The output of an expression at the end of a cell."""
    if isinstance(value, pd.DataFrame):
        return displayed(value)
    html = getattr(value, "_repr_html_", None)
    if callable(html) and not isinstance(value, DataFrame):
        return {"type": "html", "html": str(html())[:MAX_BYTES]}
    return {"type": "text", "text": repr(value)[:MAX_BYTES] + "\n"}


def _table(table: pa.Table) -> Output:
    names = [str(name) for name in table.column_names]
    return _bounded(names, text_rows(as_texts(table.slice(0, MAX_ROWS))), table.num_rows > MAX_ROWS)


def _bounded(columns: list[str], rows: list[list[str | None]], truncated: bool) -> Output:
    size = 0
    for index, row in enumerate(rows):
        size += sum(len(value or "") for value in row)
        if size > MAX_BYTES:
            rows, truncated = rows[:index], True
            break
    return {"type": "table", "columns": columns, "rows": rows, "truncated": truncated}


def _cut(value: Any) -> str:
    return str(value)[:10_000]
