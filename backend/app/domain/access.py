"""Who may do what: roles and access tokens."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """viewer sees; operator also triggers, cancels, repairs and lands; admin may do everything."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def may_change(self) -> bool:
        """Whether state-changing requests are allowed."""
        return self is not Role.VIEWER


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A named holder of a token. The token never appears in `repr`."""

    name: str
    role: Role
    token: str

    def __repr__(self) -> str:
        return f"AccessToken(name={self.name!r}, role={self.role.value!r})"


def parse_access_tokens(text: str, *, min_length: int = 20) -> tuple[AccessToken, ...]:
    """`name:role:token`, comma-separated. Raises ValueError naming the entry by its place, never by its token."""
    tokens = []
    for place, entry in enumerate((part for part in text.split(",") if part.strip()), start=1):
        name, _, rest = entry.strip().partition(":")
        role, _, token = rest.partition(":")
        if not name or role not in set(Role) or len(token) < min_length:
            allowed = ", ".join(Role)
            rule = f"name:role:token with a role of {allowed} and a token of at least {min_length} characters"
            raise ValueError(f"entry {place} must be {rule}")
        tokens.append(AccessToken(name, Role(role), token))
    return tuple(tokens)


def holder_of(presented: str, tokens: Sequence[AccessToken]) -> AccessToken | None:
    """The holder of a presented token, compared in constant time with every token."""
    found = None
    for one in tokens:
        if hmac.compare_digest(one.token.encode(), presented.encode()):
            found = one
    return found
