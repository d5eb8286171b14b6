"""Unity Catalog's model of the workspace: catalogs, schemas, volumes, tables and views.

The truth about managed tables is on disk: a folder `tables/<catalog>/<schema>/<table>` with a Delta log is a table,
whoever wrote it. Everything else is kept in the registry. Names are lower case, as in Unity Catalog. The methods block.
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from local_workspace.engine.delta_types import type_name, type_text
from local_workspace.engine.registry import Registry, Row
from local_workspace.storage import Storage

DEFAULT_CATALOG = "petinsure360"
LEGACY_CATALOG = "hive_metastore"
_NAME = re.compile(r"[^./ \x00-\x1f\x7f]{1,255}")


class CatalogError(Exception):
    """A refusal of the catalog; `error_code` is the one of Databricks' REST API."""

    error_code = "INVALID_PARAMETER_VALUE"


class SecurableNotFound(CatalogError):
    error_code = "RESOURCE_DOES_NOT_EXIST"


class SecurableExists(CatalogError):
    error_code = "RESOURCE_ALREADY_EXISTS"


class SecurableNotEmpty(CatalogError):
    error_code = "INVALID_STATE"


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    name: str
    type_text: str
    type_name: str
    position: int
    nullable: bool = True
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogInfo:
    name: str
    catalog_id: str
    comment: str | None
    created_at: int

    @property
    def full_name(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class SchemaInfo:
    catalog_name: str
    name: str
    schema_id: str
    comment: str | None
    created_at: int
    storage_location: str

    @property
    def full_name(self) -> str:
        return f"{self.catalog_name}.{self.name}"


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    catalog_name: str
    schema_name: str
    name: str
    volume_id: str
    volume_type: str
    storage_location: str
    comment: str | None
    created_at: int

    @property
    def full_name(self) -> str:
        return f"{self.catalog_name}.{self.schema_name}.{self.name}"


@dataclass(frozen=True, slots=True)
class TableInfo:
    """`columns` is empty for a listing without columns and for views; times are epoch milliseconds."""

    catalog_name: str
    schema_name: str
    name: str
    table_id: str
    table_type: str
    data_source_format: str | None
    storage_location: str | None
    created_at: int
    updated_at: int
    comment: str | None = None
    columns: list[ColumnInfo] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    view_definition: str | None = None
    partition_columns: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.catalog_name}.{self.schema_name}.{self.name}"


