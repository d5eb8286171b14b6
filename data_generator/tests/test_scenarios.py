import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from data_generator.generation import generate
from data_generator.next_day import append_day
from data_generator.scenario_files import claim_id, land_scenarios
from data_generator.scenarios import SCENARIOS, Case, Scenario
from data_generator.tests.conftest import AS_OF
from data_generator.tests.oracle import excluded_by, expected_amounts
from data_generator.tests.reading import LandedZone, Row, day
from data_generator.tests.test_landing import digest, run

SEED = 9
OUTCOMES = [
    pytest.param(scenario, {case.claim: case for case in scenario.cases}[claim], id=f"{scenario.name}-{claim}")
    for scenario in SCENARIOS
    for claim in sorted({case.claim for case in scenario.cases})
]
REASONS = {
    "waiting_period": "Waiting Period",
    "pre_existing": "Pre-existing Condition",
    "not_covered": "Not Covered",
    "outside_term": "Outside Term",
    "other_pet": "Other Pet",
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> LandedZone:
    out = tmp_path_factory.mktemp("scenarios")
    land_scenarios(out, SEED, AS_OF)
    return LandedZone.read(out, AS_OF)


@pytest.fixture(scope="module")
def claims(landed: LandedZone) -> dict[str, Row]:
    return {claim["claim_id"]: claim for claim in landed.latest()}


@pytest.fixture(scope="module")
def amounts(landed: LandedZone) -> dict[str, Decimal]:
    return expected_amounts(landed, clean=[*landed.clean(), *landed.outside_their_term()])


@pytest.mark.parametrize(("scenario", "case"), OUTCOMES)
def test_the_table_says_what_the_terms_say(
    landed: LandedZone, claims: dict[str, Row], amounts: dict[str, Decimal], scenario: Scenario, case: Case
) -> None:
    claim = claims[claim_id(SEED, scenario, case)]

    assert (case.rule is None) == (case.expected_paid is not None)
    if case.rule is not None:
        assert claim["claim_id"] not in amounts
        assert breaks(landed, claim, case.rule)
    else:
        assert amounts[claim["claim_id"]] == Decimal(str(case.expected_paid))
        reason = excluded_by(landed, claim | {"service": day(claim["service_date"])})
        assert reason == (REASONS[case.ineligible] if case.ineligible else None)


def breaks(landed: LandedZone, claim: Row, rule: str) -> bool:
    """Whether the landed row breaks the rule of that name, and is otherwise in order."""
    amount = claim["claim_amount"]
    money = re.fullmatch(r"-?\d+\.\d\d", amount) is not None
    broken = {
        "claim_amount_is_money": not money,
        "claim_amount_positive": money and Decimal(amount) <= 0,
        "diagnosis_present": claim["diagnosis_code"] is None and claim["diagnosis"] is None,
        "policy_known": claim["policy_id"] not in landed.policies,
        "service_date_not_future": day(claim["service_date"]) > landed.as_of,
    }
    return [name for name, is_broken in broken.items() if is_broken] == [rule]


def test_names_and_ids_are_unique_and_well_formed(claims: dict[str, Row]) -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert len(claims) == len(OUTCOMES)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", found) for found in claims)


def test_suspicious_scenarios_look_as_their_flags_say(claims: dict[str, Row]) -> None:
    by_flag: dict[str, list[Row]] = {}
    for scenario in SCENARIOS:
        for case in scenario.cases:
            by_flag.setdefault(case.flag or "", []).append(claims[claim_id(SEED, scenario, case)])

    (second,) = by_flag["duplicate_invoice"]
    invoices = [claim["invoice_number"] for claim in claims.values()]
    assert invoices.count(second["invoice_number"]) == 2
    colluding = by_flag["provider_concentration"]
    assert len({claim["customer_id"] for claim in colluding}) == 5
    assert len({(claim["provider_id"], claim["claim_amount"]) for claim in colluding}) == 1


def test_scenarios_land_beside_a_generated_zone_and_change_nothing_in_it(tmp_path: Path) -> None:
    assert run("--out", str(tmp_path), "--claims", "100", "--seed", "9", "--as-of", AS_OF.isoformat()).returncode == 0
    before = digest(tmp_path)

    done = run("--out", str(tmp_path), "--scenarios", "--seed", "9", "--as-of", AS_OF.isoformat())

    after = digest(tmp_path)
    assert json.loads(done.stdout)["scenarios"] == len(SCENARIOS)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 5
    zone = LandedZone.read(tmp_path, AS_OF)
    assert len(zone.ids()) == 100 + len(OUTCOMES)


def test_a_further_day_leaves_the_scenarios_alone(tmp_path: Path) -> None:
    generate(tmp_path, 3, SEED, AS_OF)
    land_scenarios(tmp_path, SEED, AS_OF)

    append_day(tmp_path)

    landed = [line for path in tmp_path.glob("claims/claims_*.jsonl") for line in path.read_text().splitlines()]
    assert len(landed) > 3
    assert not any(".S-" in line for line in landed)


def test_a_further_day_goes_to_practices_of_the_generated_zone(tmp_path: Path) -> None:
    generate(tmp_path, 600, SEED, AS_OF)
    providers = set(LandedZone.read(tmp_path, AS_OF).providers)
    land_scenarios(tmp_path, SEED, AS_OF)

    for _ in range(30):
        append_day(tmp_path)

    lines = LandedZone.read(tmp_path, AS_OF).lines
    assert {line["provider_id"] for line in lines if ".S-" not in line["claim_id"]} <= providers
