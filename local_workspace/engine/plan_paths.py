"""Databricks paths in Spark Connect plans become local ones on their way to the engine.

A gRPC interceptor sees every plan, whichever API built it: readers, writers, SQL text, the catalog API.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from local_workspace.engine.sql_text import map_paths
from local_workspace.storage import InvalidPath, Storage

_DEFAULT_FORMAT = "delta"
_PATH_OPTIONS = ("path", "location")


class PathMapper:
    """Rewrites the paths of a plan in place. Globs and trailing slashes stay as they are written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.named_writes: list[tuple[str, Path]] = []  # tables written to a path of their own, not yet in the catalog
        self._rewrites: dict[str, Callable[[Any], None]] = {
            "DataSource": self._data_source,
            "WriteOperation": self._write,
            "WriteOperationV2": self._options,
            "CreateTable": self._create_table,
            "CreateExternalTable": self._create_table,
            "SQL": self._sql,
            "SqlCommand": self._sql_command,
            "NamedTable": self._named_table,
        }

    def local(self, path: str) -> str:
        """Raises InvalidPath for what the workspace does not store."""
        mapped = str(self._storage.resolve(path))
        return mapped + "/" if path.endswith("/") else mapped

    def statement(self, sql: str) -> str:
        return map_paths(sql, self.local)

    def rewrite(self, message: Any) -> None:
        """Walk a protobuf message; every message that may name a path is visited once."""
        rewrite = self._rewrites.get(message.DESCRIPTOR.name)
        if rewrite is not None:
            rewrite(message)
        for descriptor, value in message.ListFields():
            if descriptor.message_type is None:
                continue
            if hasattr(value, "ListFields"):
                self.rewrite(value)
            elif hasattr(value, "values"):
                self._each(value.values())
            else:
                self._each(value)

    def _each(self, values: Any) -> None:
        for value in values:
            if hasattr(value, "ListFields"):
                self.rewrite(value)

    def _data_source(self, source: Any) -> None:
        source.paths[:] = [self.local(path) for path in source.paths]
        if source.paths and not source.format:
            source.format = _DEFAULT_FORMAT  # the engine heeds spark.sql.sources.default for writes only
        self._options(source)

    def _write(self, write: Any) -> None:
        if write.path:
            write.path = self.local(write.path)
        self._options(write)
        if write.HasField("table") and "path" in write.options:
            self.named_writes.append((write.table.table_name, Path(write.options["path"])))

    def _options(self, message: Any) -> None:
        for key in [key for key in message.options if key.lower() in _PATH_OPTIONS]:
            message.options[key] = self.local(message.options[key])

    def _create_table(self, create: Any) -> None:
        if create.path:
            create.path = self.local(create.path)
        self._options(create)

    def _sql(self, sql: Any) -> None:
        sql.query = self.statement(sql.query)

    def _sql_command(self, command: Any) -> None:
        if command.sql:
            command.sql = self.statement(command.sql)

    def _named_table(self, table: Any) -> None:
        table.unparsed_identifier = self.statement(table.unparsed_identifier)


class PathInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]  # untyped
    """Applies a PathMapper to every plan of a channel, and `also` to those that are executed.

    A copy is sent, since a request may be sent again.
    """

    def __init__(self, mapper: PathMapper, also: Callable[[Any], None]) -> None:
        self._mapper = mapper
        self._also = also

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details, self._mapped(request))

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details, self._mapped(request))

    def _mapped(self, request: Any) -> Any:
        if request.DESCRIPTOR.name not in ("ExecutePlanRequest", "AnalyzePlanRequest"):
            return request
        copy = type(request)()
        copy.CopyFrom(request)
        try:
            self._mapper.rewrite(copy)
        except InvalidPath as fault:
            raise ValueError(str(fault)) from fault
        if copy.DESCRIPTOR.name == "ExecutePlanRequest":
            self._also(copy)
        return copy
