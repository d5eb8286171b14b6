"""Runs one notebook: its cells in order, in one namespace, as Databricks does."""

from __future__ import annotations

import ast
import contextlib
import os
import posixpath
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from local_workspace.engine.sql_text import parameter_names, statements
from local_workspace.engine.tasks import TaskOutcome, TaskRequest
from local_workspace.notebooks import magics
from local_workspace.notebooks.dbutils import DBUtils, NotebookExit, TaskValues, WorkflowException
from local_workspace.notebooks.display import displayed, shown
from local_workspace.notebooks.errors import NotebookFailed, error_text, error_trace, remember_source
from local_workspace.notebooks.recording import CellStream, Recording
from local_workspace.notebooks.source import Cell, parse
from local_workspace.notebooks.substitution import substitute
from local_workspace.objects.source import NotebookSource, notebook_source

if TYPE_CHECKING:
    from local_workspace.engine.session import Engine

MAX_RESULT_BYTES = 5 * 1024 * 1024


class AbsentSparkContext:
    """The name `sc`: there is none with Spark Connect, as on serverless compute."""

    def __getattr__(self, name: str) -> Any:
        raise NotebookFailed(
            f"sc.{name}: there is no SparkContext here, as on Databricks serverless compute. Use spark and DataFrames."
        )


@dataclass(frozen=True, slots=True)
class Workbench:
    """What all notebooks of one task share."""

    engine: Engine
    recording: Recording
    task_values: TaskValues


def run_task(engine: Engine, request: TaskRequest) -> TaskOutcome:
    """Run a task's notebook to its end. Never raises for what the notebook does."""
    bench = Workbench(engine, Recording(request.output_dir), TaskValues(request.task_values))
    stream = CellStream(bench.recording)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        try:
            result = Notebook(bench, request).run()
        except BaseException as fault:  # noqa: BLE001  whatever ends a notebook, KeyboardInterrupt and SystemExit too
            return _failed(fault, bench)
    text, truncated = _bounded(bench.recording.redacted(result))
    return TaskOutcome("success", text, truncated, task_values=bench.task_values.own)


