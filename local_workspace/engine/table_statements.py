"""SQL that creates, replaces and drops tables and views, where the engine alone would leave the catalog behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException

from local_workspace.engine.catalog import SecurableNotFound
from local_workspace.engine.names import Cursor, TableName, quoted

if TYPE_CHECKING:
    from local_workspace.engine.statements import Call


def create_table(call: Call) -> Any | None:
    """The engine creates the table; one with a LOCATION of its own is given its name in the catalog as well."""
    call.cursor.take("IF", "NOT", "EXISTS")
    name = call.table_name()
    location = _location(call.cursor)
    if location is None:
        return _create_as_frame(call, name)
    answer = call.native()
    call.catalog.register_table(*name, call.engine.mapper.local(location))
    return answer


def _create_as_frame(call: Call, name: TableName) -> Any | None:
    """CREATE TABLE AS as a DataFrame's write, whose columns are nullable; other forms are left to the engine."""
    partitions = _table_clauses(call)
    if not call.cursor.take("AS") or _exists(call, name):
        return None
    writer = call.query(call.cursor.rest()).write.format("delta")
    (writer.partitionBy(*partitions) if partitions else writer).saveAsTable(quoted(*name))
    return call.nothing()


def create_or_replace_table(call: Call) -> Any | None:
    """Replacing with other columns needs the overwrite of the schema, which the engine does not do by itself."""
    name = call.table_name()
    if not _exists(call, name):
        call.cursor.position = 4
        return create_table(call)
    columns = call.cursor.parenthesised()
    partitions = _table_clauses(call)
    if call.cursor.take("AS"):
        frame = call.query(call.cursor.rest())
    elif columns is not None and call.cursor.at_end:
        frame = call.engine.session.createDataFrame([], columns)
    else:
        raise call.refuse(f"This form of CREATE OR REPLACE TABLE ({call.cursor.rest()[:40]})", "DROP it and CREATE it")
    writer = frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    (writer.partitionBy(*partitions) if partitions else writer).saveAsTable(quoted(*name))
    call.engine.columns_changed(name)
    return call.nothing()


def drop_table(call: Call) -> Any:
    missing_ok = call.cursor.take("IF", "EXISTS")
    name = call.table_name()
    try:
        kind = call.catalog.get_table(*name).table_type
    except SecurableNotFound as fault:
        if missing_ok:
            return call.nothing()
        raise _not_found(name) from fault
    if kind == "VIEW":
        raise AnalysisException(f"[EXPECT_TABLE_NOT_VIEW] {'.'.join(name)} is a view; use DROP VIEW.")
    call.catalog.delete_table(*name)
    call.engine_sql(f"DROP TABLE IF EXISTS {quoted(*name)}")
    call.engine.columns_changed(name)
    return call.nothing()


def create_view(call: Call) -> Any:
    """A view of the catalog: the engine checks it, the catalog keeps it for all sessions."""
    call.cursor.take("IF", "NOT", "EXISTS")
    name = call.table_name()
    answer = call.native()
    columns = call.cursor.parenthesised()
    call.cursor.string_after("COMMENT")
    query = call.cursor.rest() if call.cursor.take("AS") else ""
    if columns:
        query = f"SELECT * FROM ({query}) AS body({columns})"
    call.catalog.register_view(*name, query)
    return answer


def drop_view(call: Call) -> Any | None:
    call.cursor.take("IF", "EXISTS")
    parts = call.cursor.name()
    if len(parts) == 1 and any(
        each.name == parts[0] and each.isTemporary for each in call.engine.session.catalog.listTables()
    ):
        return None
    name = call.complete(parts)
    if _exists(call, name):
        call.catalog.delete_table(*name)
    return call.native()


def truncate_table(call: Call) -> Any:
    return call.engine_sql(f"DELETE FROM {quoted(*call.table_name())}") and call.nothing()


def _exists(call: Call, name: TableName) -> bool:
    try:
        call.catalog.get_table(*name)
    except SecurableNotFound:
        return False
    return True


def _table_clauses(call: Call) -> list[str]:
    """Step over USING, COMMENT, PARTITIONED BY and TBLPROPERTIES; return the partition columns."""
    partitions: list[str] = []
    while True:
        if call.cursor.take("USING") or call.cursor.take("COMMENT"):
            call.cursor.value()
        elif call.cursor.take("PARTITIONED", "BY"):
            text = call.cursor.parenthesised() or ""
            partitions = [token.value for token in Cursor(text).tokens if token.text != ","]
        elif call.cursor.take("TBLPROPERTIES"):
            call.cursor.parenthesised()
        else:
            return partitions


def _location(cursor: Cursor) -> str | None:
    for index, token in enumerate(cursor.tokens[:-1]):
        if token.upper == "AS":
            return None
        if token.upper == "LOCATION" and cursor.tokens[index + 1].kind == "string":
            return cursor.tokens[index + 1].value
    return None


def _not_found(name: TableName) -> AnalysisException:
    text = quoted(*name)
    return AnalysisException(f"[TABLE_OR_VIEW_NOT_FOUND] The table or view {text} cannot be found.")


HANDLERS = {
    ("CREATE", "TABLE"): create_table,
    ("CREATE", "EXTERNAL", "TABLE"): create_table,
    ("CREATE", "OR", "REPLACE", "TABLE"): create_or_replace_table,
    ("DROP", "TABLE"): drop_table,
    ("CREATE", "VIEW"): create_view,
    ("CREATE", "OR", "REPLACE", "VIEW"): create_view,
    ("DROP", "VIEW"): drop_view,
    ("TRUNCATE", "TABLE"): truncate_table,
}
