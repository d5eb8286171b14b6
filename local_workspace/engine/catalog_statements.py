"""SQL on catalogs, schemas, volumes and the session: executed in the workspace's catalog, then told to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_workspace.engine.catalog import CatalogError, SecurableNotFound

if TYPE_CHECKING:
    from local_workspace.engine.statements import Call


def use(call: Call) -> Any:
    """USE [SCHEMA | DATABASE] [catalog.]schema."""
    call.cursor.take_any("SCHEMA", "DATABASE", "NAMESPACE")
    catalog, schema = call.schema_name()
    call.engine.use(catalog, schema)
    return call.nothing()


def use_catalog(call: Call) -> Any:
    """SET CATALOG and USE CATALOG: the schema becomes `default`, as on Databricks."""
    name = call.cursor.name()[0].lower()
    call.catalog.get_catalog(name)
    call.engine.use(name, "default")
    return call.nothing()


def create_catalog(call: Call) -> Any:
    exists_ok = call.cursor.take("IF", "NOT", "EXISTS")
    name = call.cursor.name()[0].lower()
    comment = _comment(call)
    known = {each.name for each in call.catalog.list_catalogs()}
    if name not in known and call.engine.has_temporary_views():
        raise call.refuse("CREATE CATALOG after a temporary view", "create catalogs at the beginning of the notebook")
    call.catalog.create_catalog(name, comment, if_not_exists=exists_ok)
    call.engine.refresh()
    return call.nothing()


def drop_catalog(call: Call) -> Any:
    missing_ok = call.cursor.take("IF", "EXISTS")
    name = call.cursor.name()[0]
    try:
        call.catalog.delete_catalog(name, force=call.cursor.take("CASCADE"))
    except SecurableNotFound:
        if not missing_ok:
            raise
    call.engine.refresh()
    return call.nothing()


def show_catalogs(call: Call) -> Any:
    if not call.cursor.at_end:
        return call.native()
    return call.frame([(each.name,) for each in call.catalog.list_catalogs()], "catalog string")


def create_schema(call: Call) -> Any:
    exists_ok = call.cursor.take("IF", "NOT", "EXISTS")
    catalog, name = call.schema_name()
    comment = _comment(call)
    if call.cursor.take("MANAGED", "LOCATION") or call.cursor.take("LOCATION"):
        raise call.refuse("CREATE SCHEMA with a location", "leave it out; managed tables have their place")
    call.catalog.create_schema(catalog, name, comment, if_not_exists=exists_ok)
    call.engine.refresh()
    return call.nothing()


def drop_schema(call: Call) -> Any:
    missing_ok = call.cursor.take("IF", "EXISTS")
    catalog, name = call.schema_name()
    try:
        call.catalog.delete_schema(catalog, name, force=call.cursor.take("CASCADE"))
    except SecurableNotFound:
        if not missing_ok:
            raise
    call.engine.refresh()
    return call.nothing()


def show_schemas(call: Call) -> Any:
    named = call.cursor.take_any("IN", "FROM")
    catalog = call.cursor.name()[0].lower() if named else call.namespace().catalog
    if not call.cursor.at_end:
        return call.native()
    return call.frame([(each.name,) for each in call.catalog.list_schemas(catalog)], "databaseName string")


def create_volume(call: Call) -> Any:
    exists_ok = call.cursor.take("IF", "NOT", "EXISTS")
    catalog, schema, name = call.table_name()
    location = call.cursor.string_after("LOCATION")
    call.catalog.create_volume(
        catalog, schema, name, _comment(call), storage_location=location, if_not_exists=exists_ok
    )
    return call.nothing()


def drop_volume(call: Call) -> Any:
    missing_ok = call.cursor.take("IF", "EXISTS")
    try:
        call.catalog.delete_volume(*call.table_name())
    except SecurableNotFound:
        if not missing_ok:
            raise
    return call.nothing()


def show_volumes(call: Call) -> Any:
    named = call.cursor.take_any("IN", "FROM")
    catalog, schema = call.schema_name() if named else (call.namespace().catalog, call.namespace().schema)
    rows = [(schema, each.name) for each in call.catalog.list_volumes(catalog, schema)]
    return call.frame(rows, "database string, volume_name string")


def set_time_zone(call: Call) -> Any:
    call.engine.session.conf.set("spark.sql.session.timeZone", call.cursor.value())
    return call.nothing()


def set_or_show(call: Call) -> Any | None:
    """SET key = value and SET key, which answer both; SET alone is left to the engine."""
    if call.cursor.at_end:
        return None
    key, equals, value = (part.strip() for part in call.cursor.rest().partition("="))
    if equals:
        call.engine.session.conf.set(key, value)
    return call.frame([(key, call.engine.session.conf.get(key, "<undefined>"))], "key string, value string")


def do_nothing(call: Call) -> Any:
    """Hints to another engine's cache and planner, which change no answer."""
    return call.nothing()


def _comment(call: Call) -> str | None:
    return call.cursor.string_after("COMMENT")


def external_volume(call: Call) -> Any:
    raise CatalogError("External volumes are not supported by the local workspace; create a managed volume.")


HANDLERS = {
    ("USE",): use,
    ("USE", "CATALOG"): use_catalog,
    ("SET", "CATALOG"): use_catalog,
    ("CREATE", "CATALOG"): create_catalog,
    ("DROP", "CATALOG"): drop_catalog,
    ("SHOW", "CATALOGS"): show_catalogs,
    ("CREATE", "SCHEMA"): create_schema,
    ("CREATE", "DATABASE"): create_schema,
    ("DROP", "SCHEMA"): drop_schema,
    ("DROP", "DATABASE"): drop_schema,
    ("SHOW", "SCHEMAS"): show_schemas,
    ("SHOW", "DATABASES"): show_schemas,
    ("CREATE", "VOLUME"): create_volume,
    ("CREATE", "EXTERNAL", "VOLUME"): external_volume,
    ("DROP", "VOLUME"): drop_volume,
    ("SHOW", "VOLUMES"): show_volumes,
    ("SET", "TIME", "ZONE"): set_time_zone,
    ("SET",): set_or_show,
    ("ANALYZE", "TABLE"): do_nothing,
    ("REFRESH", "TABLE"): do_nothing,
    ("CACHE", "TABLE"): do_nothing,
    ("UNCACHE", "TABLE"): do_nothing,
    ("CLEAR", "CACHE"): do_nothing,
}
