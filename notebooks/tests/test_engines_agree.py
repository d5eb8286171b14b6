"""The embedded engine and Apache Spark make the same tables of the same landing zone, row for row.

Collected with SPARK_REMOTE only (`make test-spark`).
"""

from datetime import date, timedelta

import pytest

from data_generator.generation import generate
from data_generator.next_day import append_day
from data_generator.scenario_files import land_scenarios
from medallion.gold import TABLES as GOLD
from medallion.silver import TABLES as SILVER
from notebooks.tests import engines
from notebooks.tests.conftest import LAYERS, make_workspace

CLAIMS = 300
SEED = 11
AS_OF = date(2025, 7, 31)
ODD = (
    b'{"claim_id": "ODD-1"} {"claim_id": "ODD-2"}\n{"claim_id": "ODD-3"\n[1]\nnull\n',
    '{"claim_id": "ODD-4", "treatment_notes": "Bär, 5 €"}\n'.encode("cp1252")
    + '{"claim_id": "ODD-5", "treatment_notes": "Bär", "more": {"a": [1, {"b": "}"}], "c": null}}\n'.encode(),
    '{"claim_id": "ODD-6", "claim_amount": "EUR 5"}'.encode("utf-16"),
    '{"claim_id": "ODD-7"}'.encode("utf-16-le"),
)
"""Files whose records are read or refused for their form."""
BRONZE = ("bronze.customers", "bronze.pets", "bronze.policies", "bronze.vet_providers", "bronze.claims")


@pytest.fixture(scope="module")
def lakes(spark, catalogs, tmp_path_factory):
    """One landing zone and a lake of each engine on it: a book with faults and named edge cases, then the next day."""
    catalog = next(catalogs)
    root = tmp_path_factory.mktemp("lakes")
    with engines.embedded([catalog]) as sail:
        lakes = [make_workspace(engine, catalog, root / name) for engine, name in ((spark, "spark"), (sail, "sail"))]
        landing = root / "landing"
        generate(landing / "book", CLAIMS, SEED, AS_OF)
        land_scenarios(landing / "scenarios", SEED + 1, AS_OF)
        (landing / "odd" / "claims").mkdir(parents=True)
        for number, content in enumerate(ODD):
            (landing / "odd" / "claims" / f"{number}.jsonl").write_bytes(content)
        results = [[_run_all(lake, landing, AS_OF) for lake in lakes]]
        append_day(landing / "book")
        results.append([_run_all(lake, landing, AS_OF + timedelta(days=1)) for lake in lakes])
        yield lakes, results


def _run_all(lake, landing, as_of):
    return {layer: lake.run(layer, as_of=as_of.isoformat(), landing_path=str(landing)) for layer in LAYERS}


@pytest.mark.parametrize("table", [*BRONZE, "bronze.manifest", *SILVER, *GOLD])
def test_a_table_has_the_same_rows_on_both_engines(lakes, table):
    on_spark, on_sail = (lake.rows(table) for lake in lakes[0])
    assert on_spark
    assert _sorted(on_spark) == _sorted(on_sail)


@pytest.mark.parametrize("table", [*BRONZE, "bronze.manifest", *SILVER, *GOLD])
def test_a_table_has_the_same_columns_on_both_engines(lakes, table):
    on_spark, on_sail = (lake.delta(table).to_pyarrow_table().schema for lake in lakes[0])
    assert [(field.name, str(field.type)) for field in on_spark] == [(f.name, str(f.type)) for f in on_sail]


def test_both_engines_report_the_same(lakes):
    for on_spark, on_sail in lakes[1]:
        assert [_told(result) for result in on_spark.values()] == [_told(result) for result in on_sail.values()]


def _told(result):
    """An exit value; engines may need another number of commits for the same rows."""
    tables = [
        (table.name, table.rows_in, table.rows_out, table.rows_quarantined, table.rows) for table in result.tables
    ]
    return tables, result.quality, result.unknown_claim_ids, result.warnings


def _sorted(rows):
    return sorted(rows, key=lambda row: repr(sorted(row.items())))
