"""What an imported body becomes: a notebook or a file, under which name, with which bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from local_workspace.api.http import ApiError, invalid, unsupported
from local_workspace.objects.source import EXTENSIONS, HEADERS, header_language

MAX_NOTEBOOK_BYTES = 10 * 1024 * 1024
FORMATS = ("SOURCE", "AUTO", "RAW", "JUPYTER")


@dataclass(frozen=True, slots=True)
class Incoming:
    """The object that an import makes."""

    path: str
    object_type: str
    content: bytes


def classify(path: str, content: bytes, import_format: str, language: str | None) -> Incoming:
    """Apply the rules of import: SOURCE makes a notebook, RAW a file, AUTO looks at extension and first line."""
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"The content is larger than {MAX_NOTEBOOK_BYTES} bytes.")
    if import_format == "RAW":
        return Incoming(path, "FILE", content)
    if import_format == "JUPYTER":
        return Incoming(path, "NOTEBOOK", jupyter_to_source(content))
    if import_format == "AUTO":
        return _auto(path, content)
    if import_format == "SOURCE":
        return Incoming(path, "NOTEBOOK", with_header(content, language))
    raise unsupported(f"Importing the format {import_format}")


def with_header(content: bytes, language: str | None) -> bytes:
    """The source with its header line; a body without one is told apart by the call's language."""
    if header_language(content) is not None:
        return content
    if language is None:
        raise invalid("language is required for the SOURCE format when the content has no notebook header.")
    if language not in HEADERS:
        raise invalid(f"language must be one of {', '.join(HEADERS)}, got {language!r}.")
    return HEADERS[language].encode() + b"\n" + content


def _auto(path: str, content: bytes) -> Incoming:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".ipynb":
        return Incoming(_without_suffix(path), "NOTEBOOK", jupyter_to_source(content))
    if header_language(content) is None:
        return Incoming(path, "FILE", content)
    return Incoming(_without_suffix(path) if suffix in EXTENSIONS else path, "NOTEBOOK", content)


def _without_suffix(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def jupyter_to_source(content: bytes) -> bytes:
    """A Jupyter notebook in the source format; its outputs are left behind."""
    try:
        notebook = json.loads(content)
        cells = [_cell_source(cell) for cell in notebook["cells"]]
    except (ValueError, KeyError, TypeError) as fault:
        raise invalid("The content is not a Jupyter notebook.") from fault
    return (HEADERS["PYTHON"] + "\n" + "\n\n# COMMAND ----------\n\n".join(cells) + "\n").encode()


def _cell_source(cell: dict[str, Any]) -> str:
    raw = cell["source"]
    text = raw if isinstance(raw, str) else "".join(raw)
    if cell["cell_type"] == "code" and not text.lstrip().startswith("%"):
        return text
    return "\n".join(_magic_lines(text, cell["cell_type"]))


def _magic_lines(text: str, cell_type: str) -> Iterator[str]:
    if cell_type != "code":
        yield "# MAGIC %md"
    for line in text.splitlines():
        yield f"# MAGIC {line}".rstrip()
