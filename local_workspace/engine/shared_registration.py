"""Telling a server whose catalog all sessions share, and which outlives them, what the workspace has.

On Apache Spark DROP deletes the files of a table that a notebook wrote: a name is dropped only where no files are left.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from pyspark.errors import PySparkException

from local_workspace.engine.catalog import SchemaInfo
from local_workspace.engine.names import TableName, literal, quoted
from local_workspace.engine.registration import Registrar
from local_workspace.engine.remote import RemoteUnfit

log = structlog.get_logger(__name__)

FIRST_COMMIT = f"{0:020}.json"
MAKER_TELLS_WITHIN_S = 15.0
LOOK_EVERY_S = 0.05


class SharedRegistrar(Registrar):
    """A Registrar of which several may tell the same server at the same time."""

    def _engine_names(self) -> list[str]:
        return [each.name for each in self._catalog.list_catalogs()]

    def _drop_schema(self, name: tuple[str, str]) -> None:
        """It stays as an empty name: what another session makes there meanwhile must not go with it."""

    def _tell_schema(self, name: tuple[str, str], schema: SchemaInfo) -> None:
        """Raises: RemoteUnfit when the server has the schema at another place."""
        location = literal(schema.storage_location)
        self._execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(*name)} LOCATION {location}")
        described = self._execute(f"DESCRIBE SCHEMA {quoted(*name)}").collect()
        place = next(row[1] for row in described if row[0] == "Location")
        if Path(unquote(urlsplit(place).path)) != Path(schema.storage_location):
            raise RemoteUnfit(
                f"SPARK_REMOTE: the server keeps {schema.full_name} at {place}, not at {schema.storage_location}; "
                "another data directory uses this server. Each needs a server of its own."
            )
        self._forget_gone(name, schema)

    def _forget_gone(self, name: tuple[str, str], schema: SchemaInfo) -> None:
        """Names of tables and views that were deleted while nobody could tell the server."""
        views = {row["viewName"] for row in self._execute(f"SHOW VIEWS IN {quoted(*name)}").collect()}
        listed = self._execute(f"SHOW TABLES IN {quoted(*name)}").collect()
        tables = {row["tableName"] for row in listed if not row["isTemporary"]} - views
        folders = {table: str(folder) for table, folder in self._catalog.table_folders(schema)}
        for table in tables - folders.keys():
            self._drop_table((*name, table), str(Path(schema.storage_location, table)))
        self._tables.update({(*name, table): folders[table] for table in tables & folders.keys()})
        for view in views - {each for each, _ in self._catalog.views(schema)}:
            self._execute(f"DROP VIEW IF EXISTS {quoted(*name, view)}")

    def _drop_table(self, name: TableName, folder: str) -> None:
        if not Path(folder, "_delta_log").is_dir():
            super()._drop_table(name, folder)

    def _tell_table(self, name: TableName, folder: str) -> None:
        """One that cannot be told is being made at this moment, by a session that tells the server when it is whole."""
        if self._known_soon(name, Path(folder)):
            return
        try:
            self._execute(f"CREATE TABLE IF NOT EXISTS {quoted(*name)} USING DELTA LOCATION {literal(folder)}")
        except PySparkException as fault:
            log.info("table_not_registered", table=".".join(name), fault=type(fault).__name__)

    def _known_soon(self, name: TableName, folder: Path) -> bool:
        """Whether the server knows the table, which is given the time to be told by whoever has just made it.

        Spark commits a new table and names it then: where another session has named it in between, the maker fails.
        """
        while not self._is_known(name):
            if _age_s(folder / "_delta_log") > MAKER_TELLS_WITHIN_S:
                return False
            time.sleep(LOOK_EVERY_S)
        return True

    def _is_known(self, name: TableName) -> bool:
        listed = self._execute(f"SHOW TABLES IN {quoted(*name[:2])}").collect()
        return any(row["tableName"] == name[2] and not row["isTemporary"] for row in listed)


def _age_s(log: Path) -> float:
    """Seconds since the first commit, or since the log last changed, where that is not there: yet, or any more."""
    for made in (log / FIRST_COMMIT, log):
        with suppress(FileNotFoundError):
            return time.time() - made.stat().st_mtime
    return math.inf
