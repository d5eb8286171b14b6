"""Access tokens: how they are written down, and who holds one."""

from __future__ import annotations

import pytest

from app.domain.access import Role, holder_of, parse_access_tokens

LONG = "a-token-of-enough-length"


def test_tokens_are_named_and_have_a_role() -> None:
    tokens = parse_access_tokens(f"ann:operator:{LONG}, bob:viewer:{LONG}2")
    assert [(one.name, one.role) for one in tokens] == [("ann", Role.OPERATOR), ("bob", Role.VIEWER)]
    assert [one.role.may_change for one in tokens] == [True, False]


@pytest.mark.parametrize("text", ["ann", f"ann:king:{LONG}", "ann:viewer:short", f":viewer:{LONG}"])
def test_a_malformed_entry_is_named_by_its_place_and_never_by_its_token(text: str) -> None:
    with pytest.raises(ValueError, match="entry 2") as refused:
        parse_access_tokens(f"ok:viewer:{LONG},{text}")
    assert LONG not in str(refused.value)


def test_only_the_exact_token_has_a_holder_and_no_repr_shows_it() -> None:
    tokens = parse_access_tokens(f"ann:operator:{LONG}")
    assert holder_of(LONG, tokens) is tokens[0]
    assert holder_of(LONG[:-1], tokens) is None
    assert holder_of("", tokens) is None
    assert LONG not in repr(tokens)
