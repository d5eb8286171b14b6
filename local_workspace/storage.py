"""Where every path form of the workspace lies on disk.

One rule for REST calls, Spark plans and Python's own `open`: a Databricks path becomes a folder below the data
directory, and nothing outside of it can be named. The layout is drawn in docs/architecture.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

_ABFSS = re.compile(
    r"abfss?://(?P<container>[a-z0-9$][a-z0-9-]{0,62})@(?P<account>[a-z0-9-]{1,63})\.dfs\.core\.windows\.net"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_MAX_DECODINGS = 5


class InvalidPath(ValueError):
    """A path that the workspace cannot serve."""


class PathTraversal(InvalidPath):
    """A path that leaves its root: `..`, a link to the outside, a NUL byte, or one of them in disguise."""


class UnsupportedPath(InvalidPath):
    """A relative path, or a scheme that no storage of the workspace stands behind."""


class Storage:
    """The folders of one data directory. `root` is its `workspace` folder; it is created when missing."""

    def __init__(self, data_dir: Path | str) -> None:
        self.data_dir = Path(data_dir).resolve()
        self.root = self.data_dir / "workspace"
        self.root.mkdir(parents=True, exist_ok=True)
        self.volumes_root = self.root / "volumes"
        self.dbfs_root = self.root / "dbfs"
        self.abfss_root = self.root / "abfss"
        self.files_root = self.root / "files" / "Workspace"
        self.tables_root = self.root / "tables"
        self.runs_root = self.root / "runs"

    def resolve(self, uri: str) -> Path:
        """The local path of any path form; it need not exist.

        `/Volumes/c/s/v/…`, `dbfs:/…`, `/dbfs/…`, `/mnt/…`, `abfss://…`, `/Workspace/…`; `file:/…` and local paths only
        inside the data directory; any other absolute path means `dbfs:/…`, as it does on Databricks.
        Raises: PathTraversal, UnsupportedPath.
        """
        _refuse_disguises(uri)
        base, rest = self._locate(uri)
        return self._inside(base, rest)

    def volume_path(self, catalog: str, schema: str, volume: str) -> Path:
        return self._inside(self.volumes_root, "/".join(_name(part) for part in (catalog, schema, volume)))

    def table_path(self, catalog: str, schema: str, table: str) -> Path:
        return self._inside(self.tables_root, "/".join(_name(part) for part in (catalog, schema, table)))

    def schema_path(self, catalog: str, schema: str) -> Path:
        return self._inside(self.tables_root, "/".join(_name(part) for part in (catalog, schema)))

    def workspace_file(self, path: str) -> Path:
        """The file or folder of a workspace object; `/X` and `/Workspace/X` are the same object."""
        _refuse_disguises(path)
        if not path.startswith("/"):
            raise UnsupportedPath(f"{path!r} is not an absolute workspace path.")
        return self._inside(self.files_root, _after(path, "/Workspace") if _below(path, "/Workspace") else path)

    def run_dir(self, task_run_id: int) -> Path:
        """Where a task attempt keeps its cells and its output."""
        return self.runs_root / str(task_run_id)

    def to_uri(self, path: Path | str) -> str:
        """The Databricks form of a local path: the inverse of `resolve`."""
        local = str(path)
        for root, prefix in (
            (self.volumes_root, "/Volumes"),
            (self.dbfs_root, "dbfs:"),
            (self.files_root, "/Workspace"),
        ):
            if _below(local, str(root)):
                return prefix + (_after(local, str(root)) or "/")
        if _below(local, str(self.abfss_root)):
            account, _, rest = _after(local, str(self.abfss_root)).strip("/").partition("/")
            container, _, tail = rest.partition("/")
            return f"abfss://{container}@{account}.dfs.core.windows.net/{tail}"
        return f"file:{local}"

    def _locate(self, uri: str) -> tuple[Path, str]:
        found = _ABFSS.match(uri)
        if found:
            return self.abfss_root / found["account"] / found["container"], uri[found.end() :]
        if uri.startswith("dbfs:/"):
            return self._locate_dbfs("/" + uri.removeprefix("dbfs:").lstrip("/"))
        if uri.startswith("file:/"):
            return self._locate_local("/" + uri.removeprefix("file:").lstrip("/"))
        if _SCHEME.match(uri) or not uri.startswith("/"):
            raise UnsupportedPath(f"The local workspace has no storage for {uri!r}.")
        path = re.sub("/+", "/", uri)
        if _below(path, "/dbfs"):
            return self._locate_dbfs(_after(path, "/dbfs"))
        if _below(path, "/Workspace"):
            return self.files_root, _after(path, "/Workspace")
        if _below(path, str(self.data_dir)):
            return self._locate_local(path)
        return self._locate_dbfs(path)

    def _locate_dbfs(self, path: str) -> tuple[Path, str]:
        if _below(path, "/Volumes"):
            return self.volumes_root, _lower_head(_after(path, "/Volumes"))
        return self.dbfs_root, path

    def _locate_local(self, path: str) -> tuple[Path, str]:
        if not _below(path, str(self.data_dir)):
            raise PathTraversal(f"{path!r} is outside of the workspace.")
        return self.data_dir, _after(path, str(self.data_dir))

    def _inside(self, base: Path, rest: str) -> Path:
        path = base.joinpath(*[part for part in rest.split("/") if part not in ("", ".")])
        if not path.resolve().is_relative_to(base):
            raise PathTraversal(f"{rest!r} leads out of its folder.")
        return path


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _after(path: str, prefix: str) -> str:
    return path[len(prefix) :]


def _lower_head(rest: str) -> str:
    """Catalog, schema and volume are names of Unity Catalog, which are kept in lower case."""
    parts = rest.split("/", 4)
    return "/".join([part.lower() for part in parts[:4]] + parts[4:])


def _name(part: str) -> str:
    if not part or part in (".", "..") or "/" in part or "\0" in part:
        raise PathTraversal(f"{part!r} is not a name.")
    return part.lower()


def _refuse_disguises(text: str) -> None:
    """`..` and NUL are refused however often they are percent-encoded; a plain `%3A` in a name is left alone."""
    for _ in range(_MAX_DECODINGS):
        if "\0" in text or ".." in re.split(r"[/\\]", text):
            raise PathTraversal("A path must not contain '..' or NUL.")
        decoded = unquote(text)
        if decoded == text:
            return
        text = decoded
    raise PathTraversal("The path is percent-encoded too often.")
