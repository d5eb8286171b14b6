"""Workspace objects: notebooks, files and directories as plain files, with ids in the store.

The disk is the truth. An object that a notebook or a person put there gets its record when it is first seen.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from local_workspace.api.http import ApiError, invalid, missing, unsupported
from local_workspace.clock import Clock
from local_workspace.objects import records
from local_workspace.objects.incoming import Incoming, classify
from local_workspace.objects.source import EXTENSIONS, FILE_TYPES, BadWorkspacePath, canonical, disk_path, file_language
from local_workspace.objects.staging import staged
from local_workspace.storage import Storage


@dataclass(frozen=True, slots=True)
class WorkspaceObject:
    """One object as get-status and list show it. `modified_at_ms` is the file's own time, so every edit moves it."""

    path: str
    object_id: int
    object_type: str
    language: str | None
    created_at_ms: int
    modified_at_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Exported:
    """The bytes of a notebook or file and the extension that says what they are."""

    content: bytes
    file_type: str
    name: str


class WorkspaceObjects:
    """The workspace tree. Methods block for short file work; API handlers call them in a thread."""

    def __init__(self, storage: Storage, engine: sa.Engine, clock: Clock) -> None:
        self._storage = storage
        self._engine = engine
        self._clock = clock
        self._changing = threading.Lock()
        self._root = disk_path(storage, "/")
        self._scratch = storage.root / "uploads"
        shutil.rmtree(self._scratch, ignore_errors=True)  # parts of uploads that a killed server left
        records.metadata.create_all(engine)
        for folder in ("Shared", "Users"):
            (self._root / folder).mkdir(parents=True, exist_ok=True)

    def status(self, path: str) -> WorkspaceObject:
        """The object of a path. Raises ApiError 404 when there is none."""
        path = _checked(path)
        return self._described([(path, self._existing(path))])[0]

    def children(self, path: str) -> list[WorkspaceObject]:
        """What lies directly in a directory, by name; a notebook or file lists itself."""
        path = _checked(path)
        location = self._existing(path)
        if not location.is_dir():
            return self._described([(path, location)])
        entries = sorted(location.iterdir(), key=lambda entry: entry.name)
        return self._described([(f"{path.rstrip('/')}/{entry.name}", entry) for entry in entries])

    def mkdirs(self, path: str) -> None:
        """Make a directory with its parents; one that exists is fine."""
        try:
            self._location(_checked(path)).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as fault:
            raise ApiError(
                400, "RESOURCE_ALREADY_EXISTS", f"Path ({path}) or a parent of it is not a directory."
            ) from fault

    def put(
        self, path: str, content: bytes, import_format: str, language: str | None, overwrite: bool
    ) -> WorkspaceObject:
        """Import a body; see `classify` for what it becomes. The file is replaced in one step."""
        incoming = classify(_checked(path), content, import_format, language)
        with self._changing:
            target = self._location(incoming.path)
            self._check_place(incoming, target, import_format, overwrite)
            with staged(target, self._scratch, overwrite=True) as file:
                file.write(incoming.content)
            with self._engine.begin() as db:
                records.put(db, incoming.path, incoming.object_type, self._clock.now_ms())
        return self.status(incoming.path)

    def export(self, path: str, export_format: str) -> Exported:
        """The bytes of a notebook or file, as they were imported."""
        found = self.status(path)
        if found.object_type == "DIRECTORY":
            raise invalid(f"Path ({path}) is a directory; export its notebooks and files one by one.")
        if export_format not in ("SOURCE", "AUTO", "RAW"):
            raise unsupported(f"Exporting the format {export_format}")
        location = self._existing(found.path)
        file_type = FILE_TYPES[found.language] if found.language else location.suffix.lstrip(".")
        return Exported(location.read_bytes(), file_type, location.name)

    def delete(self, path: str, recursive: bool) -> None:
        """Delete an object. A directory that is not empty needs `recursive`."""
        path = _checked(path)
        with self._changing:
            location = self._existing(path)
            if path == "/":
                raise invalid("The root of the workspace cannot be deleted.")
            if location.is_dir() and not recursive and any(location.iterdir()):
                raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")
            shutil.rmtree(location) if location.is_dir() else location.unlink()
            with self._engine.begin() as db:
                records.remove_tree(db, path)

    def _location(self, path: str) -> Path:
        try:
            return disk_path(self._storage, path)
        except BadWorkspacePath as fault:
            raise invalid(str(fault)) from fault

    def _existing(self, path: str) -> Path:
        location = self._location(path)
        if not location.exists():
            raise missing(f"Path ({path}) doesn't exist.")
        return location

    def _check_place(self, incoming: Incoming, target: Path, import_format: str, overwrite: bool) -> None:
        """The parent must exist; an object in the way must be of the same type and be meant to be overwritten."""
        if not target.parent.is_dir():
            parent = incoming.path.rsplit("/", 1)[0] or "/"
            raise missing(f"The parent folder ({parent}) does not exist.")
        if not target.exists():
            return
        if not overwrite:
            # AUTO answers like the files endpoint, which `databricks bundle` reads as "the lock is held".
            status = 409 if import_format == "AUTO" else 400
            raise ApiError(status, "RESOURCE_ALREADY_EXISTS", f"{incoming.path} already exists. Please pass overwrite.")
        actual = self.status(incoming.path).object_type
        if actual != incoming.object_type:
            raise invalid(
                f"Cannot overwrite the asset at {incoming.path} due to type mismatch "
                f"(asked: {incoming.object_type}, actual: {actual})"
            )

    def _described(self, entries: list[tuple[str, Path]]) -> list[WorkspaceObject]:
        with self._engine.begin() as db:
            known = records.find(db, [path for path, _ in entries])
            return [self._describe(db, path, location, known.get(path)) for path, location in entries]

    def _describe(
        self, db: sa.Connection, path: str, location: Path, record: records.ObjectRecord | None
    ) -> WorkspaceObject:
        seen = location.stat()
        language = None if location.is_dir() else file_language(location)
        object_type = _object_type(location, language, record)
        if record is None or record.object_type != object_type:
            record = records.put(db, path, object_type, int(seen.st_mtime * 1000))
        return WorkspaceObject(
            path,
            record.object_id,
            object_type,
            language if object_type == "NOTEBOOK" else None,
            record.created_at_ms,
            int(seen.st_mtime * 1000),
            seen.st_size,
        )


def _checked(path: str) -> str:
    try:
        return canonical(path)
    except BadWorkspacePath as fault:
        raise invalid(str(fault)) from fault


def _object_type(location: Path, language: str | None, record: records.ObjectRecord | None) -> str:
    """The type on disk wins; the record decides only what the disk leaves open: whether a source file is a notebook."""
    if location.is_dir():
        return "DIRECTORY"
    if language is None:
        return "FILE"
    if record is not None and record.object_type in ("NOTEBOOK", "FILE"):
        return record.object_type
    return "FILE" if location.suffix.lower() in EXTENSIONS else "NOTEBOOK"
