"""Lands the scenarios in files of their own, beside whatever else the landing zone holds."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from data_generator.claim_rows import COLUMNS
from data_generator.conditions import CODES, CONDITIONS
from data_generator.dimensions import CUSTOMER_COLUMNS, PET_COLUMNS, POLICY_COLUMNS, PROVIDER_COLUMNS
from data_generator.ids import SCENARIO_MARK, base36
from data_generator.limits import check_origin
from data_generator.scenarios import SCENARIOS, Case, Scenario
from data_generator.writing import Landing

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """What the scenarios landed."""

    seed: int
    as_of: date
    scenarios: int
    claims: int
    claim_rows: int
    files: int


def scenario_id(prefix: str, seed: int, name: str) -> str:
    return f"{prefix}-{base36(seed)}{SCENARIO_MARK}{name}"


def claim_id(seed: int, scenario: Scenario, case: Case) -> str:
    return scenario_id("CLM", seed, f"{scenario.name}-{case.claim}")


def land_scenarios(out: Path, seed: int, as_of: date) -> ScenarioSummary:
    """Write every scenario; the same arguments give the same bytes. Files of the same name are replaced whole.

    Raises: GenerationError.
    """
    check_origin(out, seed, as_of)
    rows = [row for scenario in SCENARIOS for row in _claims(scenario, seed, as_of)]
    tables = {
        "customers": (CUSTOMER_COLUMNS, [_customer(s, seed, as_of) for s in SCENARIOS]),
        "pets": (PET_COLUMNS, [_pet(s, seed, as_of) for s in SCENARIOS]),
        "policies": (POLICY_COLUMNS, [_policy(s, seed, as_of) for s in SCENARIOS]),
        "vet_providers": (PROVIDER_COLUMNS, [_provider(seed, as_of)]),
    }
    with Landing(out) as landing:
        for name, (columns, entries) in tables.items():
            landing.append(Path(name) / f"{name}_scenarios.csv", _csv(columns, entries))
        landing.append(Path("claims") / "scenarios.jsonl", [_json(row) for row in rows])
        files = len(landing.files)
    return ScenarioSummary(seed, as_of, len(SCENARIOS), len({row["claim_id"] for row in rows}), len(rows), files)


def _csv(columns: tuple[str, ...], rows: list[Row]) -> list[str]:
    return [",".join(columns) + "\n", *(",".join(row.get(name, "") for name in columns) + "\n" for row in rows)]


def _json(row: Row) -> str:
    values = {name: row.get(name) or None for name in COLUMNS} | {"is_emergency": False}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"


def _effective(scenario: Scenario, as_of: date) -> date:
    """Never on February 29, so that anniversaries exist."""
    day = as_of - timedelta(days=scenario.age_days)
    return day - timedelta(days=1) if (day.month, day.day) == (2, 29) else day


def _customer(scenario: Scenario, seed: int, as_of: date) -> Row:
    return {
        "customer_id": scenario_id("CUS", seed, scenario.name),
        "first_name": "Scenario",
        "last_name": scenario.name.replace("_", " ").capitalize(),
        "email": f"{scenario.name}.{base36(seed).lower()}@example.com",
        "city": "Columbus",
        "state": "OH",
        "zip_code": "43201",
        "customer_since": _effective(scenario, as_of).isoformat(),
        "preferred_contact": "Email",
        "marketing_opt_in": "false",
        "updated_at": _midnight(as_of, 0),
    }


def _pet(scenario: Scenario, seed: int, as_of: date) -> Row:
    effective = _effective(scenario, as_of)
    onset = "" if scenario.onset_day is None else (effective + timedelta(days=scenario.onset_day)).isoformat()
    return {
        "pet_id": scenario_id("PET", seed, scenario.name),
        "customer_id": scenario_id("CUS", seed, scenario.name),
        "pet_name": "Max",
        "species": "Dog",
        "breed": "Beagle",
        "gender": "Male",
        "date_of_birth": (effective - timedelta(days=1500)).isoformat(),
        "weight_kg": "12.0",
        "is_neutered": "true",
        "condition_onset_on": onset,
        "adopted_on": (effective - timedelta(days=1400)).isoformat(),
        "is_active": "true",
        "updated_at": _midnight(as_of, 0),
    } | dict(scenario.pet)


def _policy(scenario: Scenario, seed: int, as_of: date) -> Row:
    effective = _effective(scenario, as_of)
    terms = dict(scenario.policy)
    cancelled = terms.pop("cancellation_day", None)
    years = 1 if terms.get("status") == "Expired" else 1 + (scenario.age_days >= 365)
    return {
        "policy_id": scenario_id("POL", seed, scenario.name),
        "policy_number": scenario_id("PI", seed, scenario.name),
        "customer_id": scenario_id("CUS", seed, scenario.name),
        "pet_id": scenario_id("PET", seed, scenario.name),
        "plan_name": "Plus",
        "monthly_premium": "52.00",
        "annual_deductible": "250.00",
        "reimbursement_pct": "80",
        "annual_limit": "5000.00",
        "effective_date": effective.isoformat(),
        "expiration_date": effective.replace(year=effective.year + years).isoformat(),
        "cancellation_date": (effective + timedelta(days=int(cancelled))).isoformat() if cancelled else "",
        "status": "Active",
        "accident_wait_days": "0",
        "illness_wait_days": "14",
        "orthopedic_wait_days": "30",
        "includes_wellness": "false",
        "includes_dental": "false",
        "payment_frequency": "Monthly",
        "renewal_count": str(years - 1),
        "updated_at": _midnight(as_of, 0),
    } | terms


def _provider(seed: int, as_of: date) -> Row:
    return {
        "provider_id": scenario_id("VET", seed, "practice"),
        "provider_name": "Scenario Animal Clinic",
        "provider_type": "General Practice",
        "city": "Columbus",
        "state": "OH",
        "zip_code": "43201",
        "is_in_network": "true",
        "average_rating": "4.0",
        "accepts_emergency": "true",
        "license_number": scenario_id("LIC", seed, "practice"),
        "updated_at": _midnight(as_of, 0),
    }


def _midnight(as_of: date, minutes: int) -> str:
    return f"{as_of.isoformat()}T00:{minutes:02d}:00Z"


def _claims(scenario: Scenario, seed: int, as_of: date) -> list[Row]:
    """A version that differs from the row before it is newer; an equal row is the same row again."""
    rows: list[Row] = []
    for place, case in enumerate(scenario.cases):
        again = place > 0 and case == scenario.cases[place - 1]
        rows.append(rows[-1] if again else _claim(scenario, case, seed, as_of, place))
    return rows


def _claim(scenario: Scenario, case: Case, seed: int, as_of: date, place: int) -> Row:
    service = _effective(scenario, as_of) + timedelta(days=case.day)
    condition = CONDITIONS[CODES.index(case.code or "SKN01")]
    invoice = case.fields.get("invoice", str(case.claim))
    return {
        "claim_id": claim_id(seed, scenario, case),
        "claim_number": scenario_id("CN", seed, f"{scenario.name}-{case.claim}"),
        "policy_id": scenario_id("POL", seed, case.fields.get("policy", scenario.name)),
        "pet_id": scenario_id("PET", seed, case.fields.get("pet", scenario.name)),
        "customer_id": scenario_id("CUS", seed, scenario.name),
        "provider_id": scenario_id("VET", seed, "practice"),
        "claim_type": condition.claim_type,
        "claim_category": condition.category,
        "diagnosis_code": case.code or "",
        "diagnosis": condition.name if case.code else "",
        "service_date": service.isoformat(),
        "submitted_date": min(service, as_of).isoformat(),
        "claim_amount": case.amount,
        "approved_amount": "0.00",
        "paid_amount": "0.00",
        "case_reserve": "0.00",
        "status": "Submitted",
        "invoice_number": scenario_id("INV", seed, f"{scenario.name}-{invoice}"),
        "treatment_notes": scenario.story,
        "updated_at": _midnight(as_of, 1 + place),
    }
