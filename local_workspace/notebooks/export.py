"""A task's cells as one HTML page: no script, nothing loaded from elsewhere, everything escaped."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
.cell { border-left: 4px solid #888; padding: .25rem 1rem; margin: 1rem 0; }
.success { border-color: #2b8a3e; } .failed { border-color: #c92a2a; } .running { border-color: #1971c2; }
pre { overflow-x: auto; padding: .75rem; background: #8881; border-radius: 4px; white-space: pre-wrap; }
pre.error { border: 1px solid #c92a2a; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8886; padding: .25rem .5rem; text-align: left; }
.meta { color: GrayText; font-size: .875rem; }
"""


def render_html(cells: list[dict[str, Any]]) -> str:
    """The whole page. HTML that a notebook displayed is shown as its source, since it may hold scripts."""
    body = "\n".join(_cell(number, cell) for number, cell in enumerate(cells, start=1))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Notebook run</title><style>{_STYLE}</style></head><body><main>\n<h1>Notebook run</h1>\n"
        f"{body}\n</main></body></html>\n"
    )


def _cell(number: int, cell: dict[str, Any]) -> str:
    status = str(cell.get("status", ""))
    title = f" · {escape(str(cell['title']))}" if cell.get("title") else ""
    meta = f"Cell {number} · {escape(str(cell.get('language', '')))} · {escape(status)}{_took(cell)}{title}"
    outputs = "\n".join(_output(output) for output in cell.get("outputs", []))
    mark = status if status in ("success", "failed", "running") else ""
    return (
        f'<section class="cell {mark}"><p class="meta">{meta}</p>'
        f"<pre><code>{escape(str(cell.get('source', '')))}</code></pre>{outputs}</section>"
    )


def _took(cell: dict[str, Any]) -> str:
    if not cell.get("ended_at_ms"):
        return ""
    return f" · {(int(cell['ended_at_ms']) - int(cell['started_at_ms'])) / 1000:.2f} s"


def _output(output: dict[str, Any]) -> str:
    if output.get("type") == "table":
        return _table(output)
    text = output.get("html") if output.get("type") == "html" else output.get("text")
    mark = ' class="error"' if output.get("type") == "error" else ""
    return f"<pre{mark}>{escape(str(text or ''))}</pre>"


def _table(output: dict[str, Any]) -> str:
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in output.get("columns", []))
    rows = "".join("<tr>" + "".join(_value(value) for value in row) + "</tr>" for row in output.get("rows", []))
    note = f'<p class="meta">The first {len(output["rows"])} rows.</p>' if output.get("truncated") else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"


def _value(value: Any) -> str:
    return "<td><em>null</em></td>" if value is None else f"<td>{escape(str(value))}</td>"
