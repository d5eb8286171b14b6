"""One server per data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class DataDirectoryInUse(RuntimeError):
    """Another local workspace works on this data directory."""


def hold(data_dir: Path) -> IO[str]:
    """Hold the data directory until the returned file is closed or the process ends, however it ends.

    Raises: DataDirectoryInUse.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "workspace.lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise DataDirectoryInUse(
            f"{data_dir} is in use by another local workspace (process {holder}). "
            "Stop it, or give this one another --data-dir."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
