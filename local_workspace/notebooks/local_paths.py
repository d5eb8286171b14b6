"""Python's own file functions on `/Volumes/…`, `/dbfs/…` and `/Workspace/…`, as on a Databricks driver.

On Databricks these are mounted; here the functions of `os` and `open` are wrapped once in each worker process, before
user code runs. Everything in Python that goes through them works: pathlib, shutil, glob, csv, json, pandas' readers.
Libraries that open files themselves in C (pyarrow.parquet, deltalake) do not see these prefixes.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import sys
from collections.abc import Callable
from importlib import machinery
from typing import Any

from local_workspace.storage import Storage

_PREFIXES = ("/Volumes/", "/dbfs/", "/Workspace/")
_ONE_PATH = (
    "access", "chdir", "chmod", "listdir", "lstat", "mkdir", "open", "readlink", "remove", "rmdir", "scandir", "stat",
    "statvfs", "truncate", "unlink", "utime",
)  # fmt: skip
_TWO_PATHS = ("link", "rename", "replace", "symlink")


def install(storage: Storage) -> None:
    """Wrap the functions for the rest of this process's life."""

    def local(path: Any) -> Any:
        text = os.fspath(path) if isinstance(path, os.PathLike) else path
        if isinstance(text, str) and (text.startswith(_PREFIXES) or text + "/" in _PREFIXES):
            return str(storage.resolve(text))
        return path

    for name in _ONE_PATH:
        setattr(os, name, _wrapped(getattr(os, name), local, 1))
    for name in _TWO_PATHS:
        setattr(os, name, _wrapped(getattr(os, name), local, 2))
    builtins.open = io.open = _wrapped(io.open, local, 1)
    sys.path_hooks.insert(0, _import_hook(local))


def _import_hook(local: Callable[[Any], Any]) -> Callable[[str], Any]:
    """`sys.path.append("/Workspace/…")` finds modules, though the import system asks the operating system itself."""
    finders = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (machinery.SourceFileLoader, machinery.SOURCE_SUFFIXES),
    )

    def hook(path: str) -> Any:
        mapped = local(path)
        if mapped == path:
            raise ImportError(path)
        return finders(mapped)

    return hook


def _wrapped(function: Callable[..., Any], local: Callable[[Any], Any], paths: int) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        mapped = [local(value) for value in args[:paths]]
        for key in ("path", "src", "dst", "file"):
            if key in named:
                named[key] = local(named[key])
        return function(*mapped, *args[paths:], **named)

    return call
