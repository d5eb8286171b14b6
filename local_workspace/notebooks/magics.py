"""The magics that are no Python: %sh, %fs, %pip, and the words of a %run line."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

from local_workspace.notebooks.errors import NotebookFailed
from local_workspace.notebooks.fs import FileSystem

Write = Callable[[str], None]
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?(\s*(?P<operator>==|>=|~=)\s*(?P<version>[0-9.]+))?")


def shell(script: str, write: Write) -> None:
    """Run a %sh cell with bash; its output appears while it runs. A non-zero exit fails the cell with `-e` only."""
    fail, script = _shell_options(script)
    process = subprocess.Popen(
        ["/bin/bash", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with process:
        for line in process.stdout or ():
            write(line)
    if process.returncode and fail:
        raise NotebookFailed(f"The shell command ended with exit code {process.returncode}.")


def file_system(line: str, fs: FileSystem) -> Any:
    """`%fs ls /Volumes/…` is `dbutils.fs.ls("/Volumes/…")`."""
    words = shlex.split(line)
    if not words or words[0] not in ("ls", "head", "put", "mkdirs", "rm", "cp", "mv"):
        raise NotebookFailed(f"%fs {line.strip()}: write %fs ls | head | put | mkdirs | rm | cp | mv with paths.")
    recurse = {"recurse": True} if "-r" in words or "--recurse" in words else {}
    return getattr(fs, words[0])(*[word for word in words[1:] if word not in ("-r", "--recurse")], **recurse)


def pip(line: str) -> str:
    """Libraries come from the project's lock: a requirement that it meets is fine, any other fails the cell."""
    words = shlex.split(line, comments=True)
    if not words or words[0] != "install":
        raise NotebookFailed(f"%pip {line.strip()}: only %pip install is supported by the local workspace.")
    unmet = [word for word in words[1:] if not word.startswith("-") and not _is_met(word)]
    if unmet:
        raise NotebookFailed(
            f"%pip install {' '.join(unmet)}: not in the local workspace's environment, whose libraries come from the "
            "project's lock file. Add it to requirements.in, or run this notebook on Azure Databricks."
        )
    return "The libraries are installed already; Python was not restarted.\n"


def run_arguments(line: str) -> tuple[str, dict[str, str]]:
    """Path and widget values of `%run ./helpers $name="value" $other="x"`."""
    words = shlex.split(line)
    if not words:
        raise NotebookFailed("%run needs the path of a notebook.")
    pairs = [word.removeprefix("$").partition("=") for word in words[1:]]
    return words[0], {name: value for name, _, value in pairs}


def _shell_options(script: str) -> tuple[bool, str]:
    first, _, rest = script.partition("\n")
    return (True, rest) if first.strip() == "-e" else (False, script)


def _is_met(text: str) -> bool:
    """Whether the installed version fits `name`, `name==1.2`, `name>=1.2` or `name~=1.2`; other forms do not."""
    found = _REQUIREMENT.fullmatch(text)
    if found is None:
        return False
    try:
        installed = _numbers(importlib.metadata.version(found["name"]))
    except importlib.metadata.PackageNotFoundError:
        return False
    wanted = _numbers(found["version"] or "")
    if found["operator"] == "==":
        return installed[: len(wanted)] == wanted
    compatible = found["operator"] != "~=" or installed[: len(wanted) - 1] == wanted[:-1]
    return compatible and installed >= wanted


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
