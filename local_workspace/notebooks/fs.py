"""`dbutils.fs` on the workspace's storage."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from local_workspace.storage import Storage

_HEAD_BYTES = 65536


@dataclass(frozen=True)
class FileInfo:
    """An entry of a listing; a directory's name and path end with a slash, its size is 0."""

    path: str
    name: str
    size: int
    modificationTime: int

    def isDir(self) -> bool:
        return self.path.endswith("/")

    def isFile(self) -> bool:
        return not self.isDir()


class FileSystem:
    """Every method takes every path form that the workspace knows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def ls(self, path: str) -> list[FileInfo]:
        place = self._existing(path)
        return [self._info(entry) for entry in (sorted(place.iterdir()) if place.is_dir() else [place])]

    def head(self, file: str, max_bytes: int = _HEAD_BYTES) -> str:
        with self._existing(file).open("rb") as stream:
            return stream.read(max_bytes).decode("utf-8", "replace")

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        place = self._storage.resolve(file)
        if place.exists() and not overwrite:
            raise FileExistsError(f"{file} exists already; pass overwrite=True to replace it.")
        place.parent.mkdir(parents=True, exist_ok=True)
        # Whoever reads the file meanwhile (the Files API, a poller) sees the old text or the new, never half of it.
        whole = place.with_name(f".{place.name}.{os.getpid()}.{get_ident()}")
        whole.write_text(contents, encoding="utf-8")
        whole.replace(place)
        return True

    def mkdirs(self, path: str) -> bool:
        self._storage.resolve(path).mkdir(parents=True, exist_ok=True)
        return True

    def rm(self, path: str, recurse: bool = False) -> bool:
        """False when there was nothing."""
        place = self._storage.resolve(path)
        if not place.exists():
            return False
        if not place.is_dir():
            place.unlink()
        elif recurse:
            shutil.rmtree(place)
        elif any(place.iterdir()):
            raise OSError(f"{path} is not empty; pass recurse=True to remove it with its contents.")
        else:
            place.rmdir()
        return True

    def cp(self, source: str, to: str, recurse: bool = False) -> bool:
        place = self._existing(source)
        target = self._target(place, to)
        if not place.is_dir():
            shutil.copy2(place, target)
        elif recurse:
            shutil.copytree(place, target, dirs_exist_ok=True)
        else:
            raise OSError(f"{source} is a directory; pass recurse=True to copy it.")
        return True

    def mv(self, source: str, to: str, recurse: bool = False) -> bool:
        place = self._existing(source)
        if place.is_dir() and not recurse:
            raise OSError(f"{source} is a directory; pass recurse=True to move it.")
        shutil.move(place, self._target(place, to))
        return True

    def mount(self, source: str, mount_point: str, *_args: object, **_options: object) -> bool:
        raise NotImplementedError(
            f"dbutils.fs.mount is not supported by the local workspace: write {source} paths directly, "
            f"or put files into {mount_point}, which is a folder here."
        )

    def mounts(self) -> list[object]:
        return []

    def _existing(self, path: str) -> Path:
        place = self._storage.resolve(path)
        if not place.exists():
            raise FileNotFoundError(f"No such file or directory: {path}")
        return place

    def _target(self, place: Path, to: str) -> Path:
        target = self._storage.resolve(to)
        inside = target / place.name if to.endswith("/") or (target.is_dir() and place.is_file()) else target
        inside.parent.mkdir(parents=True, exist_ok=True)
        return inside

    def _info(self, entry: Path) -> FileInfo:
        found = entry.stat()
        uri = self._storage.to_uri(entry)
        uri = f"dbfs:{uri}" if uri.startswith("/Volumes") else uri
        slash = "/" if entry.is_dir() else ""
        size = 0 if slash else found.st_size
        return FileInfo(uri + slash, entry.name + slash, size, found.st_mtime_ns // 1_000_000)
