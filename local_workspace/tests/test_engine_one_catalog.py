"""Names on a server with one catalog (Apache Spark): those of the workspace are mapped, and nothing else is touched."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql.connect import functions, proto

from local_workspace.engine.catalog import Catalog
from local_workspace.engine.one_catalog import OneCatalog
from local_workspace.storage import Storage


@pytest.fixture
def names(tmp_path: Path) -> OneCatalog:
    catalog = Catalog(Storage(tmp_path))
    for schema in ("silver", "gold"):
        catalog.create_schema("petinsure360", schema)
    return OneCatalog(catalog)


SILVER, GOLD = "`spark_catalog`.`petinsure360__silver`", "`spark_catalog`.`petinsure360__gold`"


@pytest.mark.parametrize(
    ("sql", "mapped"),
    [
        ("SELECT * FROM petinsure360.silver.claims", f"SELECT * FROM {SILVER}.claims"),
        ("SELECT * FROM `petinsure360` . `Silver`.claims", f"SELECT * FROM {SILVER}.claims"),
        ("SELECT petinsure360.gold.t.id FROM petinsure360.gold.t", f"SELECT {GOLD}.t.id FROM {GOLD}.t"),
        ("MERGE INTO petinsure360.gold.t AS t USING s ON t.a = s.a", f"MERGE INTO {GOLD}.t AS t USING s ON t.a = s.a"),
        ("SELECT s.gold, gold.x FROM gold.t AS gold", f"SELECT s.gold, gold.x FROM {GOLD}.t AS gold"),
        ("CREATE SCHEMA petinsure360.new", "CREATE SCHEMA `spark_catalog`.`petinsure360__new`"),
        ("SHOW TABLES IN petinsure360.silver", f"SHOW TABLES IN {SILVER}"),
        ("SHOW TABLES FROM silver LIKE 'c*'", f"SHOW TABLES FROM {SILVER} LIKE 'c*'"),
        ("SELECT main.x FROM here AS main", None),
        ("SELECT 'petinsure360.silver.claims' -- FROM petinsure360.silver.claims", None),
        ("SELECT * FROM spark_catalog.silver.claims", None),
        ("SELECT * FROM other.claims JOIN delta.`/silver/claims`", None),
        ("SELECT silver FROM claims", None),
    ],
)  # fmt: skip
def test_names_of_the_workspace_are_mapped_and_no_other_text(names: OneCatalog, sql: str, mapped: str | None) -> None:
    assert names.statement(sql) == (mapped or sql)


def test_plans_name_tables_and_schemas_alike(names: OneCatalog) -> None:
    plan = proto.Plan()
    plan.root.join.left.read.named_table.unparsed_identifier = "petinsure360.silver.claims"
    plan.root.join.right.read.named_table.unparsed_identifier = "gold.monthly_kpis"
    names.rewrite(plan)
    assert plan.root.join.left.read.named_table.unparsed_identifier == f"{SILVER}.`claims`"
    assert plan.root.join.right.read.named_table.unparsed_identifier == f"{GOLD}.`monthly_kpis`"


@pytest.mark.parametrize("name", ["claims", "delta.`/a/b`", "global_temp.claims", "spark_catalog.silver.claims"])
def test_what_is_none_of_the_workspaces_stays(names: OneCatalog, name: str) -> None:
    plan = proto.Plan()
    plan.root.read.named_table.unparsed_identifier = name
    names.rewrite(plan)
    assert plan.root.read.named_table.unparsed_identifier == name


def test_writes_and_the_catalogs_functions_are_mapped(names: OneCatalog) -> None:
    plan = proto.Plan()
    plan.command.write_operation.table.table_name = "petinsure360.gold.kpis"
    names.rewrite(plan)
    assert plan.command.write_operation.table.table_name == f"{GOLD}.`kpis`"
    asked = proto.Plan()
    asked.root.catalog.database_exists.db_name = "petinsure360.silver"
    names.rewrite(asked)
    assert asked.root.catalog.database_exists.db_name == SILVER


def test_another_catalog_gives_short_names_another_meaning(names: OneCatalog) -> None:
    plan = proto.Plan()
    plan.root.catalog.set_current_catalog.catalog_name = "main"
    names.rewrite(plan)
    assert plan.root.catalog.set_current_database.db_name == "`spark_catalog`.`main__default`"
    assert names.statement("SELECT * FROM silver.claims") == "SELECT * FROM silver.claims"
    assert names.told_back("main__default") == ("main", "default")
    plan.root.catalog.set_current_catalog.catalog_name = "spark_catalog"
    names.rewrite(plan)
    assert plan.root.catalog.set_current_catalog.catalog_name == "spark_catalog"
    assert names.told_back("elsewhere") == ("spark_catalog", "elsewhere")


def with_arguments(names: OneCatalog, query: str, **values: Any) -> Any:
    """The statement's relation as it goes to the server."""
    plan = proto.Plan()
    sql = plan.command.sql_command.input.sql
    sql.query = query
    for name, value in values.items():
        sql.named_arguments[name].CopyFrom(functions.lit(value)._expr.to_plan(None))
    names.rewrite(plan)
    return sql


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("O'Hara \\", r"'O\'Hara \\'"),
        ("petinsure360.silver.claims", "'petinsure360.silver.claims'"),
        (":b", "':b'"),
        (7, "7"),
        (2**40, f"{2**40}L"),
        (-0.1, "CAST('-0.1' AS DOUBLE)"),
        (Decimal("12.30"), "12.30BD"),
        (True, "TRUE"),
        (None, "NULL"),
        (date(2025, 7, 31), "DATE '2025-07-31'"),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "timestamp_micros(1000000L)"),
        (b"\x00\xff", "X'00ff'"),
    ],
)
def test_parameters_become_literals_that_say_just_that_value(names: OneCatalog, value: Any, text: str) -> None:
    sent = with_arguments(names, "SELECT * FROM silver.claims WHERE a = :a AND b = ':a' AND c:a = 1", a=value, b="x")
    assert sent.query == f"SELECT * FROM {SILVER}.claims WHERE a = {text} AND b = ':a' AND c:a = 1"
    assert not sent.named_arguments
