"""Claim ids are data: validated here, passed as parameters, never concatenated."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.domain.errors import InvalidClaimIds

CLAIM_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
MAX_CLAIM_IDS = 10_000
MAX_INLINE_BYTES = 8 * 1024
_CLAIM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def is_claim_id(text: str) -> bool:
    """Whether `text` is a well-formed claim id."""
    return _CLAIM_ID.fullmatch(text) is not None


def validated(claim_ids: Iterable[str]) -> tuple[str, ...]:
    """The ids in the order given, repeats removed. Raises InvalidClaimIds naming the first bad ones."""
    ids = tuple(dict.fromkeys(claim_ids))
    if len(ids) > MAX_CLAIM_IDS:
        raise InvalidClaimIds(f"{len(ids)} claim ids; at most {MAX_CLAIM_IDS} are taken.", max=MAX_CLAIM_IDS)
    bad = [claim_id for claim_id in ids if not is_claim_id(claim_id)]
    if bad:
        shown = [claim_id[:80] for claim_id in bad[:10]]
        raise InvalidClaimIds(
            f"{len(bad)} malformed claim id(s); an id matches {CLAIM_ID_PATTERN}.",
            invalid=shown,
            pattern=CLAIM_ID_PATTERN,
        )
    return ids


def fits_inline(claim_ids: Iterable[str]) -> bool:
    """Whether the comma-separated ids are small enough for a job parameter (the API takes 10,000 bytes in all)."""
    return len(",".join(claim_ids).encode()) <= MAX_INLINE_BYTES
