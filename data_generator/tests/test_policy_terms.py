from collections import Counter
from decimal import Decimal

from data_generator.generation import Summary
from data_generator.tests.oracle import excluded_by, expected_amounts
from data_generator.tests.reading import LandedZone, day, in_term, policy_year


def test_every_clean_claim_costs_what_its_policy_says_in_order_of_service(zone: LandedZone) -> None:
    expected = expected_amounts(zone)

    wrong = [c["claim_id"] for c in zone.clean() if c["paid_amount"] + c["case_reserve"] != expected[c["claim_id"]]]

    assert wrong == []


def test_decided_claims_name_the_amount_that_was_approved(zone: LandedZone) -> None:
    decided = [claim for claim in zone.clean() if claim["decision_date"]]

    assert all(claim["approved_amount"] == claim["paid_amount"] + claim["case_reserve"] for claim in decided)
    assert all(claim["payment_date"] is not None for claim in decided if claim["paid_amount"])


def test_a_denied_claim_names_the_rule_that_excludes_it(zone: LandedZone) -> None:
    for claim in zone.clean():
        reason = excluded_by(zone, claim)
        if claim["status"] == "Denied":
            assert claim["denial_reason"] == (reason or "Insufficient Documentation"), claim
        else:
            assert claim["denial_reason"] is None
            assert reason is None or claim["status"] in ("Submitted", "Under Review"), claim


def test_annual_limits_are_reached_and_never_passed(zone: LandedZone) -> None:
    spent: Counter[tuple[str, int]] = Counter()
    for claim in zone.clean():
        year = policy_year(zone.policies[claim["policy_id"]], claim["service"])
        spent[claim["policy_id"], year] += claim["paid_amount"] + claim["case_reserve"]
    left = [
        Decimal(zone.policies[policy]["annual_limit"] or "Infinity") - amount for (policy, _), amount in spent.items()
    ]

    assert min(left) == 0
    assert left.count(Decimal(0)) < len(left) / 100


def test_events_of_a_claim_follow_one_another_up_to_the_as_of_day(zone: LandedZone) -> None:
    for claim in zone.clean():
        steps = [claim["service_date"], claim["submitted_date"], claim["decision_date"], claim["payment_date"]]
        happened = [step for step in steps if step]
        assert happened == sorted(happened), claim
        assert claim["updated_at"][:10] >= happened[-1]
        assert claim["updated_at"][:10] <= zone.as_of.isoformat()


def test_service_lies_in_the_policys_term_but_for_the_seeded_rows(zone: LandedZone, summary: Summary) -> None:
    outside = [
        claim["claim_id"]
        for claim in zone.latest()
        if claim["policy_id"] in zone.policies
        and day(claim["service_date"]) <= zone.as_of
        and not in_term(zone.policies[claim["policy_id"]], day(claim["service_date"]))
    ]

    assert len(outside) == summary.bad_rows["service_before_policy"]
