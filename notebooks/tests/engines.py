"""The engines that the notebooks' suite runs on: the embedded one, or the Spark Connect server of SPARK_REMOTE."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from pyspark.sql import SparkSession
from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.session import SparkSession as ConnectSession

from local_workspace.engine.arrow_results import UNCOMPRESSED, fetch_rows_with_schema
from local_workspace.engine.settings_memory import remember_settings

_CONF = {
    "spark.sql.sources.default": "delta",
    "spark.sql.session.timeZone": "UTC",
}
_EMBEDDED_CONF = {"spark.python.sql.dataFrameDebugging.enabled": "false"}  # as the local workspace sets it
_AS_IN_THE_LOCAL_WORKSPACE = {"MIMALLOC_ALLOW_THP": "0", "SAIL_PARQUET__PUSHDOWN_FILTERS": "true"}
_SCHEMA = re.compile(r"\b(lake\d+)\.(bronze|silver|gold)\b")


@contextmanager
def session(catalogs: Sequence[str]) -> Iterator[SparkSession]:
    """A session with these catalogs: on the server of SPARK_REMOTE when that is set, else on the embedded engine."""
    url = os.environ.get("SPARK_REMOTE")
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"  # else pyspark's functions look for a Spark of their own
    with _remote(url) if url else embedded(catalogs) as spark:
        yield spark


@contextmanager
def embedded(catalogs: Sequence[str]) -> Iterator[SparkSession]:
    """A session on a fresh embedded engine."""
    os.environ["RUST_LOG"] = "error"
    listed = ", ".join(f'{{type="memory", name="{name}", initial_database=["default"]}}' for name in catalogs)
    for name, value in _AS_IN_THE_LOCAL_WORKSPACE.items():
        os.environ.setdefault(name, value)
    os.environ["SAIL_CATALOG__LIST"] = f"[{listed}]"
    os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = catalogs[0]
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    spark = _connected(f"sc://127.0.0.1:{port}", options=UNCOMPRESSED)
    fetch_rows_with_schema()
    remember_settings(spark.client)
    spark.client.disable_reattachable_execute()  # as the local workspace does
    _configure(spark, _CONF | _EMBEDDED_CONF)
    try:
        yield spark
    finally:
        spark.stop()
        server.stop()


@contextmanager
def _remote(url: str) -> Iterator[SparkSession]:
    spark = _connected(url, _OneCatalog())
    _configure(spark, _CONF)
    try:
        yield spark
    finally:
        spark.stop()


def _connected(url: str, *interceptors: Any, options: Any = None) -> Any:
    builder = DefaultChannelBuilder(url, options)
    for interceptor in interceptors:
        builder.add_interceptor(interceptor)
    session = ConnectSession(connection=builder)
    ConnectSession._set_default_and_active_session(session)
    return session


def _configure(spark: Any, settings: dict[str, str]) -> None:
    for key, value in settings.items():
        spark.conf.set(key, value)


class _OneCatalog(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]  # untyped
    """Apache Spark has one catalog that takes Delta tables: `lake1.silver` becomes its schema `lake1_silver`."""

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(details, _mapped(request))

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(details, _mapped(request))


def _mapped(request: Any) -> Any:
    """A copy, since a request may be sent again."""
    copy = type(request)()
    copy.CopyFrom(request)
    _rename(copy)
    return copy


def _rename(message: Any) -> None:
    """Every text of a plan may name a table: SQL, identifiers, the catalog's functions."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING and not field.is_repeated:
            setattr(message, field.name, _SCHEMA.sub(r"spark_catalog.\1_\2", value))
        elif field.type == field.TYPE_MESSAGE:
            for each in _messages(field, value):
                _rename(each)


def _messages(field: Any, value: Any) -> list[Any]:
    if not field.is_repeated:
        return [value]
    values = value.values() if hasattr(value, "values") else value
    return [each for each in values if hasattr(each, "ListFields")]