class Catalog:
    """All securables of one data directory; safe to use from several processes."""

    def __init__(self, storage: Storage, default_catalog: str = DEFAULT_CATALOG) -> None:
        self.storage = storage
        self.default_catalog = default_catalog
        self._registry = Registry(storage.root / "catalog.db")
        for name in (default_catalog, "main", LEGACY_CATALOG):
            if self._registry.find("catalog", name) is None:
                self._add_catalog(name, None)

    # Catalogs

    def create_catalog(self, name: str, comment: str | None = None, *, if_not_exists: bool = False) -> CatalogInfo:
        name = _valid(name, "catalog")
        if not self._add_catalog(name, comment) and not if_not_exists:
            raise SecurableExists(f"Catalog '{name}' already exists.")
        return self.get_catalog(name)

    def get_catalog(self, name: str) -> CatalogInfo:
        row = self._registry.find("catalog", name.lower())
        if row is None:
            raise SecurableNotFound(f"Catalog '{name}' does not exist.")
        return CatalogInfo(row["full_name"], row["id"], row["comment"], row["created_at"])

    def list_catalogs(self) -> list[CatalogInfo]:
        rows = self._registry.all("catalog")
        return [CatalogInfo(row["full_name"], row["id"], row["comment"], row["created_at"]) for row in rows]

    def delete_catalog(self, name: str, *, force: bool = False) -> None:
        """Delete a catalog with its managed data. Raises SecurableNotEmpty unless forced or only `default` is left."""
        found = self.get_catalog(name)
        used = [schema for schema in self.list_schemas(found.name) if schema.name != "default" or self._in_use(schema)]
        if used and not force:
            raise SecurableNotEmpty(f"Catalog '{found.name}' is not empty. It has {len(used)} schema(s).")
        for schema in self.list_schemas(found.name):
            self.delete_schema(found.name, schema.name, force=True)
        self._registry.remove_below(found.name)
        self._registry.remove("catalog", found.name)
        shutil.rmtree(self.storage.tables_root / found.name, ignore_errors=True)

    # Schemas

    def create_schema(
        self, catalog: str, name: str, comment: str | None = None, *, if_not_exists: bool = False
    ) -> SchemaInfo:
        parent = self.get_catalog(catalog)
        name = _valid(name, "schema")
        if not self._add_schema(parent.name, name, comment) and not if_not_exists:
            raise SecurableExists(f"Schema '{parent.name}.{name}' already exists.")
        return self.get_schema(parent.name, name)

    def get_schema(self, catalog: str, name: str) -> SchemaInfo:
        parent = self.get_catalog(catalog)
        row = self._registry.find("schema", f"{parent.name}.{name.lower()}")
        if row is None:
            raise SecurableNotFound(f"Schema '{parent.name}.{name}' does not exist.")
        return self._schema(row)

    def list_schemas(self, catalog: str) -> list[SchemaInfo]:
        return [self._schema(row) for row in self._registry.children("schema", self.get_catalog(catalog).name)]

    def delete_schema(self, catalog: str, name: str, *, force: bool = False) -> None:
        found = self.get_schema(catalog, name)
        if not force and self._in_use(found):
            raise SecurableNotEmpty(f"Schema '{found.full_name}' is not empty.")
        for volume in self.list_volumes(found.catalog_name, found.name):
            self.delete_volume(found.catalog_name, found.name, volume.name)
        self._registry.remove_below(found.full_name)
        self._registry.remove("schema", found.full_name)
        shutil.rmtree(found.storage_location, ignore_errors=True)

    # Volumes

    def create_volume(
        self,
        catalog: str,
        schema: str,
        name: str,
        comment: str | None = None,
        *,
        storage_location: str | None = None,
        if_not_exists: bool = False,
    ) -> VolumeInfo:
        """Create a managed volume. An external one would have to live elsewhere than `/Volumes`; it is refused."""
        if storage_location:
            raise CatalogError("External volumes are not supported by the local workspace; create a managed volume.")
        parent = self.get_schema(catalog, schema)
        name = _valid(name, "volume")
        path = self.storage.volume_path(parent.catalog_name, parent.name, name)
        added = self._registry.add(
            _row("volume", f"{parent.full_name}.{name}", parent.full_name, comment, location=str(path))
        )
        if not added and not if_not_exists:
            raise SecurableExists(f"Volume '{parent.full_name}.{name}' already exists.")
        path.mkdir(parents=True, exist_ok=True)
        return self.get_volume(parent.catalog_name, parent.name, name)

    def get_volume(self, catalog: str, schema: str, name: str) -> VolumeInfo:
        full_name = f"{self.get_schema(catalog, schema).full_name}.{name.lower()}"
        row = self._registry.find("volume", full_name)
        if row is None:
            raise SecurableNotFound(f"Volume '{full_name}' does not exist.")
        return _volume(row)

    def list_volumes(self, catalog: str, schema: str) -> list[VolumeInfo]:
        parent = self.get_schema(catalog, schema)
        return [_volume(row) for row in self._registry.children("volume", parent.full_name)]

    def delete_volume(self, catalog: str, schema: str, name: str) -> None:
        found = self.get_volume(catalog, schema, name)
        self._registry.remove("volume", found.full_name)
        shutil.rmtree(found.storage_location, ignore_errors=True)

    # Tables and views

    def list_tables(self, catalog: str, schema: str, *, with_columns: bool = True) -> list[TableInfo]:
        parent = self.get_schema(catalog, schema)
        return [self._table(parent, *entry, with_columns=with_columns) for entry in sorted(self._entries(parent))]

    def get_table(self, catalog: str, schema: str, name: str) -> TableInfo:
        parent = self.get_schema(catalog, schema)
        return self._table(parent, *self._entry(parent, name), with_columns=True)

    def table_folder(self, catalog: str, schema: str, name: str) -> Path | None:
        """The folder of a Delta table, which is not opened; None for a view."""
        _, kind, place = self._entry(self.get_schema(catalog, schema), name)
        return None if kind == "VIEW" else Path(place)

    def delete_table(self, catalog: str, schema: str, name: str) -> None:
        """Drop a table: a managed one with its files, an external one or a view by name only."""
        found = self.get_table(catalog, schema, name)
        self._registry.remove("table", found.full_name)
        self._registry.remove("view", found.full_name)
        if found.table_type == "MANAGED":
            shutil.rmtree(str(found.storage_location))

    def register_table(self, catalog: str, schema: str, name: str, location: str | Path) -> None:
        """Give a Delta folder outside of the managed tables a name; naming it again moves the name."""
        parent = self.get_schema(catalog, schema)
        name = _valid(name, "table")
        self._registry.replace(
            _row("table", f"{parent.full_name}.{name}", parent.full_name, None, location=str(location))
        )

    def register_view(self, catalog: str, schema: str, name: str, definition: str) -> None:
        """Keep the statement that creates a view, so that every session can create it again."""
        parent = self.get_schema(catalog, schema)
        name = _valid(name, "view")
        self._registry.replace(
            _row("view", f"{parent.full_name}.{name}", parent.full_name, None, definition=definition)
        )

    def table_folders(self, schema: SchemaInfo) -> Iterator[tuple[str, Path]]:
        """Name and folder of every Delta table of a schema, without opening any of them."""
        for name, kind, place in self._entries(schema):
            if kind != "VIEW":
                yield name, Path(place)

    def views(self, schema: SchemaInfo) -> list[tuple[str, str]]:
        """Name and creating statement of every view of a schema."""
        rows = self._registry.children("view", schema.full_name)
        return [(row["full_name"].rpartition(".")[2], row["definition"]) for row in rows]

    def generation(self) -> int:
        """Grows with every change that is not a managed table."""
        return self._registry.generation()

    def _entry(self, schema: SchemaInfo, name: str) -> tuple[str, str, str]:
        for entry in self._entries(schema):
            if entry[0] == name.lower():
                return entry
        raise SecurableNotFound(f"Table '{schema.full_name}.{name}' does not exist.")

    def _entries(self, schema: SchemaInfo) -> Iterator[tuple[str, str, str]]:
        for row in self._registry.children("table", schema.full_name):
            yield row["full_name"].rpartition(".")[2], "EXTERNAL", row["location"]
        for name, definition in self.views(schema):
            yield name, "VIEW", definition
        folder = Path(schema.storage_location)
        for path in folder.iterdir() if folder.is_dir() else ():
            if (path / "_delta_log").is_dir():
                yield path.name, "MANAGED", str(path)

    def _table(self, schema: SchemaInfo, name: str, kind: str, place: str, *, with_columns: bool) -> TableInfo:
        full_name = f"{schema.full_name}.{name}"
        if kind == "VIEW":
            row = self._registry.find("view", full_name) or _row("view", full_name, schema.full_name, None)
            at = row["created_at"]
            return TableInfo(
                schema.catalog_name, schema.name, name, row["id"], kind, None, None, at, at, view_definition=place
            )
        return _read_delta(schema, name, kind, place, with_columns=with_columns)

    def _in_use(self, schema: SchemaInfo) -> bool:
        return any(self._entries(schema)) or bool(self._registry.children("volume", schema.full_name))

    def _add_catalog(self, name: str, comment: str | None) -> bool:
        added = self._registry.add(_row("catalog", name, "", comment))
        if added:
            self._add_schema(name, "default", None)
        return added

    def _add_schema(self, catalog: str, name: str, comment: str | None) -> bool:
        self.storage.schema_path(catalog, name).mkdir(parents=True, exist_ok=True)
        return self._registry.add(_row("schema", f"{catalog}.{name}", catalog, comment))

    def _schema(self, row: Row) -> SchemaInfo:
        catalog, _, name = row["full_name"].partition(".")
        location = str(self.storage.schema_path(catalog, name))
        return SchemaInfo(catalog, name, row["id"], row["comment"], row["created_at"], location)


