"""Putting a notebook's exception into words: the text of the error, and a trace that points into the notebook."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path
from types import TracebackType

_RUNTIME = str(Path(__file__).resolve().parents[1])
MAX_TRACE_CHARS = 100_000


class NotebookFailed(Exception):
    """A notebook could not be run or a magic failed; its text is meant for the user as it stands."""


def remember_source(filename: str, text: str) -> None:
    """Let traces quote the notebook's lines under its workspace path."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


def error_text(fault: BaseException) -> str:
    """`ValueError: message`."""
    text = str(fault)
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def error_trace(fault: BaseException, files_root: Path) -> str:
    """The traceback without the runtime's own frames; files of the workspace carry their workspace path."""
    _trim(fault)
    text = "".join(traceback.format_exception(fault)).replace(str(files_root), "/Workspace")
    return text if len(text) <= MAX_TRACE_CHARS else "…\n" + text[-MAX_TRACE_CHARS:]


def _trim(fault: BaseException | None) -> None:
    while fault is not None:
        fault.__traceback__ = _user_part(fault.__traceback__)
        fault = fault.__cause__ or fault.__context__


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    """Leave out the runtime's frames at the start, and cut where the user's code entered the runtime again."""
    while trace is not None and _is_runtime(trace):
        trace = trace.tb_next
    position = trace
    while position is not None and position.tb_next is not None:
        if _is_runtime(position.tb_next):
            position.tb_next = None
        position = position.tb_next
    return trace


def _is_runtime(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_RUNTIME)
