"""A lake made by older code keeps working: new columns come, and rows follow the rules of the code that runs."""

import json

import pytest
from pyspark.sql import functions as F


@pytest.fixture
def lake(workspace, make):
    workspace.land_book()
    rows = [
        make.claim("A", claim_amount="250.00"),
        make.claim("B", invoice_number="INV-A"),
        make.claim("C", status="?"),
    ]
    workspace.land("claims/a.jsonl", rows)
    workspace.run_all()
    return workspace


TABLES = (
    *("silver.customers", "silver.pets", "silver.policies", "silver.policies_history", "silver.vet_providers"),
    *("silver.claims", "silver.quarantine", "gold.claims_analytics", "gold.monthly_kpis", "gold.customer_360"),
    *("gold.provider_performance", "gold.risk_scoring", "gold.cross_sell"),
)
OLDER = {
    "bronze.claims": ("_ingested_at", "treatment_notes"),
    "silver.claims": ("limit_left", "_warnings"),
    "silver.policies_history": ("includes_dental",),
    "gold.claims_analytics": ("review_flags", "leakage_amount"),
    "gold.monthly_kpis": ("developed",),
    "gold.provider_performance": ("_row_hash",),
}
"""Columns that an older version did not have."""


def _facts(workspace, table):
    return sorted(str({k: v for k, v in row.items() if k != "_run_id"}) for row in workspace.rows(table))


def _code_is_older(workspace):
    for file in (workspace.root / "control" / "standing").iterdir():
        told = json.loads(file.read_text())
        file.write_text(json.dumps(told | {"code": "older"}))


def _make_older(workspace):
    _code_is_older(workspace)
    for table, columns in OLDER.items():
        name = f"{workspace.catalog}.{table}"
        rows = workspace.spark.table(name).drop(*columns)
        rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(name)


def test_tables_that_lack_columns_get_them_with_their_values(lake):
    wanted = {table: _facts(lake, table) for table in TABLES}
    _make_older(lake)
    lake.run_all()
    assert {table: _facts(lake, table) for table in TABLES} == wanted


def test_new_rows_come_into_tables_that_lack_columns(lake, make):
    _make_older(lake)
    lake.land("claims/b.jsonl", [make.claim("D", treatment_notes="well again")])
    lake.run_all()
    assert sorted(lake.by("gold.claims_analytics", "claim_id")) == ["A", "B", "D"]
    assert lake.by("silver.claims", "claim_id")["D"]["treatment_notes"] == "well again"
    ingested = {row["claim_id"]: row["_ingested_at"] for row in lake.rows("bronze.claims")}
    assert (ingested["A"], ingested["D"] is None) == (None, False)


