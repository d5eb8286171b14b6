"""Landing files, whole or not at all: everything is written beside its place first and renamed at the end."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np

from data_generator.claim_rows import Lines
from data_generator.days import to_date

STAGING = ".staging"


def claims_file_name(day: int) -> str:
    return f"claims_{to_date(day).isoformat()}.jsonl"


class Landing:
    """A landing folder being filled. Leaving the block in good order publishes the files, in the order they were begun.

    Readers never see half a file: `.staging` lies in the same file system and holds no table's folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._staging = out / STAGING
        self._targets: dict[Path, Path] = {}

    def __enter__(self) -> "Landing":
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staging.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._publish()
        shutil.rmtree(self._staging, ignore_errors=True)

    @property
    def files(self) -> list[Path]:
        """The files that will be there, relative to the landing folder."""
        return list(self._targets)

    def append(self, target: Path, pieces: Iterable[str]) -> None:
        """Add text to a file, relative to the landing folder."""
        staged = self._targets.setdefault(target, self._staging / target.name)
        with staged.open("ab") as file:
            file.writelines(piece.encode() for piece in pieces)

    def append_claims(self, lines: Lines) -> None:
        """Add each line to the file of its landing day."""
        order = np.argsort(lines.days, kind="stable")
        days, starts = np.unique(lines.days[order], return_index=True)
        for day, rows in zip(days.tolist(), np.split(order, starts[1:]), strict=True):
            text = "".join([lines.texts[row] + "\n" for row in rows.tolist()])
            self.append(Path("claims") / claims_file_name(day), [text])

    def _publish(self) -> None:
        for folder in {target.parent for target in self._targets}:
            (self._out / folder).mkdir(parents=True, exist_ok=True)
        for target, staged in self._targets.items():
            staged.replace(self._out / target)
