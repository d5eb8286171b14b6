"""How notebooks lie on disk: under their workspace path, no extension added, the first line naming the language.

Nothing here needs the server or its database, so a worker process finds a notebook the same way the API does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local_workspace.storage import InvalidPath, Storage

HEADERS = {
    "PYTHON": "# Databricks notebook source",
    "SQL": "-- Databricks notebook source",
    "SCALA": "// Databricks notebook source",
    "R": "# Databricks notebook source",
}
EXTENSIONS = {".py": "PYTHON", ".sql": "SQL", ".scala": "SCALA", ".r": "R"}
FILE_TYPES = {"PYTHON": "py", "SQL": "sql", "SCALA": "scala", "R": "r"}


class BadWorkspacePath(ValueError):
    """The text names no place in the workspace."""


@dataclass(frozen=True, slots=True)
class NotebookSource:
    """A notebook as the runtime needs it; the source still has its first line, so that line numbers stay true."""

    path: str
    language: str
    source: str
    file: Path


def canonical(path: str) -> str:
    """`/Workspace/X` and `/X` are the same object: `/X`, without a trailing slash. The root is `/`."""
    if not path.startswith("/"):
        raise BadWorkspacePath(f"Path ({path}) must be absolute: it has to start with '/'.")
    parts = [part for part in path.split("/") if part]
    if "\0" in path or any(part in (".", "..") for part in parts):
        raise BadWorkspacePath(f"Path ({path!r}) must not contain relative parts.")
    if parts and parts[0] == "Workspace":
        parts = parts[1:]
    return "/" + "/".join(parts)


def disk_path(storage: Storage, path: str) -> Path:
    """Where the object of this workspace path lies, whether it exists or not."""
    try:
        return storage.workspace_file(canonical(path))
    except InvalidPath as fault:
        raise BadWorkspacePath(f"Path ({path!r}) leaves the workspace.") from fault


def header_language(content: bytes) -> str | None:
    """The language that the first line names, or None: then it is no notebook. R shares Python's comment sign."""
    first_line = content[:64].split(b"\n", 1)[0].rstrip(b"\r").decode("utf-8", "replace").lstrip("\ufeff").rstrip()
    return next((language for language, header in HEADERS.items() if first_line == header), None)


def file_language(file: Path) -> str | None:
    """`header_language` of a file, reading only its beginning."""
    with file.open("rb") as stream:
        return header_language(stream.read(64))


def notebook_source(storage: Storage, path: str) -> NotebookSource:
    """The notebook of a workspace path. `/x/nb`, `/Workspace/x/nb` and, where only that exists, `/x/nb.py` find it.

    Raises: FileNotFoundError when there is none, ValueError when the object is no notebook.
    """
    file = _existing_notebook(disk_path(storage, path))
    if file is None:
        raise FileNotFoundError(f"Notebook not found: {canonical(path)}")
    content = file.read_bytes()
    language = header_language(content)
    if language is None:
        raise ValueError(f"{canonical(path)} is a file, not a notebook: its first line is not a notebook header.")
    return NotebookSource(canonical(path), language, content.decode("utf-8"), file)


def _existing_notebook(file: Path) -> Path | None:
    candidates = [file, *(file.with_name(file.name + extension) for extension in EXTENSIONS)]
    return next((candidate for candidate in candidates if candidate.is_file()), None)
