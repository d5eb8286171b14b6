"""The engine's catalog lives as long as its session; this keeps it equal to the workspace's catalog."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import structlog

from local_workspace.engine.catalog import LEGACY_CATALOG, Catalog, SchemaInfo
from local_workspace.engine.names import TableName, literal, quoted

SPARK_CATALOG = "spark_catalog"
log = structlog.get_logger(__name__)

Execute = Callable[[str], Any]


def engine_catalogs(catalog: Catalog) -> list[str]:
    """Every catalog that the engine has to list; `spark_catalog` is Spark's other name for the legacy one."""
    return [*(each.name for each in catalog.list_catalogs()), SPARK_CATALOG]


class Registrar:
    """Tells an engine session the difference between what it knows and what is on disk.

    A table told by its location is not told again when its data or columns change: the engine reads the Delta log at
    each query.
    """

    def __init__(self, catalog: Catalog, execute: Execute, only: Collection[str] | None = None) -> None:
        """`only` names the catalogs that the engine has, where it cannot be given every one."""
        self._catalog = catalog
        self._execute = execute
        self._only = only
        self._schemas: set[tuple[str, str]] = set()
        self._tables: dict[TableName, str] = {}
        self._views: dict[TableName, str] = {}
        self._fresh = True  # a new session knows no table, so nothing has to be dropped before it is told

    def forget(self, name: TableName) -> None:
        """Tell the session about this table again at the next sync: its columns changed behind the engine's back."""
        self._tables.pop(name, None)

    def sync(self) -> None:
        """Register what is new, drop what is gone; costs a few directory listings when nothing changed."""
        schemas: dict[tuple[str, str], SchemaInfo] = {}
        for engine_name in self._engine_names():
            source = LEGACY_CATALOG if engine_name == SPARK_CATALOG else engine_name
            for schema in self._catalog.list_schemas(source):
                schemas[engine_name, schema.name] = schema
        self._sync_schemas(schemas)
        self._sync_tables(schemas)
        self._sync_views(schemas)
        self._fresh = False

    def _engine_names(self) -> list[str]:
        return [name for name in engine_catalogs(self._catalog) if self._only is None or name in self._only]

    def _sync_schemas(self, schemas: dict[tuple[str, str], SchemaInfo]) -> None:
        for name in self._schemas - schemas.keys():
            self._drop_schema(name)
        for name in schemas.keys() - self._schemas:
            self._tell_schema(name, schemas[name])
        self._schemas = set(schemas)
        for known in (self._tables, self._views):
            for name3 in [name3 for name3 in known if name3[:2] not in schemas]:
                del known[name3]

    def _drop_schema(self, name: tuple[str, str]) -> None:
        self._execute(f"DROP SCHEMA IF EXISTS {quoted(*name)} CASCADE")

    def _tell_schema(self, name: tuple[str, str], schema: SchemaInfo) -> None:
        if schema.name == "default":  # the engine makes it by itself, but nowhere
            self._execute(f"DROP SCHEMA IF EXISTS {quoted(*name)}")
        self._execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(*name)} LOCATION {literal(schema.storage_location)}")

    def _sync_tables(self, schemas: dict[tuple[str, str], SchemaInfo]) -> None:
        wanted = {
            (*name, table): str(folder)
            for name, schema in schemas.items()
            for table, folder in self._catalog.table_folders(schema)
        }
        for name3 in self._tables.keys() - wanted.keys():
            self._drop_table(name3, self._tables[name3])
        for name3, folder in wanted.items():
            if self._tables.get(name3) != folder:
                self._tell_table(name3, folder)
        self._tables = wanted

    def _drop_table(self, name: TableName, folder: str) -> None:
        """The engine forgets the name; `folder` is where the table was."""
        self._execute(f"DROP TABLE IF EXISTS {quoted(*name)}")

    def _tell_table(self, name: TableName, folder: str) -> None:
        """A table that the session created itself has its columns fixed there; told by location, they are read."""
        if not self._fresh:
            self._execute(f"DROP TABLE IF EXISTS {quoted(*name)}")
        self._execute(f"CREATE TABLE IF NOT EXISTS {quoted(*name)} USING DELTA LOCATION {literal(folder)}")

    def _sync_views(self, schemas: dict[tuple[str, str], SchemaInfo]) -> None:
        wanted = {
            (*name, view): query for name, schema in schemas.items() for view, query in self._catalog.views(schema)
        }
        for name3 in self._views.keys() - wanted.keys():
            self._execute(f"DROP VIEW IF EXISTS {quoted(*name3)}")
        for name3, query in wanted.items():
            if self._views.get(name3) != query:
                self._create_view(name3, query)
        self._views = wanted

    def _create_view(self, name: TableName, query: str) -> None:
        """A view whose tables are gone stays out of the session: the query that uses it says what is missing."""
        try:
            self._execute(f"CREATE OR REPLACE VIEW {quoted(*name)} AS {query}")
        except Exception as fault:  # noqa: BLE001  any refusal of the engine; the others must still be told
            log.warning("view_not_registered", view=".".join(name), fault=type(fault).__name__)