class Notebook:
    """One notebook run, with a namespace and widgets of its own."""

    def __init__(self, bench: Workbench, request: TaskRequest, depth: int = 0) -> None:
        self._bench = bench
        self._request = request
        self._depth = depth
        self._source = _find(bench, request.notebook_path)
        storage = bench.engine.catalog.storage
        self._dbutils = DBUtils(request, storage, bench.recording, bench.task_values, self._run_child)
        self._names = self._namespace()
        self._languages: dict[str, Callable[[Cell, NotebookSource], None]] = {
            "python": self._python,
            "sql": self._sql,
            "md": lambda cell, source: None,
            "sh": lambda cell, source: magics.shell(cell.source, self._bench.recording.text),
            "fs": lambda cell, source: self._display(magics.file_system(cell.source, self._dbutils.fs)),
            "pip": lambda cell, source: self._bench.recording.text(magics.pip(cell.source)),
            "run": self._run_magic,
            "restart_python": lambda cell, source: None,
        }

    def run(self) -> str:
        """Run all cells; return the exit value, empty when the notebook simply ends."""
        folder = str(self._source.file.parent)
        sys.path.insert(0, folder)
        os.chdir(folder)
        try:
            self._run_cells(self._source, record=self._depth == 0)
        except NotebookExit as ended:
            return ended.value
        return ""

    def _run_cells(self, source: NotebookSource, *, record: bool) -> None:
        remember_source(source.path, source.source)
        for cell in parse(source.source, source.language):
            with self._recorded(cell) if record else contextlib.nullcontext():
                self._run_cell(cell, source)

    @contextlib.contextmanager
    def _recorded(self, cell: Cell) -> Iterator[None]:
        recording = self._bench.recording
        recording.begin(cell)
        try:
            yield
        except NotebookExit as ended:
            recording.text(f"Notebook exited: {ended.value}\n")
            recording.end("success")
            raise
        except BaseException as fault:
            trace = error_trace(fault, self._bench.engine.catalog.storage.files_root)
            recording.text(recording.redacted(trace), "error")
            recording.end("failed")
            raise
        recording.end("success")

    def _run_cell(self, cell: Cell, source: NotebookSource) -> None:
        run = self._languages.get(cell.language)
        if run is None:
            raise NotebookFailed(f"%{cell.language} cells are not supported by the local workspace; use Python or SQL.")
        run(cell, source)
        self._bench.engine.keep_named_writes()

    def _python(self, cell: Cell, source: NotebookSource) -> None:
        """Execute a cell; an expression at its end is shown."""
        tree = ast.parse("\n" * (cell.line - 1) + cell.source, source.path)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, source.path, "exec"), self._names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), source.path, "eval"), self._names)
            if value is not None:
                self._bench.recording.show(shown(value))

    def _sql(self, cell: Cell, source: NotebookSource) -> None:
        """Execute every statement of a cell; the last result is shown and kept as `_sqldf`."""
        values = self._dbutils.widgets.getAll()
        frame = None
        for statement in statements(substitute(cell.source, values)):
            named = {name: values[name] for name in parameter_names(statement) if name in values}
            frame = self._bench.engine.session.sql(statement, named or None)
        if frame is not None:
            self._names["_sqldf"] = frame
            if frame.columns:
                self._display(frame)

    def _run_magic(self, cell: Cell, source: NotebookSource) -> None:
        """%run: the other notebook's cells in this namespace, their output in this cell."""
        path, values = magics.run_arguments(cell.source)
        self._dbutils.widgets.give(values)
        other = _find(self._bench, _relative(path, source.path))
        self._run_cells(other, record=False)

    def _run_child(self, path: str, timeout_s: float, arguments: dict[str, str]) -> str:
        """dbutils.notebook.run. Raises: WorkflowException."""
        child = replace(self._request, notebook_path=_relative(path, self._source.path), parameters=arguments)
        folder, paths = os.getcwd(), list(sys.path)
        try:
            with _time_limit(timeout_s, path):
                return Notebook(self._bench, child, self._depth + 1).run()
        except Exception as fault:
            raise WorkflowException(f"Notebook {path} failed: {error_text(fault)}") from fault
        finally:
            os.chdir(folder)
            sys.path[:] = paths

    def _display(self, value: Any, *_args: Any, **_options: Any) -> None:
        self._bench.recording.show(displayed(value))

    def _namespace(self) -> dict[str, Any]:
        session = self._bench.engine.session
        return {
            "__name__": "__main__",
            "__builtins__": __builtins__,
            "spark": session,
            "sc": AbsentSparkContext(),
            "dbutils": self._dbutils,
            "display": self._display,
            "displayHTML": lambda html: self._bench.recording.show({"type": "html", "html": str(html)}),
            "sql": session.sql,
            "table": session.table,
            "getArgument": self._dbutils.widgets.getArgument,
        }


@contextlib.contextmanager
def _time_limit(seconds: float, path: str) -> Iterator[None]:
    """0 means none. The alarm reaches the main thread, where notebooks run."""

    def expire(_signal: int, _frame: Any) -> None:
        raise TimeoutError(f"{path} ran longer than {seconds} s")

    if seconds <= 0:
        yield
        return
    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _find(bench: Workbench, path: str) -> NotebookSource:
    try:
        return notebook_source(bench.engine.catalog.storage, path)
    except (FileNotFoundError, ValueError) as fault:
        raise NotebookFailed(str(fault)) from fault


def _relative(path: str, notebook_path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(notebook_path), path))


def _failed(fault: BaseException, bench: Workbench) -> TaskOutcome:
    trace = error_trace(fault, bench.engine.catalog.storage.files_root)
    hide = bench.recording.redacted
    return TaskOutcome(
        "failed",
        error=hide(error_text(fault)),
        error_trace=hide(trace),
        task_values=bench.task_values.own,
    )


def _bounded(text: str) -> tuple[str, bool]:
    encoded = text.encode()
    if len(encoded) <= MAX_RESULT_BYTES:
        return text, False
    return encoded[:MAX_RESULT_BYTES].decode("utf-8", "ignore"), True
