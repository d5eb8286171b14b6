"""Unity Catalog API 2.1: catalogs, schemas, volumes and tables; a table's storage_location is its local folder."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import ApiError, answer, arguments, boolean, integer, invalid, missing, text
from local_workspace.engine.catalog import (
    Catalog,
    CatalogError,
    CatalogInfo,
    ColumnInfo,
    SchemaInfo,
    SecurableExists,
    SecurableNotEmpty,
    SecurableNotFound,
    TableInfo,
    VolumeInfo,
)

_BASE = "/api/2.1/unity-catalog"
_DEFAULT_VOLUME_TYPE = "MANAGED"
_TYPE_DETAILS = {"DECIMAL": ("type_precision", "type_scale")}


def routes(catalog: Catalog, owner: str) -> list[Route]:
    """The routes of this family. What is not here (updates, grants, summaries) is answered with 501."""
    return [
        *_kind_routes("catalogs", _CatalogsApi(catalog, owner)),
        *_kind_routes("schemas", _SchemasApi(catalog, owner)),
        *_kind_routes("volumes", _VolumesApi(catalog, owner)),
        *_table_routes(_TablesApi(catalog, owner)),
    ]


def _kind_routes(kind: str, api: _CatalogsApi | _SchemasApi | _VolumesApi) -> list[Route]:
    return [
        Route(f"{_BASE}/{kind}", api.create, methods=["POST"]),
        Route(f"{_BASE}/{kind}", api.list, methods=["GET"]),
        Route(f"{_BASE}/{kind}/{{full_name}}", api.get, methods=["GET"]),
        Route(f"{_BASE}/{kind}/{{full_name}}", api.delete, methods=["DELETE"]),
    ]


def _table_routes(api: _TablesApi) -> list[Route]:
    return [
        Route(f"{_BASE}/tables", api.list, methods=["GET"]),
        Route(f"{_BASE}/tables/{{full_name}}", api.get, methods=["GET"]),
        Route(f"{_BASE}/tables/{{full_name}}", api.delete, methods=["DELETE"]),
        Route(f"{_BASE}/tables/{{full_name}}/exists", api.exists, methods=["GET"]),
    ]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Result = TypeVar("_Result")
_NamedItem = TypeVar("_NamedItem", bound=_Named)


class _Family:
    """What the four families share: blocking calls in a thread, and refusals in the words of Unity Catalog."""

    kind: str
    depth: int

    def __init__(self, catalog: Catalog, owner: str) -> None:
        self._catalog = catalog
        self._owner = owner

    async def _call(self, method: Callable[..., _Result], *arguments_: Any, **options: Any) -> _Result:
        try:
            return await asyncio.to_thread(method, *arguments_, **options)
        except SecurableNotFound as fault:
            raise missing(str(fault)) from fault
        except SecurableExists as fault:
            raise ApiError(400, f"{self.kind}_ALREADY_EXISTS", str(fault)) from fault
        except SecurableNotEmpty as fault:
            raise ApiError(400, f"{self.kind}_NOT_EMPTY", str(fault)) from fault
        except (CatalogError, ValueError) as fault:
            raise invalid(str(fault)) from fault

    def _names(self, request: Request) -> list[str]:
        """The parts of the full name in the path."""
        full_name = str(request.path_params["full_name"])
        names = full_name.split(".")
        if len(names) != self.depth or not all(names):
            raise invalid(f"'{full_name}' is not a valid full name: it needs {self.depth} part(s).")
        return names

    def _common(self, found: Any) -> dict[str, Any]:
        """The fields that every securable has."""
        fields: dict[str, Any] = {
            "name": found.name,
            "full_name": found.full_name,
            "owner": self._owner,
            "created_at": found.created_at,
            "created_by": self._owner,
            "updated_at": getattr(found, "updated_at", found.created_at),
            "updated_by": self._owner,
        }
        return fields | ({"comment": found.comment} if found.comment else {})


class _CatalogsApi(_Family):
    kind, depth = "CATALOG", 1

    async def create(self, request: Request) -> Response:
        values = await arguments(request)
        made = await self._call(self._catalog.create_catalog, text(values, "name"), text(values, "comment", "") or None)
        return answer(self._info(made))

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        return _listed("catalogs", await self._call(self._catalog.list_catalogs), values, self._info)

    async def get(self, request: Request) -> Response:
        return answer(self._info(await self._call(self._catalog.get_catalog, *self._names(request))))

    async def delete(self, request: Request) -> Response:
        force = boolean(await arguments(request), "force")
        await self._call(self._catalog.delete_catalog, *self._names(request), force=force)
        return answer()

    def _info(self, found: CatalogInfo) -> dict[str, Any]:
        return self._common(found) | {
            "id": found.catalog_id,
            "catalog_type": "MANAGED_CATALOG",
            "isolation_mode": "OPEN",
            "securable_type": "CATALOG",
        }


class _SchemasApi(_Family):
    kind, depth = "SCHEMA", 2

    async def create(self, request: Request) -> Response:
        values = await arguments(request)
        names = text(values, "catalog_name"), text(values, "name")
        made = await self._call(self._catalog.create_schema, *names, text(values, "comment", "") or None)
        return answer(self._info(made))

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        found = await self._call(self._catalog.list_schemas, text(values, "catalog_name"))
        return _listed("schemas", found, values, self._info)

    async def get(self, request: Request) -> Response:
        return answer(self._info(await self._call(self._catalog.get_schema, *self._names(request))))

    async def delete(self, request: Request) -> Response:
        force = boolean(await arguments(request), "force")
        await self._call(self._catalog.delete_schema, *self._names(request), force=force)
        return answer()

    def _info(self, found: SchemaInfo) -> dict[str, Any]:
        return self._common(found) | {
            "catalog_name": found.catalog_name,
            "catalog_type": "MANAGED_CATALOG",
            "schema_id": found.schema_id,
            "storage_location": found.storage_location,
        }


class _VolumesApi(_Family):
    kind, depth = "VOLUME", 3

    async def create(self, request: Request) -> Response:
        values = await arguments(request)
        volume_type = text(values, "volume_type", _DEFAULT_VOLUME_TYPE)
        if volume_type not in ("MANAGED", "EXTERNAL"):
            raise invalid(f"volume_type must be MANAGED or EXTERNAL, got {volume_type!r}.")
        location = text(values, "storage_location", "") or None
        if volume_type == "EXTERNAL" and location is None:
            raise invalid("storage_location is required for an EXTERNAL volume.")
        names = text(values, "catalog_name"), text(values, "schema_name"), text(values, "name")
        comment = text(values, "comment", "") or None
        made = await self._call(self._catalog.create_volume, *names, comment, storage_location=location)
        return answer(self._info(made))

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        place = text(values, "catalog_name"), text(values, "schema_name")
        return _listed("volumes", await self._call(self._catalog.list_volumes, *place), values, self._info)

    async def get(self, request: Request) -> Response:
        return answer(self._info(await self._call(self._catalog.get_volume, *self._names(request))))

    async def delete(self, request: Request) -> Response:
        await self._call(self._catalog.delete_volume, *self._names(request))
        return answer()

    def _info(self, found: VolumeInfo) -> dict[str, Any]:
        return self._common(found) | {
            "catalog_name": found.catalog_name,
            "schema_name": found.schema_name,
            "volume_id": found.volume_id,
            "volume_type": found.volume_type,
            "storage_location": found.storage_location,
        }


class _TablesApi(_Family):
    kind, depth = "TABLE", 3

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        place = text(values, "catalog_name"), text(values, "schema_name")
        with_columns = not boolean(values, "omit_columns")
        found = await self._call(self._catalog.list_tables, *place, with_columns=with_columns)
        return _listed("tables", found, values, self._info)

    async def get(self, request: Request) -> Response:
        return answer(self._info(await self._call(self._catalog.get_table, *self._names(request))))

    async def delete(self, request: Request) -> Response:
        await self._call(self._catalog.delete_table, *self._names(request))
        return answer()

    async def exists(self, request: Request) -> Response:
        try:
            await asyncio.to_thread(self._catalog.get_table, *self._names(request))
        except SecurableNotFound:
            return answer({"table_exists": False})
        return answer({"table_exists": True})

    def _info(self, found: TableInfo) -> dict[str, Any]:
        fields = self._common(found) | {
            "catalog_name": found.catalog_name,
            "schema_name": found.schema_name,
            "table_id": found.table_id,
            "table_type": found.table_type,
            "data_source_format": found.data_source_format,
            "storage_location": found.storage_location,
            "view_definition": found.view_definition,
            "columns": [_column(column) for column in found.columns] or None,
            "properties": found.properties or None,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _column(column: ColumnInfo) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": column.name,
        "type_text": column.type_text,
        "type_name": column.type_name,
        "position": column.position,
        "nullable": column.nullable,
    }
    details = column.type_text.partition("(")[2].rstrip(")").split(",")
    for name, value in zip(_TYPE_DETAILS.get(column.type_name, ()), details, strict=False):
        fields[name] = int(value)
    return fields | ({"comment": column.comment} if column.comment else {})


def _listed(
    key: str, found: Sequence[_NamedItem], values: dict[str, Any], info: Callable[[_NamedItem], dict[str, Any]]
) -> Response:
    """One page in the order of names; everything when max_results is absent or 0, as clients expect of a default."""
    size = integer(values, "max_results", 0)
    if size < 0:
        raise invalid("max_results must not be negative.")
    after = _decode_token(text(values, "page_token", ""))
    rest = [each for each in sorted(found, key=lambda item: item.name) if each.name > after]
    page = rest[:size] if size else rest
    body: dict[str, Any] = {key: [info(each) for each in page]} if page else {}
    if len(page) < len(rest):
        body["next_page_token"] = base64.urlsafe_b64encode(page[-1].name.encode()).decode()
    return answer(body)


def _decode_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError) as fault:
        raise invalid("page_token is not one of ours.") from fault
