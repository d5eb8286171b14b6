"""What lies in the landing zone, and which of it bronze has not seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from medallion.run import Files
from medallion.schemas import BY_TABLE

CSV = ("csv",)
JSON_LINES = ("jsonl", "ndjson", "json")
PORTION_BYTES = 256 * 1024 * 1024
"""What bronze reads of a table at once: an engine holds the texts of whole files in memory, several times."""


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file; `path` is relative to the landing path."""

    path: str
    table: str
    size: int
    modified_ms: int

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]  # asked for many times over; a path object takes ten times as long

    @property
    def stem(self) -> str:
        return PurePosixPath(self.path).stem

    @property
    def claim_ids(self) -> frozenset[str]:
        """What names the claim of a file that holds one: its own name, or the folder that the API made for it."""
        return frozenset({self.stem, PurePosixPath(self.path).parent.name})

    @property
    def is_csv(self) -> bool:
        return self.path.lower().endswith(CSV)


@dataclass(frozen=True, slots=True)
class Landing:
    """All files of known tables, and the paths that nobody knows how to read."""

    files: tuple[LandedFile, ...]
    ignored: tuple[str, ...]


def discover(files: Files, root: str) -> Landing:
    """List the landing zone recursively; a zone that is not there yet is made, and is empty."""
    try:
        files.ls(root)
    except Exception:  # noqa: BLE001 - a missing folder has another error on each workspace; mkdirs tells a real fault
        files.mkdirs(root)
    found: list[LandedFile] = []
    ignored: list[str] = []
    for path, size, modified_ms in _walk(files, root, ""):
        table = _table_of(path)
        if table is None or not path.lower().endswith((*CSV, *JSON_LINES)):
            ignored.append(path)
        else:
            found.append(LandedFile(path, table, size, modified_ms))
    return Landing(tuple(sorted(found, key=lambda file: file.path)), tuple(sorted(ignored)))


def _walk(files: Files, root: str, below: str) -> Iterable[tuple[str, int, int]]:
    for entry in files.ls(f"{root}/{below}".rstrip("/")):
        name = entry.name.rstrip("/")
        if name.startswith((".", "_")):  # Spark's sign for "not data": half-uploaded and bookkeeping files
            continue
        path = f"{below}{name}"
        if entry.name.endswith("/"):
            yield from _walk(files, root, f"{path}/")
        else:
            yield path, int(entry.size), int(entry.modificationTime)


def _table_of(path: str) -> str | None:
    """The nearest folder that is named like a table decides."""
    for folder in reversed(path.split("/")[:-1]):
        if folder in BY_TABLE:
            return folder
    return None


def chosen(files: Iterable[LandedFile], claim_ids: frozenset[str] | None) -> list[LandedFile]:
    """The files this run may open: with chosen claims, claim files named after one of them and every dimension file."""
    return [f for f in files if claim_ids is None or f.table != "claims" or f.claim_ids & claim_ids]


def portions(files: Sequence[LandedFile]) -> Iterator[list[LandedFile]]:
    """The files in their order, in lists of at most PORTION_BYTES, or of one larger file."""
    portion: list[LandedFile] = []
    left = PORTION_BYTES
    for file in files:
        if portion and file.size > left:
            yield portion
            portion, left = [], PORTION_BYTES
        portion.append(file)
        left -= file.size
    if portion:
        yield portion
