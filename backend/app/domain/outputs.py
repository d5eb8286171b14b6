"""What a task left behind: the exit value of its notebook, or the error it raised; and the progress it reports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

TRACE_EXCERPT_CHARS = 2_000
MAX_TABLES = 100
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def exit_value(output: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The text given to dbutils.notebook.exit, and whether the workspace cut it."""
    notebook = output.get("notebook_output") or {}
    result = notebook.get("result")
    return (None if result is None else str(result)), bool(notebook.get("truncated"))


def records_and_tables(output: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[Any] | None]:
    """Rows and tables from our notebooks' exit JSON. A notebook not written by us may exit with anything: then None."""
    text, truncated = exit_value(output)
    if text is None or truncated:
        return None, None
    try:
        told = json.loads(text)
    except ValueError:
        return None, None
    if not isinstance(told, dict):
        return None, None
    names = {"in": "rows_in", "out": "rows_out", "quarantined": "rows_quarantined"}
    counts = {short: _count(told.get(name)) for short, name in names.items()}
    tables = told.get("tables")
    known = [table for table in tables if isinstance(table, dict)][:MAX_TABLES] if isinstance(tables, list) else None
    return (counts if any(value is not None for value in counts.values()) else None), known


def task_error(output: Mapping[str, Any], *, code: str | None, message: str | None) -> dict[str, Any] | None:
    """The error a failed task raised, in the words of its last exception line; the trace's end as excerpt."""
    text = plain(output.get("error")) or message
    if text is None:
        return None
    trace = plain(output.get("error_trace"))
    return {"code": code, "message": text, "trace_excerpt": trace[-TRACE_EXCERPT_CHARS:] if trace else None}


def plain(text: Any) -> str | None:
    """The text without terminal colours; None when there is none."""
    return _ANSI.sub("", str(text)) if text else None


def read_progress(content: bytes, *, before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The progress file's content, or `before` where it is torn, foreign, or goes backwards."""
    try:
        told = json.loads(content)
    except ValueError:
        return before
    if not isinstance(told, dict):
        return before
    done, total = _count(told.get("done")), _count(told.get("total"))
    if done is None or total is None or not 0 <= done <= total or total == 0:
        return before
    if before is not None and before["total"] == total and done < before["done"]:
        return before
    step = told.get("step")
    return {"done": done, "total": total, "step": str(step)[:200] if step is not None else None}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
