"""Walking through the tokens of one SQL statement, and names of one to three parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_workspace.engine.sql_text import Token, tokens

TableName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Namespace:
    """What unqualified names are completed with."""

    catalog: str
    schema: str

    def table(self, parts: list[str]) -> TableName:
        full = [self.catalog, self.schema, ""][: 3 - len(parts)] + parts
        return full[0].lower(), full[1].lower(), full[2].lower()

    def schema_of(self, parts: list[str]) -> tuple[str, str]:
        return (parts[0].lower(), parts[1].lower()) if len(parts) > 1 else (self.catalog, parts[0].lower())


def quoted(*parts: str) -> str:
    """A dotted name in backticks, safe in any statement."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Cursor:
    """A position in a statement. `take` moves only when all the words stand there."""

    def __init__(self, sql: str, arguments: dict[str, Any] | None = None) -> None:
        self.sql = sql
        self.tokens = [token for token in tokens(sql) if token.text != ";"]
        self.position = 0
        self._arguments = arguments or {}

    @property
    def current(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    @property
    def at_end(self) -> bool:
        return self.current is None

    def take(self, *words: str) -> bool:
        """Step over these words or symbols when they come next."""
        following = self.tokens[self.position : self.position + len(words)]
        if [token.upper or token.text for token in following] != list(words):
            return False
        self.position += len(words)
        return True

    def take_any(self, *words: str) -> str | None:
        return next((word for word in words if self.take(word)), None)

    def value(self) -> str:
        """The next token's value: a string, a number, a name."""
        token = self.current
        if token is None:
            raise ValueError(f"The statement ends too early: {self.sql}")
        self.position += 1
        return token.value

    def string_after(self, *words: str) -> str | None:
        return self.value() if self.take(*words) else None

    def name(self) -> list[str]:
        """`a.b.c`, with backticks or not, or IDENTIFIER('a.b.c') and IDENTIFIER(:parameter)."""
        if self.take("IDENTIFIER", "("):
            text = str(self._arguments.get(self.value(), "")) if self.take(":") else self.value()
            self.take(")")
            return Cursor(text).name()
        parts = [self.value()]
        while self.take("."):
            parts.append(self.value())
        return parts

    def rest(self) -> str:
        """The text from here to the end."""
        return self.sql[self.current.start :].rstrip().removesuffix(";") if self.current else ""

    def parenthesised(self) -> str | None:
        """The text between the parentheses that open here, or None when none do."""
        if self.current is None or self.current.text != "(":
            return None
        start, depth = self.current.end, 0
        while self.current is not None:
            depth += {"(": 1, ")": -1}.get(self.current.text, 0)
            token, self.position = self.current, self.position + 1
            if depth == 0:
                return self.sql[start : token.start]
        raise ValueError(f"A parenthesis is not closed: {self.sql}")
