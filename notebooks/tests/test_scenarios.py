"""The generator's named edge cases: what each one expects comes out of the pipeline."""

from collections import Counter
from datetime import date

import pytest

from data_generator.scenario_files import claim_id, land_scenarios
from data_generator.scenarios import SCENARIOS

SEED = 7
AS_OF = date(2025, 7, 31)
OUTCOMES = {
    claim_id(SEED, scenario, case): case for scenario in SCENARIOS for case in scenario.cases
}  # of several versions the last counts


@pytest.fixture(scope="module")
def landed(module_workspace):
    land_scenarios(module_workspace.landing, SEED, AS_OF)
    module_workspace.run_all(as_of=AS_OF.isoformat())
    return module_workspace


def test_each_accepted_scenario_is_owed_what_its_terms_give(landed):
    rows = landed.by("gold.claims_analytics", "claim_id")
    found = {key: (str(row["expected_paid"]), row["ineligible_reason"]) for key, row in rows.items()}
    assert found == {key: (case.expected_paid, case.ineligible) for key, case in OUTCOMES.items() if not case.rule}


def test_each_refused_scenario_waits_under_its_rule(landed):
    found = {row["key"]: row["rule"] for row in landed.rows("silver.quarantine")}
    assert found == {key: case.rule for key, case in OUTCOMES.items() if case.rule}


def test_each_suspicious_scenario_is_flagged_and_no_other(landed):
    found = {row["claim_id"]: row["review_flags"] for row in landed.rows("gold.claims_analytics")}
    wanted = {key: [case.flag] if case.flag else [] for key, case in OUTCOMES.items() if not case.rule}
    assert found == wanted
    (provider,) = landed.rows("gold.provider_performance")
    assert provider["flagged_claims"] == sum(map(bool, wanted.values()))


def test_the_scenarios_in_pieces_come_out_the_same(landed, workspace):
    land_scenarios(workspace.landing, SEED, AS_OF)
    whole = (workspace.landing / "claims" / "scenarios.jsonl").read_text().splitlines(keepends=True)
    for piece in range(3):
        workspace.land("claims/scenarios.jsonl", "".join(whole[piece::3]))
        workspace.run_all(as_of=AS_OF.isoformat())
    for table in ("silver.claims", "silver.quarantine", "gold.claims_analytics", "gold.provider_performance"):
        assert _figures(workspace, table) == _figures(landed, table), table


def _figures(workspace, table):
    """The table's rows without what says when and from where they came, in no order."""
    lineage = ("_run_id", "_landed_at", "_source_file", "at")
    rows = [{k: v for k, v in row.items() if k not in lineage} for row in workspace.rows(table)]
    return Counter(map(repr, rows))