def test_what_was_rescued_is_read_once_its_column_is_declared(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A", treatment_notes="limps"), make.claim("B")])
    workspace.run_all()
    _code_is_older(workspace)
    name = f"{workspace.catalog}.bronze.claims"
    rescued = F.to_json(F.struct("treatment_notes", F.lit("7").alias("wag_factor")))
    rows = workspace.spark.table(name).withColumn("_rescued", F.when(F.col("claim_id") == "A", rescued))
    rows = rows.drop("treatment_notes")
    rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(name)
    workspace.run("silver")
    assert _notes(workspace) == {"A": "limps", "B": None}
    workspace.land("claims/b.jsonl", [make.claim("B", treatment_notes="coughs", updated_at="2025-04-01T00:00:00Z")])
    workspace.land("claims/c.jsonl", [make.claim("C", treatment_notes="well")])
    workspace.run_all()
    _code_is_older(workspace)  # so that the table, which has the column now, is read once more as a whole
    workspace.run("silver")
    assert _notes(workspace) == {"A": "limps", "B": "coughs", "C": "well"}


def _notes(workspace):
    return {claim_id: row["treatment_notes"] for claim_id, row in workspace.by("silver.claims", "claim_id").items()}


def test_a_run_for_chosen_claims_works_on_older_tables_and_takes_no_other(lake, make):
    _make_older(lake)
    lake.land("claims/D.jsonl", [make.claim("D")])
    lake.land("claims/E.jsonl", [make.claim("E")])
    lake.run("bronze")
    lake.run("silver", claim_ids="D")
    assert sorted(lake.by("silver.claims", "claim_id")) == ["A", "B", "D"]
    lake.run("silver")
    lake.run("gold", claim_ids="D")
    assert {i: row["review_flags"] for i, row in lake.by("gold.claims_analytics", "claim_id").items()} == {
        "A": [],
        "B": ["duplicate_invoice"],
        "D": [],
    }


def test_rows_of_older_rules_are_made_again_and_the_others_keep_their_run(lake):
    _code_is_older(lake)
    catalog = lake.catalog
    lake.spark.sql(f"UPDATE {catalog}.silver.claims SET expected_paid = 1 WHERE claim_id = 'A'")
    lake.spark.sql(f"DELETE FROM {catalog}.silver.quarantine")
    lake.spark.sql(f"UPDATE {catalog}.gold.claims_analytics SET leakage_amount = 7 WHERE claim_id = 'B'")
    lake.run_all()
    claims = lake.by("silver.claims", "claim_id")
    assert {i: (str(row["expected_paid"]), row["_run_id"]) for i, row in claims.items()} == {
        "A": ("120.00", "run-5"),
        "B": ("240.00", "run-2"),
    }
    assert [row["key"] for row in lake.rows("silver.quarantine")] == ["C"]
    analytics = lake.by("gold.claims_analytics", "claim_id")
    assert {i: (str(row["leakage_amount"]), row["_run_id"]) for i, row in analytics.items()} == {
        "A": ("40.00", "run-3"),
        "B": ("0.00", "run-6"),
    }


def test_a_row_that_newer_rules_refuse_leaves_silver(lake):
    _code_is_older(lake)
    lake.spark.sql(f"INSERT INTO {lake.catalog}.silver.claims SELECT * FROM {lake.catalog}.silver.claims LIMIT 1")
    lake.spark.sql(f"UPDATE {lake.catalog}.silver.vet_providers SET provider_id = 'VET-0'")
    lake.run_all()
    assert sorted(row["claim_id"] for row in lake.rows("silver.claims")) == ["A", "B"]
    assert [row["provider_id"] for row in lake.rows("silver.vet_providers")] == ["VET-1"]


def test_newer_code_commits_nothing_where_it_comes_to_the_same(lake):
    _code_is_older(lake)
    before = lake.versions()
    lake.run_all()
    assert lake.versions() == before


def _parts(workspace, table):
    return {row["claim_id"]: row["table_part"] for row in workspace.rows(table)}


def _runs(workspace, table):
    return {row["claim_id"]: row["_run_id"] for row in workspace.rows(table)}


CLAIMS = ("silver.claims", "gold.claims_analytics")


def test_a_book_that_outgrows_its_one_part_lies_in_quarters_from_then_on(lake, make, monkeypatch):
    monkeypatch.setattr("medallion.lake.SMALL_BOOK", 3)
    assert [_parts(lake, table) for table in CLAIMS] == [{"A": "whole", "B": "whole"}] * 2
    runs = [_runs(lake, table) for table in CLAIMS]
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-05-10"), make.claim("E")])
    lake.run_all()
    parts = {"A": "2025-Q1", "B": "2025-Q1", "D": "2025-Q2", "E": "2025-Q1"}
    assert [_parts(lake, table) for table in CLAIMS] == [parts] * 2
    runs = [before | {"D": run, "E": run} for before, run in zip(runs, ("run-5", "run-6"), strict=True)]
    assert [_runs(lake, table) for table in CLAIMS] == runs
    before = {table: set(lake.delta(table).file_uris()) for table in CLAIMS}
    lake.land("claims/c.jsonl", [make.claim("D", service_date="2025-05-11", updated_at="2025-07-01T00:00:00Z")])
    lake.run_all()
    for table in CLAIMS:
        kept = {file for file in before[table] if "2025-Q1" in file}
        assert kept
        assert set(lake.delta(table).file_uris()) & before[table] == kept


def test_claims_that_lay_in_other_partitions_lie_in_those_of_this_code(lake):
    wanted, runs = [{table: look(lake, table) for table in CLAIMS} for look in (_facts, _runs)]
    for table in CLAIMS:
        name = f"{lake.catalog}.{table}"
        rows = lake.spark.table(name).withColumnRenamed("table_part", "service_quarter")
        writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer.partitionBy("service_quarter").saveAsTable(name)
    _code_is_older(lake)
    lake.run_all()
    assert {table: _facts(lake, table) for table in CLAIMS} == wanted
    assert {table: _runs(lake, table) for table in CLAIMS} == runs
    assert [lake.delta(table).metadata().partition_columns for table in CLAIMS] == [["table_part"]] * 2
