"""A claim is kept to the letter; only its id is judged."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BrokenJson, InvalidClaimIds, InvalidRequest
from app.domain.landed_claim import read_claim

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(
    fields=st.dictionaries(st.text(max_size=10).filter(lambda name: name != "claim_id"), json_values, max_size=5),
    claim_id=st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", fullmatch=True),
    indent=st.none() | st.integers(0, 3),
)
def test_every_field_survives_and_the_claim_is_one_line(
    fields: dict[str, Any], claim_id: str | None, indent: int | None
) -> None:
    sent = fields if claim_id is None else {"claim_id": claim_id, **fields}
    landed = read_claim(json.dumps(sent, indent=indent).encode(), new_id="NEW-1")
    assert "\n" not in landed.line
    assert "\r" not in landed.line
    assert landed.claim_id == (claim_id or "NEW-1")
    assert json.loads(landed.line) == sent | {"claim_id": landed.claim_id}


def test_numbers_keep_the_digits_they_were_sent_with() -> None:
    landed = read_claim(b'{"claim_id": "C-1", "claim_amount": 1200.50, "x": 1e400, "y": -0.10}', new_id="-")
    assert landed.line == '{"claim_id": "C-1", "claim_amount": 1200.50, "x": 1e400, "y": -0.10}'


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe", b'{"a": 1} x', b"[" * 100_000]
)
def test_what_is_not_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(BrokenJson):
        read_claim(body, new_id="NEW-1")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b'[["claim_id", "C-1"]]'])
def test_what_is_not_an_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_claim(body, new_id="NEW-1")


@pytest.mark.parametrize(
    "claim_id",
    ['""', '"a b"', '"../x"', '".x"', '"a/b"', "7", "null", "[]", "{}", "true", f'"{"x" * 65}"', '"é"', '"a\\n"'],
)
def test_a_malformed_claim_id_is_refused(claim_id: str) -> None:
    with pytest.raises(InvalidClaimIds):
        read_claim(f'{{"claim_id": {claim_id}}}'.encode(), new_id="NEW-1")


def test_two_claim_ids_in_one_claim_are_refused() -> None:
    with pytest.raises(InvalidClaimIds):
        read_claim(b'{"claim_id": "A", "claim_id": "B"}', new_id="NEW-1")
