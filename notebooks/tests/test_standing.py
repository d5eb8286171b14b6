"""A layer that is what its sources give is left alone, and only then."""

import pytest

LAYERS = ("silver", "gold")


@pytest.fixture
def standing(workspace, make):
    """A lake in which everything is up to date."""
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(), make.claim("CLM-2", claim_amount="x")])
    workspace.run_all()
    return workspace


def _reads(workspace, layer, **more):
    """How many tables the layer asks the engine for."""
    asked = []
    spark = workspace.spark

    class Watching:
        def table(self, name):
            asked.append(name)
            return spark.table(name)

        def __getattr__(self, name):
            return getattr(spark, name)

    workspace.spark = Watching()
    try:
        result = workspace.run(layer, **more)
    finally:
        workspace.spark = spark
    return len(asked), result


@pytest.mark.parametrize("layer", LAYERS)
def test_a_run_without_news_reads_no_table_and_still_knows_the_rows(standing, layer):
    reads, result = _reads(standing, layer)
    assert reads == 0
    assert {t.name: t.rows for t in result.tables} == {t.name: len(standing.rows(t.name)) for t in result.tables}


def test_chosen_claims_without_news_are_found_or_named_unknown(standing):
    result = standing.run("silver", claim_ids="CLM-1,CLM-2,NONE")
    assert (result.rows_in, result.unknown_claim_ids) == (0, ["NONE"])
    assert standing.run("gold", claim_ids="CLM-1,CLM-2,NONE").unknown_claim_ids == ["NONE"]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("more", [{"as_of": "2025-08-01"}, {"max_reject_share": "0.9"}])
def test_another_day_or_another_parameter_is_looked_at(standing, layer, more):
    assert _reads(standing, layer, **more)[0] > 0


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"basis": null}'])
def test_a_standing_that_cannot_be_read_costs_time_and_nothing_else(standing, text):
    for layer in LAYERS:
        (standing.root / "control" / "standing" / f"{standing.catalog}.{layer}.json").write_text(text)
    before = standing.versions()
    assert [_reads(standing, layer)[0] > 0 for layer in LAYERS] == [True, True]
    assert standing.versions() == before


def test_a_table_that_somebody_touched_is_mended(standing):
    standing.spark.sql(f"DELETE FROM {standing.catalog}.silver.claims")
    standing.run_all()
    assert [row["claim_id"] for row in standing.rows("silver.claims")] == ["CLM-1"]
    standing.drop("gold.monthly_kpis")
    standing.run_all()
    assert standing.rows("gold.monthly_kpis")


def test_a_run_for_chosen_claims_does_not_say_that_all_is_done(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A"), make.claim("B")])
    workspace.run("bronze")
    for _ in range(2):
        workspace.run("silver", claim_ids="A")
        workspace.run("gold", claim_ids="A")
    workspace.run("silver")
    workspace.run("gold")
    assert sorted(workspace.by("gold.claims_analytics", "claim_id")) == ["A", "B"]
