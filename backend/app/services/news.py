"""What replicas tell each other: short texts that fit into one notification. The store has the facts themselves."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.domain.events import Envelope, compact_json

KEYS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class News:
    """`last_seq`: the log goes at least so far. `decided`: submissions and actions to be looked at again.

    `asks`: topics that the leader shall see to. `workspace`: how the leader finds the workspace.
    """

    by: str
    last_seq: int = 0
    decided: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    workspace: Mapping[str, Any] | None = None

    def text(self) -> str:
        """As it travels."""
        return compact_json({name: value for name, value in asdict(self).items() if value})


def read(text: str) -> News | None:
    """The news, or None where a text is none of ours."""
    try:
        raw = json.loads(text)
        return News(
            by=str(raw["by"]),
            last_seq=int(raw.get("last_seq", 0)),
            decided=tuple(raw.get("decided", ())),
            asks=tuple(raw.get("asks", ())),
            workspace=raw.get("workspace"),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def of_transaction(by: str, placed: Sequence[Envelope], decided: Collection[str]) -> Iterator[News]:
    """As many texts as the keys need, at least one."""
    last_seq = placed[-1].seq if placed else 0
    keys = sorted(decided)
    for start in range(0, max(1, len(keys)), KEYS_AT_ONCE):
        yield News(by=by, last_seq=last_seq, decided=tuple(keys[start : start + KEYS_AT_ONCE]))
