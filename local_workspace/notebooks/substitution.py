"""`${name}` in %sql cells: the older, textual way of using a widget. `:name` is the safe one."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.]*)\}")


def substitute(sql: str, values: Mapping[str, str]) -> str:
    """Replace the references that name a widget; others stay as they are, so that the engine's error shows them."""
    return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), sql)
