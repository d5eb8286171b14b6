"""How results of statements are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local_workspace.sql.results import InlineLimitExceeded, cut

ROWS = st.lists(st.lists(st.none() | st.text(max_size=20), min_size=2, max_size=2), max_size=1500)


@given(rows=ROWS, chunk_bytes=st.integers(1, 5000))
@example(rows=[["a", None]] * 1200, chunk_bytes=1)
def test_the_chunks_of_a_result_put_together_are_the_result(rows: list[list[str | None]], chunk_bytes: int) -> None:
    result = cut(rows, byte_limit=None, inline_bytes=10**9, chunk_bytes=chunk_bytes)
    assert [row for chunk in result.chunks for row in json.loads(chunk.data_array)] == rows
    offsets = [chunk.row_offset for chunk in result.chunks]
    assert offsets == [sum(chunk.row_count for chunk in result.chunks[:index]) for index in range(len(offsets))]
    assert result.row_count == len(rows)
    assert not result.truncated


@given(rows=ROWS, limit=st.integers(1, 3000))
def test_a_byte_limit_keeps_whole_rows_from_the_start(rows: list[list[str | None]], limit: int) -> None:
    result = cut(rows, byte_limit=limit, inline_bytes=10**9, chunk_bytes=1000)
    kept = [row for chunk in result.chunks for row in json.loads(chunk.data_array)]
    assert kept == rows[: len(kept)]
    assert result.truncated == (len(kept) < len(rows))
    assert sum(len(json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()) for row in kept) <= limit


def test_a_result_beyond_the_inline_limit_is_refused() -> None:
    with pytest.raises(InlineLimitExceeded):
        cut([["x" * 100]] * 11, byte_limit=None, inline_bytes=1000, chunk_bytes=500)