def _valid(name: str, kind: str) -> str:
    if not _NAME.fullmatch(name):
        raise CatalogError(f"'{name}' is not a valid name for a {kind}.")
    return name.lower()


def _row(
    kind: str,
    full_name: str,
    parent: str,
    comment: str | None,
    *,
    location: str | None = None,
    definition: str | None = None,
) -> Row:
    return {
        "kind": kind,
        "full_name": full_name,
        "parent": parent,
        "id": str(uuid.uuid4()),
        "comment": comment,
        "location": location,
        "definition": definition,
        "created_at": int(time.time() * 1000),
    }


def _volume(row: Row) -> VolumeInfo:
    catalog, schema, name = row["full_name"].split(".")
    return VolumeInfo(catalog, schema, name, row["id"], "MANAGED", row["location"], row["comment"], row["created_at"])


def _read_delta(schema: SchemaInfo, name: str, kind: str, place: str, *, with_columns: bool) -> TableInfo:
    """What the Delta log says; a log that cannot be read leaves the columns empty rather than hiding the table."""
    log = Path(place, "_delta_log")
    seen = int(log.stat().st_mtime * 1000) if log.is_dir() else 0
    table = _open(place) if with_columns else None
    metadata = table.metadata() if table is not None else None
    return TableInfo(
        schema.catalog_name,
        schema.name,
        name,
        table_id=str(metadata.id) if metadata else str(uuid.uuid5(uuid.NAMESPACE_URL, place)),
        table_type=kind,
        data_source_format="DELTA",
        storage_location=place,
        created_at=int(metadata.created_time or seen) if metadata else seen,
        updated_at=seen,
        comment=metadata.description if metadata else None,
        columns=_columns(table) if table is not None else [],
        properties=dict(metadata.configuration) if metadata else {},
        partition_columns=list(metadata.partition_columns) if metadata else [],
    )


def _open(place: str) -> DeltaTable | None:
    try:
        return DeltaTable(place)
    except (TableNotFoundError, DeltaError):
        return None


def _columns(table: Any) -> list[ColumnInfo]:
    columns = []
    for position, each in enumerate(table.schema().fields):
        text = type_text(each.type)
        comment = each.metadata.get("comment")
        columns.append(ColumnInfo(each.name, text, type_name(text), position, each.nullable, comment))
    return columns
