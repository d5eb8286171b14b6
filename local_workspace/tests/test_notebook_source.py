"""The source format: cells, magics and line numbers that stay true."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from local_workspace.notebooks.export import render_html
from local_workspace.notebooks.source import parse

NOTEBOOK = """# Databricks notebook source
# MAGIC %md
# MAGIC # Title

# COMMAND ----------

# DBTITLE 1,Load & check
x = 1

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT 1;
# MAGIC SELECT 2

# COMMAND ----------

# MAGIC %run ./helpers $a="b"

# COMMAND ----------
"""


def test_cells_have_their_language_title_and_first_line() -> None:
    cells = parse(NOTEBOOK, "PYTHON")
    assert [(cell.language, cell.source, cell.line, cell.title) for cell in cells] == [
        ("md", "# Title", 3, None),
        ("python", "x = 1", 8, "Load & check"),
        ("sql", "SELECT 1;\nSELECT 2", 13, None),
        ("run", './helpers $a="b"', 18, None),
    ]


def test_a_magic_may_share_its_line_with_code_and_a_comment_may_precede_it() -> None:
    cells = parse("# Databricks notebook source\n# a remark\n# MAGIC %sh echo 1\n# MAGIC echo 2", "PYTHON")
    assert [(cell.language, cell.source, cell.line) for cell in cells] == [("sh", "echo 1\necho 2", 3)]


def test_sql_notebooks_use_the_comments_of_sql() -> None:
    text = "-- Databricks notebook source\nSELECT 1\n-- COMMAND ----------\n-- MAGIC %python\n-- MAGIC print(1)"
    assert [(cell.language, cell.source) for cell in parse(text, "SQL")] == [
        ("sql", "SELECT 1"),
        ("python", "print(1)"),
    ]


def test_windows_line_ends_are_no_part_of_the_code() -> None:
    cells = parse("# Databricks notebook source\r\nx = 1\r\n# COMMAND ----------\r\ny = 2\r\n", "PYTHON")
    assert [cell.source for cell in cells] == ["x = 1", "y = 2"]


@given(st.lists(st.sampled_from(["x = 1", "", "# COMMAND ----------", "# DBTITLE 1,T", "  y", "# note"])))
def test_every_line_of_code_keeps_its_number(lines: list[str]) -> None:
    text = "\n".join(["# Databricks notebook source", *lines])
    for cell in parse(text, "PYTHON"):
        for offset, line in enumerate(cell.source.split("\n")):
            original = text.split("\n")[cell.line - 1 + offset]
            assert line in (original, "") or original.startswith(line)


def test_an_exported_page_escapes_everything() -> None:
    evil = "<script>alert(1)</script>"
    outputs = [
        {"type": "text", "text": evil},
        {"type": "html", "html": evil},
        {"type": "error", "text": evil},
        {"type": "table", "columns": [evil], "rows": [[evil, None]], "truncated": True},
    ]
    cell = {"title": evil, "language": evil, "status": evil, "source": evil, "outputs": outputs}
    page = render_html([cell | {"started_at_ms": 1, "ended_at_ms": 1500}])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8
    assert "1.50 s" in page
