"""On Apache Spark one catalog takes Delta tables: there `petinsure360.silver` is `spark_catalog.petinsure360__silver`.

A gRPC interceptor rewrites the names of every plan on their way to the server, so that notebooks need not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from local_workspace.engine.catalog import Catalog
from local_workspace.engine.names import Cursor, quoted
from local_workspace.engine.registration import SPARK_CATALOG
from local_workspace.engine.sql_literals import write_in
from local_workspace.engine.sql_text import Token, tokens

_TABLES_FOLLOW = {
    *("FROM", "JOIN", "INTO", "TABLE", "VIEW", "UPDATE", "USING", "OVERWRITE", "EXISTS", "IN", "SCHEMA", "DATABASE"),
    *("DESCRIBE", "DESC", "EXTENDED", "HISTORY", "DETAIL", "OPTIMIZE", "REFRESH"),
}
"""Words before a table or a schema: elsewhere a dotted name may be a column of a table of that name."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A dotted name in a statement, the token before it, and whether the statement shows what is in a schema."""

    parts: list[Token]
    before: str
    shows: bool

    @property
    def values(self) -> list[str]:
        return [part.value.lower() for part in self.parts]


class OneCatalog:
    """The names that the workspace's schemas have on the server. Does nothing until it is `active`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.active = False
        self.current = catalog.default_catalog

    def schema(self, catalog: str, schema: str) -> str:
        """The name on the server, quoted."""
        return quoted(SPARK_CATALOG, f"{catalog}__{schema}".lower())

    def told_back(self, schema: str) -> tuple[str, str]:
        """Catalog and schema of the workspace that a schema of the server stands for; else what the server says."""
        for catalog in self._catalogs():
            if schema.startswith(f"{catalog}__"):
                return catalog, schema.removeprefix(f"{catalog}__")
        return SPARK_CATALOG, schema

    def rewrite(self, message: Any) -> None:
        """Walk a protobuf message; every field that may name a table or a schema is visited once."""
        if message.DESCRIPTOR.name == "Catalog" and message.HasField("set_current_catalog"):
            self._set_current(message)
            return
        for field, value in message.ListFields():
            if field.message_type is not None:
                for each in _messages(value):
                    self.rewrite(each)
            elif isinstance(value, str) and (mapped := self._mapped(field.name, value)) != value:
                setattr(message, field.name, mapped)
        if message.DESCRIPTOR.name == "SQL" and message.named_arguments:
            self._write_in_arguments(message)

    def _write_in_arguments(self, message: Any) -> None:
        """A value is written in after the names were mapped: it is data, whatever it looks like."""
        sql = write_in(message.query, message.named_arguments)
        if sql is not None:
            message.query = sql
            message.named_arguments.clear()

    def _set_current(self, message: Any) -> None:
        """`default` becomes the schema, as on Databricks."""
        catalog = message.set_current_catalog.catalog_name.lower()
        if catalog in self._catalogs():
            self.current = catalog
            message.set_current_database.db_name = self.schema(catalog, "default")

    def statement(self, sql: str) -> str:
        """The statement with the names of the workspace's tables and schemas replaced."""
        catalogs, pieces, position = self._catalogs(), [], 0
        for name in _names(sql):
            replaced, mapped = self._replaced(name, catalogs)
            if replaced:
                pieces += [sql[position : name.parts[0].start], mapped]
                position = name.parts[replaced - 1].end
        return "".join([*pieces, sql[position:]])

    def _replaced(self, name: _Name, catalogs: list[str]) -> tuple[int, str]:
        """How many parts of the name are replaced, and with what."""
        first, *others = name.values
        follows = name.before in _TABLES_FOLLOW
        if others and first in catalogs and (follows or self._has(first, others[0])):
            return 2, self.schema(first, others[0])
        if (len(others) == 1 and follows) or (not others and name.shows):
            return (1, self.schema(self.current, first)) if self._has(self.current, first) else (0, "")
        return 0, ""

    def _mapped(self, field: str, text: str) -> str:
        if field in ("sql", "query"):
            return self.statement(text)
        if field in ("unparsed_identifier", "table_name", "target_table_name"):
            return self._identifier(text, 3)
        return self._identifier(text, 2) if field == "db_name" else text

    def _identifier(self, text: str, full: int) -> str:
        """The name of a table (`full` has 3 parts) or of a schema (2)."""
        parts = Cursor(text).name()
        if len(parts) == full and parts[0].lower() in self._catalogs():
            return ".".join([self.schema(parts[0], parts[1]), *(quoted(part) for part in parts[2:])])
        if len(parts) == full - 1 and self._has(self.current, parts[0].lower()):
            return ".".join([self.schema(self.current, parts[0]), *(quoted(part) for part in parts[1:])])
        return text

    def _catalogs(self) -> list[str]:
        return [each.name for each in self._catalog.list_catalogs()]

    def _has(self, catalog: str, schema: str) -> bool:
        return any(each.name == schema for each in self._catalog.list_schemas(catalog))


class NameInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]  # untyped
    """Applies an active OneCatalog to a copy of every plan of a channel: a request may be sent again."""

    def __init__(self, names: OneCatalog) -> None:
        self._names = names

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details, self._mapped(request))

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details, self._mapped(request))

    def _mapped(self, request: Any) -> Any:
        if not self._names.active or request.DESCRIPTOR.name not in ("ExecutePlanRequest", "AnalyzePlanRequest"):
            return request
        copy = type(request)()
        copy.CopyFrom(request)
        self._names.rewrite(copy)
        return copy


def _names(sql: str) -> Iterator[_Name]:
    found = tokens(sql)
    shows = bool(found) and found[0].upper == "SHOW"
    index = 0
    while index < len(found):
        parts = [found[index]] if _is_name(found[index]) else []
        before = found[index - 1] if index else None
        index += 1
        while parts and index + 1 < len(found) and found[index].text == "." and _is_name(found[index + 1]):
            parts.append(found[index + 1])
            index += 2
        if parts:
            word = before.upper if before else ""
            yield _Name(parts, word, shows and word in ("IN", "FROM"))


def _is_name(token: Token) -> bool:
    return token.kind in ("word", "quoted")


def _messages(value: Any) -> Iterator[Any]:
    if hasattr(value, "ListFields"):
        yield value
    else:
        yield from (
            each for each in (value.values() if hasattr(value, "values") else value) if hasattr(each, "ListFields")
        )
