"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def staged(target: Path, scratch: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A file to write that becomes `target` when the block ends well; otherwise nothing has happened.

    It is written in `scratch`, so that nobody who lists the target's folder ever sees a part of it.
    Raises: FileExistsError when the target exists and overwrite is false, also if it appeared meanwhile.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    if not overwrite and target.exists():
        raise FileExistsError(target)
    handle, name = tempfile.mkstemp(dir=scratch)
    try:
        with cast(BinaryIO, os.fdopen(handle, "wb")) as file:
            yield file
        os.chmod(name, 0o644)
        target.parent.mkdir(parents=True, exist_ok=True)
        publish(Path(name), target, overwrite=overwrite)
    finally:
        Path(name).unlink(missing_ok=True)


def publish(part: Path, target: Path, *, overwrite: bool) -> None:
    """Give a finished part its name in one step; without overwrite the name must be free (a hard link is the test)."""
    if overwrite:
        part.replace(target)
    else:
        os.link(part, target)
