"""What a layer leaves for the next run: one JSON file in `<control_path>/standing/`.

It is a shortcut only: without it, or with one that cannot be read, a run takes the longer way to the same tables.
"""

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from medallion.run import Commit, Run

_MAX_BYTES = 1_000_000


def read(run: Run, layer: str) -> dict[str, Any]:
    """What the layer's last run has left; empty when there is nothing that can be read."""
    try:
        left = json.loads(run.files.head(_path(run, layer), _MAX_BYTES))
    except Exception:  # noqa: BLE001 - a missing file has another error on each workspace
        return {}
    return left if isinstance(left, dict) else {}


def leave(run: Run, layer: str, notes: Mapping[str, Any]) -> None:
    """Put the notes in the place of those of the run before. Where they cannot be kept, the next run works without."""
    try:
        run.files.put(_path(run, layer), json.dumps(notes), True)
    except Exception:  # noqa: BLE001 - every workspace has its own errors
        return


def _path(run: Run, layer: str) -> str:
    return f"{run.control_path}/standing/{run.catalog}.{layer}.json"


def of_commit(commit: Commit) -> list[Any]:
    """[version, time]; the time tells a table that was made anew."""
    return [commit.version, commit.at]


def of_rows(rows: pa.Table) -> str:
    """An Arrow table as text, with its types."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return base64.b64encode(sink.getvalue()).decode()


def rows_of(text: str) -> pa.Table:
    return pa.ipc.open_stream(base64.b64decode(text)).read_all()
