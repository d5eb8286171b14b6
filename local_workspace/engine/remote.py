"""A Spark Connect server that somebody else runs (SPARK_REMOTE): what it has to have, and what is said when it has not.

It must serve the workspace's default catalog, or be Apache Spark with Delta Lake (see one_catalog), and see the same
files as this machine. A catalog of it that the workspace does not know is never touched.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from pyspark.errors import PySparkException

from local_workspace.engine.names import quoted

_REACHED_WITHIN_S = 5.0
_DEFAULT_PORT = 15002  # Spark Connect's own
_DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"


class RemoteUnfit(Exception):
    """The server of SPARK_REMOTE cannot run the workspace's notebooks; the text says what is missing."""


def expect_reachable(url: str) -> None:
    """Raises: RemoteUnfit. Without this, pyspark would go on trying for many minutes."""
    address = urlsplit(url)
    if address.scheme != "sc" or not address.hostname:
        raise RemoteUnfit(f"SPARK_REMOTE must look like sc://host:port; it is {_without_options(url)!r}.")
    try:
        port = address.port or _DEFAULT_PORT
        socket.create_connection((address.hostname, port), timeout=_REACHED_WITHIN_S).close()
    except (OSError, ValueError) as fault:
        raise RemoteUnfit(f"SPARK_REMOTE: nothing answers at {_without_options(url)} ({fault}).") from fault


def served_catalogs(url: str, wanted: Iterable[str], needed: str, execute: Callable[[str], Any]) -> list[str]:
    """Those of `wanted` that the server has. Raises: RemoteUnfit when `needed` is not among them."""
    served = [name for name in dict.fromkeys(wanted) if _has_catalog(name, execute)]
    if needed not in served:
        raise RemoteUnfit(
            f"SPARK_REMOTE: the server at {_without_options(url)} has no catalog {needed!r}. Start Sail with "
            f'SAIL_CATALOG__LIST=\'[{{type="memory", name="{needed}", initial_database=["default"]}}]\', or Apache '
            f"Spark with Delta Lake and spark.sql.catalog.spark_catalog={_DELTA_CATALOG}."
        )
    return served


def has_delta_in_spark_catalog(setting: Callable[[str, str], Any], needed: str) -> bool:
    """Whether the server is Apache Spark with Delta Lake. A Delta catalog of another name is none that it can use."""
    named = setting(f"spark.sql.catalog.{needed}", "")
    return setting("spark.sql.catalog.spark_catalog", "") == _DELTA_CATALOG and named in ("", _DELTA_CATALOG)


def same_files_missing(url: str, fault: Exception) -> RemoteUnfit:
    """What a failed first write and read means."""
    reason = str(fault).strip().splitlines()[:1]
    return RemoteUnfit(
        f"SPARK_REMOTE: the server at {_without_options(url)} must write Delta tables to the same files as this "
        f"machine, and did not: {type(fault).__name__}: {' '.join(reason)}"
    )


def _has_catalog(name: str, execute: Callable[[str], Any]) -> bool:
    try:
        execute(f"USE CATALOG {quoted(name)}")
    except PySparkException:
        return False
    return True


def _without_options(url: str) -> str:
    """The address without what follows it: a token may stand there."""
    return url.partition("/;")[0]
