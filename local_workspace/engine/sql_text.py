"""Reading SQL text without understanding all of it: tokens, statements, and the paths written in them.

Strings, quoted names and comments are told apart first, so that nothing inside of them is mistaken for SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>[rR]?'(?:[^'\\]|\\.|'')*' | [rR]?"(?:[^"\\]|\\.|"")*")
  | (?P<quoted>`(?:[^`]|``)*`)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z_]))
  | (?P<word>[A-Za-z0-9_]+)
  | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FILE_FORMATS = {"DELTA", "PARQUET", "JSON", "CSV", "TEXT", "ORC", "BINARYFILE", "AVRO"}
_LOOKS_LIKE_PATH = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*:/")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL. `upper` is its text in capitals when it is a plain word, else empty."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else ""

    @property
    def value(self) -> str:
        """A string without quotes and escapes, a name without backticks, anything else as it stands."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        if self.kind != "string":
            return self.text
        if self.text[0] in "rR":
            return self.text[2:-1]
        quote = self.text[0]
        inner = self.text[1:-1].replace(quote * 2, quote)
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), inner, flags=re.DOTALL)


def tokens(sql: str) -> list[Token]:
    """All tokens of a text, without white space and comments."""
    return [
        Token(str(found.lastgroup), found[0], found.start(), found.end())
        for found in _TOKEN.finditer(sql)
        if found.lastgroup != "skip"
    ]


def statements(sql: str) -> list[str]:
    """The statements between semicolons, without empty ones. A comment before a statement stays with it."""
    cuts = [token.start for token in tokens(sql) if token.text == ";"]
    pieces = [sql[start:end] for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(sql)], strict=True)]
    return [piece.strip() for piece in pieces if tokens(piece)]


def parameter_names(sql: str) -> set[str]:
    """Names used as `:name`. A colon that touches what stands before it extracts from JSON and is no parameter."""
    return {name.text for _, name in _parameters(sql)}


def replace_parameters(sql: str, texts: Mapping[str, str]) -> str:
    """The statement with each `:name` replaced by the text for that name; a name without a text stays."""
    pieces, position = [], 0
    for colon, name in _parameters(sql):
        if name.text in texts:
            pieces += [sql[position : colon.start], texts[name.text]]
            position = name.end
    return "".join([*pieces, sql[position:]])


def _parameters(sql: str) -> Iterator[tuple[Token, Token]]:
    found = tokens(sql)
    for before, colon, name in zip([None, *found], found, found[1:], strict=False):
        if colon.text == ":" and name.kind == "word" and name.start == colon.end and _free(before, colon):
            yield colon, name


def map_paths(sql: str, resolve: Callable[[str], str]) -> str:
    """The statement with every path that it reads or writes passed through `resolve`.

    Paths are: delta.`…` and the other file formats, LOCATION '…', DIRECTORY '…', and `path` in OPTIONS (…).
    """
    pieces: list[str] = []
    position = 0
    for token in _path_tokens(tokens(sql)):
        mapped = resolve(token.value)
        quoted = (
            f"`{mapped}`" if token.kind == "quoted" else "'" + mapped.replace("\\", "\\\\").replace("'", "\\'") + "'"
        )
        pieces += [sql[position : token.start], quoted]
        position = token.end
    return "".join([*pieces, sql[position:]])


def _path_tokens(found: list[Token]) -> Iterator[Token]:
    in_options = False
    for index, token in enumerate(found):
        before = found[max(index - 3, 0) : index]
        if token.upper == "OPTIONS":
            in_options = True
        elif token.text == ")":
            in_options = False
        elif _LOOKS_LIKE_PATH.match(token.value) and (
            (token.kind == "quoted" and _names_files(before))
            or (token.kind == "string" and _takes_path(before, in_options))
        ):
            yield token


def _names_files(before: list[Token]) -> bool:
    if len(before) < 2 or before[-1].text != "." or before[-2].upper not in _FILE_FORMATS:
        return False
    return len(before) < 3 or before[-3].text != "."


def _takes_path(before: list[Token], in_options: bool) -> bool:
    if before and before[-1].upper in ("LOCATION", "DIRECTORY"):
        return True
    names = [token.value.lower() for token in before if token.text != "="]
    return in_options and bool(names) and names[-1] == "path"


def _free(before: Token | None, colon: Token) -> bool:
    return before is None or before.end < colon.start or before.text in "(,=<>+-*/[!|"
