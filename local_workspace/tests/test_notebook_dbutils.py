"""dbutils without an engine: widgets, files and task values."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_workspace.notebooks.dbutils import MAX_TASK_VALUES, TaskValues
from local_workspace.notebooks.errors import NotebookFailed
from local_workspace.notebooks.fs import FileSystem
from local_workspace.notebooks.magics import pip, run_arguments
from local_workspace.notebooks.substitution import substitute
from local_workspace.notebooks.widgets import InputWidgetNotDefined, Widgets
from local_workspace.storage import PathTraversal, Storage


@pytest.fixture
def fs(tmp_path: Path) -> FileSystem:
    return FileSystem(Storage(tmp_path))


def test_a_parameter_wins_also_over_a_widget_declared_later() -> None:
    widgets = Widgets({"a": "given"})
    assert widgets.get("a") == "given"
    widgets.dropdown("a", "x", ["x", "y"])
    assert (widgets.get("a"), widgets.getAll()) == ("given", {"a": "given"})


def test_a_dropdowns_default_must_be_a_choice() -> None:
    with pytest.raises(ValueError, match="not one of its choices"):
        Widgets({}).dropdown("a", "z", ["x"])


def test_a_removed_widget_is_unknown_again() -> None:
    widgets = Widgets({})
    widgets.text("a", "1")
    widgets.removeAll()
    assert widgets.getArgument("a", "else") == "else"
    with pytest.raises(InputWidgetNotDefined):
        widgets.get("a")


def test_files_are_listed_as_databricks_does(fs: FileSystem) -> None:
    fs.put("/Volumes/c/s/v/a.txt", "hello")
    fs.mkdirs("/Volumes/c/s/v/sub")
    listed = fs.ls("/Volumes/c/s/v")
    assert [(each.path, each.name, each.size, each.isDir()) for each in listed] == [
        ("dbfs:/Volumes/c/s/v/a.txt", "a.txt", 5, False),
        ("dbfs:/Volumes/c/s/v/sub/", "sub/", 0, True),
    ]
    assert fs.head(listed[0].path, 2) == "he"


def test_files_are_copied_moved_and_removed(fs: FileSystem) -> None:
    fs.put("dbfs:/in/a", "1")
    fs.cp("dbfs:/in", "dbfs:/out", True)
    fs.mv("dbfs:/out/a", "/mnt/x/b")
    assert fs.head("/mnt/x/b") == "1"
    with pytest.raises(OSError, match="not empty"):
        fs.rm("dbfs:/in")
    assert fs.rm("dbfs:/in", True)
    assert not fs.rm("dbfs:/in")


def test_files_are_not_overwritten_or_read_outside(fs: FileSystem) -> None:
    fs.put("dbfs:/a", "1")
    with pytest.raises(FileExistsError):
        fs.put("dbfs:/a", "2")
    with pytest.raises(PathTraversal):
        fs.head("dbfs:/../../etc/passwd")
    with pytest.raises(FileNotFoundError):
        fs.ls("dbfs:/none")


def test_task_values_are_limited() -> None:
    values = TaskValues({})
    with pytest.raises(ValueError, match="48 KiB"):
        values.set("a", "x" * 50_000)
    for number in range(MAX_TASK_VALUES):
        values.set(str(number), number)
    with pytest.raises(ValueError, match="more than"):
        values.set("one more", 1)
    with pytest.raises(ValueError, match="not set"):
        values.get("t", "k")


def test_a_run_line_has_a_path_and_values() -> None:
    assert run_arguments('./a b="1"'.replace(" b", " $b")) == ("./a", {"b": "1"})


def test_only_known_references_are_replaced() -> None:
    assert substitute("${a} ${b} $a", {"a": "1"}) == "1 ${b} $a"


@pytest.mark.parametrize("line", ["install pandas", "install -q 'pandas>=2.0' pyarrow", "install pandas~=2.0"])
def test_pip_accepts_what_the_lock_provides(line: str) -> None:
    assert "installed already" in pip(line)


@pytest.mark.parametrize("line", ["install pandas==1.0", "install nope", "install git+https://x/y", "list"])
def test_pip_refuses_anything_else(line: str) -> None:
    with pytest.raises(NotebookFailed):
        pip(line)
