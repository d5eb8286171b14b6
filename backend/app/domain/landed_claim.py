"""A claim as somebody sent it: checked for what makes it a claim, otherwise kept to the letter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from app.domain.claim_ids import CLAIM_ID_PATTERN, is_claim_id
from app.domain.errors import BrokenJson, InvalidClaimIds, InvalidRequest


@dataclass(frozen=True, slots=True)
class LandedClaim:
    """One JSON object on one line, with the texts of all values as they were sent."""

    claim_id: str
    line: str


def read_claim(body: bytes, *, new_id: str) -> LandedClaim:
    """Read a request body; a claim without claim_id gets `new_id`.

    Amounts, signs and unknown fields are none of our business here: bronze keeps them and silver judges them.
    Raises: BrokenJson, InvalidRequest, InvalidClaimIds.
    """
    try:
        text = body.decode("utf-8")
        pairs = json.loads(text, object_pairs_hook=list, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise BrokenJson(f"The body is not JSON: {_first_line(fault)}") from fault
    if not isinstance(pairs, list) or not text.lstrip().startswith("{"):
        raise InvalidRequest("A claim is one JSON object.")
    given = [value for name, value in pairs if name == "claim_id"]
    if len(given) > 1:
        raise InvalidClaimIds("claim_id is given more than once.", pattern=CLAIM_ID_PATTERN)
    # Line breaks inside JSON texts are escaped, so those that stand in the body separate words only.
    line = text.replace("\r", " ").replace("\n", " ").strip()
    if given:
        return LandedClaim(_checked(given[0]), line)
    rest = line[1:].lstrip()
    separator = "" if rest.startswith("}") else ", "
    return LandedClaim(new_id, f'{{"claim_id": {json.dumps(new_id)}{separator}{rest}')


def _checked(claim_id: Any) -> str:
    if isinstance(claim_id, str) and is_claim_id(claim_id):
        return claim_id
    shown = claim_id[:80] if isinstance(claim_id, str) else claim_id if isinstance(claim_id, int) else None
    raise InvalidClaimIds(
        f"claim_id is malformed; it is a text that matches {CLAIM_ID_PATTERN}, or left out.",
        invalid=[shown],
        pattern=CLAIM_ID_PATTERN,
    )


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _first_line(fault: Exception) -> str:
    return str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
