"""The policy's terms, written down a second time from their definition, claim by claim in decimals."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from data_generator.tests.reading import LandedZone, Row, day, in_term, policy_year

CENT = Decimal("0.01")


def excluded_by_pet_or_term(zone: LandedZone, claim: Row) -> str | None:
    policy = zone.policies[claim["policy_id"]]
    if not in_term(policy, claim["service"]):
        return "Outside Term"
    return "Other Pet" if policy["pet_id"] != claim["pet_id"] else None


def excluded_by(zone: LandedZone, claim: Row) -> str | None:
    """The denial reason that the terms demand, if any."""
    policy, pet = zone.policies[claim["policy_id"]], zone.pets[claim["pet_id"]]
    onset, effective = pet["condition_onset_on"], policy["effective_date"]
    if outside := excluded_by_pet_or_term(zone, claim):
        return outside
    if claim["diagnosis_code"] in pet["pre_existing_conditions"].split(";") and onset < effective:
        return "Pre-existing Condition"
    wait = "orthopedic" if claim["claim_category"] == "Orthopedic" else claim["claim_type"].lower()
    if (claim["service"] - day(effective)).days < int(policy.get(f"{wait}_wait_days", 0)):
        return "Waiting Period"
    rider = {"Wellness": "includes_wellness", "Dental": "includes_dental"}.get(claim["claim_category"])
    return "Not Covered" if rider and policy[rider] == "false" else None


def expected_amounts(zone: LandedZone, clean: list[Row] | None = None) -> dict[str, Decimal]:
    """What each clean claim costs by its policy's terms; 0 for what is excluded or denied."""
    years: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for claim in zone.clean() if clean is None else clean:
        years[claim["policy_id"], policy_year(zone.policies[claim["policy_id"]], claim["service"])].append(claim)
    expected = {}
    for (policy_id, _), claims in years.items():
        policy = zone.policies[policy_id]
        deductible = Decimal(policy["annual_deductible"])
        limit = Decimal(policy["annual_limit"] or "Infinity")
        for claim in sorted(claims, key=lambda c: (c["service"], c["submitted"], c["claim_id"])):
            covered = claim["status"] != "Denied" and excluded_by(zone, claim) is None
            eligible = claim["claim_amount"] if covered else Decimal(0)
            payable = max(eligible - deductible, Decimal(0)) * Decimal(policy["reimbursement_pct"]) / 100
            amount = min(limit, payable.quantize(CENT, ROUND_HALF_UP))
            deductible = max(deductible - eligible, Decimal(0))
            limit -= amount
            expected[claim["claim_id"]] = amount
    return expected
