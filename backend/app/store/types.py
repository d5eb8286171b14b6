"""Column types that refuse what must not be stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.domain.events import compact_json

# SQLite gives rowids only to INTEGER columns; PostgreSQL needs 64 bits.
BigId = BigInteger().with_variant(Integer, "sqlite")


class OutsideText(TypeDecorator[str]):
    """A word of the workspace's or of somebody's data, as long as it likes: neither store cuts or refuses it.

    SQLite does not hold to the declared length; PostgreSQL has none here, and orders and compares by bytes, as Python
    and SQLite do, so that pages go on after the last id shown. The one character that PostgreSQL cannot keep becomes
    the replacement character.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(String(collation="C") if dialect.name == "postgresql" else self.impl_instance)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\0", "\N{REPLACEMENT CHARACTER}")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant as microseconds since the epoch; naive values are refused. Sorts and compares as a number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A naive datetime was given; every instant is aware UTC.")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return _EPOCH + timedelta(microseconds=value)


@dataclass(frozen=True, slots=True)
class ReadyJson:
    """A JSON value that was written already, where that took long enough to be done elsewhere."""

    text: str


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as compact text; SQL NULL for None."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if isinstance(value, ReadyJson):
            return value.text
        return None if value is None else compact_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else _parsed(value)


def _parsed(text: str) -> Any:
    """A page of the history parses a thousand of these. What is no JSON by the letter (NaN) takes the slow way."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
