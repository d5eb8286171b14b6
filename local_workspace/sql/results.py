"""Results of statements, kept as the JSON text that is sent: cut once, copied into answers afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INLINE_BYTES = 25 * 1024 * 1024
CHUNK_BYTES = 4 * 1024 * 1024
_BATCH_ROWS = 500

Row = Sequence[str | None]


class InlineLimitExceeded(ValueError):
    """The result is larger than an INLINE answer may be."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a result; `data_array` is their JSON array."""

    index: int
    row_offset: int
    row_count: int
    data_array: bytes


@dataclass(frozen=True, slots=True)
class CutResult:
    """All chunks of a result; `truncated` when byte_limit left rows out."""

    chunks: list[Chunk]
    truncated: bool

    @property
    def row_count(self) -> int:
        return sum(chunk.row_count for chunk in self.chunks)

    @property
    def byte_count(self) -> int:
        return sum(len(chunk.data_array) for chunk in self.chunks)


def cut(rows: Sequence[Row], *, byte_limit: int | None, inline_bytes: int, chunk_bytes: int) -> CutResult:
    """Cut rows into chunks of about `chunk_bytes`. Raises InlineLimitExceeded beyond `inline_bytes`."""
    chunks: list[Chunk] = []
    pending: list[bytes] = []
    offset = count = size = total = 0
    truncated = False
    for batch_rows, text in _batches(rows, 1 if byte_limit is not None else _BATCH_ROWS):
        if byte_limit is not None and total + len(text) > byte_limit:
            truncated = True
            break
        total, size, count = total + len(text), size + len(text), count + batch_rows
        pending.append(text)
        if total > inline_bytes:
            raise InlineLimitExceeded(inline_bytes)
        if size >= chunk_bytes:
            chunks.append(_chunk(len(chunks), offset, count, pending))
            offset, count, size, pending = offset + count, 0, 0, []
    if pending:
        chunks.append(_chunk(len(chunks), offset, count, pending))
    return CutResult(chunks, truncated)


def _batches(rows: Sequence[Row], batch_rows: int) -> Iterator[tuple[int, bytes]]:
    """Each batch's row count and its rows as JSON without the outer brackets."""
    for start in range(0, len(rows), batch_rows):
        batch = rows[start : start + batch_rows]
        yield len(batch), json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode()[1:-1]


def _chunk(index: int, offset: int, count: int, parts: list[bytes]) -> Chunk:
    return Chunk(index, offset, count, b"[" + b",".join(parts) + b"]")
