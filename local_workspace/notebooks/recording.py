"""What the cells of a task did, written down while it happens.

`cells.jsonl` holds one line per cell that has begun. The line of the running cell is the last one and is written anew
as its output grows, so that a reader sees a task live; a reader must expect that line to be torn.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_workspace.notebooks.source import Cell

MAX_TEXT_BYTES = 1024 * 1024
_FLUSH_EVERY_S = 0.2
_CUT = "\n… output cut here: a cell keeps its first 1 MB"

Output = dict[str, Any]


class Recording:
    """Records one task. Cells are begun and ended in order; outputs belong to the cell that runs."""

    def __init__(self, output_dir: Path) -> None:
        output_dir.mkdir(parents=True, exist_ok=True)
        self._file = (output_dir / "cells.jsonl").open("wb", buffering=0)
        self.stdout_path = output_dir / "stdout.txt"
        self._stdout = self.stdout_path.open("ab", buffering=0)
        self._lock = threading.RLock()
        self._written = 0
        self._cell: dict[str, Any] | None = None
        self._bytes = 0
        self._secrets: set[str] = set()
        self._grown = threading.Event()
        threading.Thread(target=self._flush_as_it_grows, daemon=True).start()

    def begin(self, cell: Cell) -> None:
        with self._lock:
            self._bytes = 0
            self._cell = {
                "index": cell.index, "title": cell.title, "language": cell.language, "line": cell.line,
                "source": cell.source, "status": "running", "started_at_ms": _now_ms(), "ended_at_ms": None,
                "outputs": [],
            }  # fmt: skip
            self._flush()

    def end(self, status: str) -> None:
        """Close the running cell as `success` or `failed`."""
        with self._lock:
            if self._cell is None:
                return
            self._cell |= {"status": status, "ended_at_ms": _now_ms()}
            self._written += self._flush()
            self._cell = None

    def text(self, text: str, kind: str = "text") -> None:
        """Append to what the running cell printed."""
        with self._lock:
            text = self.redacted(text)
            self._stdout.write(text.encode("utf-8", "replace"))
            room = MAX_TEXT_BYTES - self._bytes
            if self._cell is None or room <= 0:
                return
            self._bytes += len(text)
            if len(text) > room:
                text = text[:room] + _CUT
            outputs = self._cell["outputs"]
            if outputs and outputs[-1]["type"] == kind:
                outputs[-1]["text"] += text
            else:
                outputs.append({"type": kind, "text": text})
            self._grown.set()

    def show(self, output: Output) -> None:
        """Add a table, HTML or an error to the running cell."""
        with self._lock:
            if self._cell is not None:
                self._cell["outputs"].append(output)
                self._flush()

    def hide(self, secrets: Iterable[str]) -> None:
        """Print [REDACTED] in place of these values from now on."""
        self._secrets.update(value for value in secrets if value)

    def redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[REDACTED]")
        return text

    def _flush(self) -> int:
        line = json.dumps(self._cell, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"
        self._file.seek(self._written)
        self._file.write(line)
        self._file.truncate()
        return len(line)

    def _flush_as_it_grows(self) -> None:
        while True:
            self._grown.wait()
            time.sleep(_FLUSH_EVERY_S)
            self._grown.clear()
            with self._lock:
                if self._cell is not None:
                    self._flush()


class CellStream(io.TextIOBase):
    """`sys.stdout` and `sys.stderr` of user code."""

    encoding = "utf-8"

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._recording.text(str(text))
        return len(text)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
