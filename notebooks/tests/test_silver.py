"""Silver: the right type, the right version, the right verdict."""

from datetime import date, datetime
from decimal import Decimal

import pytest


def test_values_are_typed(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run("bronze")
    result = workspace.run("silver")
    row = workspace.rows("silver.claims")[0]
    assert (row["claim_amount"], row["service_date"], row["is_emergency"]) == (
        Decimal("300.00"),
        date(2025, 3, 10),
        False,
    )
    assert row["updated_at"].replace(tzinfo=None) == datetime(2025, 3, 15)  # noqa: DTZ001
    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (5, 5, 0)
    assert workspace.rows("silver.pets")[0]["weight_kg"] == 12.5


FAULTS = [
    ("claim_amount_is_money", {"claim_amount": "EUR 1.200,50"}),
    ("claim_amount_is_money", {"claim_amount": "1.200"}),
    ("claim_amount_is_money", {"claim_amount": "1e3"}),
    ("claim_amount_present", {"claim_amount": " "}),
    ("claim_amount_positive", {"claim_amount": "-45.00"}),
    ("claim_amount_positive", {"claim_amount": "0"}),
    ("paid_amount_is_money", {"paid_amount": "free"}),
    ("paid_amount_not_negative", {"paid_amount": "-1.00"}),
    ("service_date_is_date", {"service_date": "31.12.2024"}),
    ("service_date_is_date", {"service_date": "2025-02-30"}),
    ("service_date_not_future", {"service_date": "2025-08-01"}),
    ("status_known", {"status": "Lost"}),
    ("diagnosis_present", {"diagnosis": "", "diagnosis_code": None}),
    ("policy_known", {"policy_id": "POL-404"}),
    ("policy_id_present", {"policy_id": None}),
    ("claim_id_well_formed", {"claim_id": "CLM 1; DROP TABLE"}),
    ("claim_id_present", {"claim_id": None}),
]


def test_a_row_that_breaks_a_rule_waits_in_quarantine_under_its_name(workspace, make):
    workspace.land_book()
    rows = [make.claim(f"CASE-{n}") | fault for n, (_, fault) in enumerate(FAULTS)]
    workspace.land("claims/a.jsonl", [make.claim("GOOD"), *rows])
    workspace.run("bronze")
    result = workspace.run("silver")
    found = {row["key"]: row["rule"] for row in workspace.rows("silver.quarantine")}
    wanted = {row["claim_id"] or f"claims/a.jsonl#{n + 2}": FAULTS[n][0] for n, row in enumerate(rows)}
    assert found == wanted
    assert all('"customer_id":"CUS-1"' in row["raw"] for row in workspace.rows("silver.quarantine"))
    assert [row["claim_id"] for row in workspace.rows("silver.claims")] == ["GOOD"]
    assert result.rows_quarantined == len(FAULTS)
    assert {rule for rule, _ in FAULTS} <= {outcome.rule for outcome in result.quality}


def test_the_message_tells_every_reason_with_the_value(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(claim_amount="EUR 1.200,50", policy_id="POL-404")])
    workspace.run_all()
    (row,) = workspace.rows("silver.quarantine")
    assert row["message"] == (
        "claim_amount is not an amount such as 1200.50: 'EUR 1.200,50'; no policy has the id in policy_id: 'POL-404'"
    )


def test_a_broken_line_is_quarantined_as_it_was(workspace):
    workspace.land_book()
    workspace.land("claims/a.jsonl", '{"claim_id": "CLM-1"\n')
    workspace.run_all()
    (row,) = workspace.rows("silver.quarantine")
    assert (row["rule"], row["raw"], row["key"]) == ("record_readable", '{"claim_id": "CLM-1"', "claims/a.jsonl#1")


def test_bad_dimension_rows_are_quarantined_too(workspace, make):
    workspace.land_book()
    workspace.land("pets/more.csv", make.csv([make.pet(pet_id="PET-2", species="")]))
    workspace.land("policies/more.csv", make.csv([make.policy(policy_id="POL-2", reimbursement_pct="130")]))
    workspace.run_all()
    found = {(row["table_name"], row["key"]): row["rule"] for row in workspace.rows("silver.quarantine")}
    assert found == {("pets", "PET-2"): "species_present", ("policies", "POL-2"): "reimbursement_pct_in_range"}


def test_warnings_let_the_row_in_and_are_counted(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(provider_id="VET-404", is_emergency="maybe")])
    workspace.run("bronze")
    result = workspace.run("silver")
    (row,) = workspace.rows("silver.claims")
    assert row["_warnings"] == ["is_emergency_is_flag", "provider_known"]
    assert row["is_emergency"] is None
    assert {(q.rule, q.severity, q.failed) for q in result.quality} == {
        ("is_emergency_is_flag", "warn", 1),
        ("provider_known", "warn", 1),
    }
    stored = {
        r["rule"]: (r["checked"], r["failed"])
        for r in workspace.rows("silver.quality_results")
        if r["table_name"] == "claims"
    }
    assert stored["provider_known"] == (1, 1)
    assert stored["policy_known"] == (1, 0)


def test_a_batch_that_comes_again_after_another_counts_all_of_its_rows(workspace, make):
    """A repaired run has the id of its first attempt; what refused rows of it wait for has not changed since."""

    def silver(batch_id, claim):
        workspace.land(f"claims/{claim['claim_id']}.jsonl", [claim])
        workspace.run("bronze")
        workspace.run("silver", batch_id=batch_id)

    workspace.land_book()
    workspace.land("claims/refused.jsonl", [make.claim("R", claim_amount="-1")])
    silver("first", make.claim("A"))
    silver("second", make.claim("B"))
    silver("first", make.claim("C"))
    stored = {
        (r["_run_id"], r["rule"]): (r["checked"], r["failed"])
        for r in workspace.rows("silver.quality_results")
        if r["table_name"] == "claims"
    }
    assert stored["first", "claim_amount_positive"] == (3, 1)
    assert stored["second", "claim_amount_positive"] == (1, 0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_latest_version_wins_in_whatever_order_it_lands(workspace, make, order):
    versions = [make.claim(paid_amount="1.00"), make.claim(paid_amount="2.00", updated_at="2025-04-01T00:00:00Z")]
    workspace.land_book()
    for place in order:
        workspace.land(f"claims/{place}.jsonl", [versions[place]])
        workspace.run_all()
    (row,) = workspace.rows("silver.claims")
    assert row["paid_amount"] == Decimal("2.00")


def test_an_exact_duplicate_counts_once(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(), make.claim()])
    workspace.land("claims/b.jsonl", [make.claim()])
    workspace.run_all()
    assert len(workspace.rows("silver.claims")) == 1
    assert not workspace.rows("silver.quarantine")


def test_correcting_a_quarantined_claim_heals_it(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(claim_amount="EUR 300,00")])
    workspace.run_all()
    assert len(workspace.rows("silver.quarantine")) == 1
    workspace.land("claims/b.jsonl", [make.claim(updated_at="2025-04-01T00:00:00Z")])
    workspace.run_all()
    assert not workspace.rows("silver.quarantine")
    assert [row["claim_id"] for row in workspace.rows("gold.claims_analytics")] == ["CLM-1"]


def test_a_bad_correction_leaves_the_last_good_version_and_waits_in_quarantine(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run_all()
    workspace.land("claims/b.jsonl", [make.claim(claim_amount="-1", updated_at="2025-04-01T00:00:00Z")])
    workspace.run_all()
    assert workspace.rows("silver.claims")[0]["claim_amount"] == Decimal("300.00")
    assert workspace.rows("silver.quarantine")[0]["rule"] == "claim_amount_positive"


def test_a_claim_of_an_unknown_policy_is_looked_at_again_when_policies_arrive(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(policy_id="POL-2")])
    workspace.run_all()
    assert workspace.rows("silver.quarantine")[0]["rule"] == "policy_known"
    workspace.land("policies/late.csv", make.csv([make.policy(policy_id="POL-2")]))
    workspace.run_all()
    assert not workspace.rows("silver.quarantine")
    assert workspace.rows("silver.claims")[0]["policy_id"] == "POL-2"


def test_a_future_claim_is_let_in_when_its_day_has_come(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(service_date="2025-08-02", submitted_date="2025-08-02")])
    workspace.run_all()
    assert workspace.rows("silver.quarantine")[0]["rule"] == "service_date_not_future"
    workspace.run_all(as_of="2025-08-02")
    assert not workspace.rows("silver.quarantine")


def test_policies_keep_one_current_row_and_their_history(workspace, make):
    workspace.land_book()
    workspace.run_all()
    workspace.land(
        "policies/next.csv",
        make.csv([make.policy(monthly_premium="70.00", updated_at="2025-05-01T00:00:00Z")]),
    )
    workspace.run_all()
    workspace.land("policies/late.csv", make.csv([make.policy(plan_name="Old", updated_at="2025-02-01T00:00:00Z")]))
    workspace.run_all()
    (current,) = workspace.rows("silver.policies")
    assert current["monthly_premium"] == Decimal("70.00")
    history = sorted(workspace.rows("silver.policies_history"), key=lambda row: row["valid_from"])
    ends = [(row["plan_name"], row["valid_from"].month, row["valid_to"] and row["valid_to"].month) for row in history]
    assert ends == [("Plus", 1, 2), ("Old", 2, 5), ("Plus", 5, None)]


def test_deductible_and_limit_are_used_up_in_the_order_of_service(workspace, make):
    workspace.land_book()
    days = {"A": "2025-02-01", "B": "2025-02-02", "C": "2025-02-03", "D": "2025-02-04"}
    amounts = {"A": "60.00", "B": "90.00", "C": "1000.00", "D": "500.00"}
    workspace.land(
        "claims/a.jsonl",
        [make.claim(i, service_date=days[i], claim_amount=amounts[i]) for i in "DBCA"],
    )
    workspace.run_all()
    rows = workspace.by("silver.claims", "claim_id")
    assert {i: str(rows[i]["expected_paid"]) for i in "ABCD"} == {
        "A": "0.00",  # 60 of the 100 deductible
        "B": "40.00",  # 40 deductible left: (90 - 40) x 80 %
        "C": "800.00",
        "D": "160.00",  # 1,000 - 840 is left of the limit
    }
    assert [str(rows[i]["deductible_left"]) for i in "ABCD"] == ["100.00", "40.00", "0.00", "0.00"]
    assert [str(rows[i]["limit_left"]) for i in "ABCD"] == ["1000.00", "1000.00", "960.00", "160.00"]


def test_a_late_claim_moves_what_the_others_of_its_policy_are_owed(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("B", service_date="2025-02-02", claim_amount="200.00")])
    workspace.run_all()
    assert str(workspace.rows("silver.claims")[0]["expected_paid"]) == "80.00"
    workspace.land("claims/b.jsonl", [make.claim("A", service_date="2025-02-01", claim_amount="100.00")])
    workspace.run_all()
    rows = workspace.by("silver.claims", "claim_id")
    assert (str(rows["A"]["expected_paid"]), str(rows["B"]["expected_paid"])) == ("0.00", "160.00")
    analytics = workspace.by("gold.claims_analytics", "claim_id")
    assert str(analytics["B"]["expected_paid"]) == "160.00"


COVERAGE = [
    ("outside_term", {}, {"service_date": "2024-12-31"}),
    ("outside_term", {"cancellation_date": "2025-03-10"}, {}),
    (None, {"cancellation_date": "2025-03-11"}, {}),
    ("waiting_period", {}, {"service_date": "2025-01-14"}),
    (None, {}, {"service_date": "2025-01-15"}),
    (None, {}, {"service_date": "2025-01-01", "claim_type": "Accident"}),
    ("waiting_period", {}, {"service_date": "2025-01-30", "claim_category": "Orthopedic"}),
    (None, {}, {"service_date": "2025-01-31", "claim_category": "Orthopedic"}),
    ("waiting_period", {"renewal_count": "1", "effective_date": "2024-01-01"}, {"service_date": "2024-01-14"}),
    (None, {"renewal_count": "1", "effective_date": "2024-01-01"}, {"service_date": "2025-01-02"}),
    ("not_covered", {}, {"claim_type": "Wellness"}),
    ("not_covered", {"includes_dental": "false"}, {"claim_category": "Dental"}),
    ("other_pet", {"pet_id": "PET-2"}, {}),
    ("denied", {}, {"status": "Denied", "denial_reason": "Insufficient Documentation"}),
]


def test_what_the_policy_does_not_cover_has_nothing_eligible(workspace, make):
    workspace.land_book()
    policies = [make.policy(policy_id=f"P{n}", **policy) for n, (_, policy, _) in enumerate(COVERAGE)]
    claims = [make.claim(f"C{n}", policy_id=f"P{n}", **claim) for n, (_, _, claim) in enumerate(COVERAGE)]
    workspace.land("pets/other.csv", make.csv([make.pet(pet_id="PET-2")]))
    workspace.land("policies/cases.csv", make.csv(policies))
    workspace.land("claims/a.jsonl", claims)
    workspace.run("bronze")
    workspace.run("silver")
    rows = workspace.by("silver.claims", "claim_id")
    found = [(rows[f"C{n}"]["ineligible_reason"], str(rows[f"C{n}"]["eligible_amount"])) for n in range(len(COVERAGE))]
    assert found == [(reason, "300.00" if reason is None else "0.00") for reason, _, _ in COVERAGE]


def test_a_condition_from_before_the_policy_is_excluded_and_a_later_one_is_not(workspace, make):
    workspace.land_book(renewal_count="1", effective_date="2025-01-01", expiration_date="2027-01-01")
    listed = "HRT01;SKN01"
    workspace.land(
        "pets/pets.csv", make.csv([make.pet(pre_existing_conditions=listed, condition_onset_on="2024-06-01")])
    )
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run_all()
    assert workspace.rows("silver.claims")[0]["ineligible_reason"] == "pre_existing"
    later = make.pet(pre_existing_conditions=listed, condition_onset_on="2025-02-01", updated_at="2025-06-01T00:00:00Z")
    workspace.land("pets/next.csv", make.csv([later]))
    workspace.run_all()
    assert workspace.rows("silver.claims")[0]["ineligible_reason"] is None


def test_changed_terms_are_applied_to_the_claims_that_are_there(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run_all()
    assert str(workspace.rows("silver.claims")[0]["expected_paid"]) == "160.00"
    changed = make.policy(reimbursement_pct="90", annual_limit="", updated_at="2025-06-01T00:00:00Z")
    workspace.land("policies/next.csv", make.csv([changed]))
    workspace.run_all()
    (row,) = workspace.rows("silver.claims")
    assert (str(row["expected_paid"]), row["limit_left"]) == ("180.00", None)


def test_chosen_claims_leave_the_others_pending(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A"), make.claim("B", claim_amount="x"), make.claim("C")])
    workspace.run("bronze")
    result = workspace.run("silver", claim_ids="A,B,NONE")
    assert [row["claim_id"] for row in workspace.rows("silver.claims")] == ["A"]
    assert [row["key"] for row in workspace.rows("silver.quarantine")] == ["B"]
    assert result.unknown_claim_ids == ["NONE"]
    workspace.run("silver")
    assert sorted(workspace.by("silver.claims", "claim_id")) == ["A", "C"]


def test_blanks_around_an_id_do_not_make_a_chosen_claim_unknown(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(" CLM-1 ")])
    workspace.run("bronze")
    results = workspace.run_all(claim_ids="CLM-1")
    assert [results[layer].unknown_claim_ids for layer in ("bronze", "silver", "gold")] == [[], [], []]
    assert [row["claim_id"] for row in workspace.rows("gold.claims_analytics")] == ["CLM-1"]


def test_a_run_that_died_between_two_tables_is_completed_by_the_next(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A"), make.claim("B", claim_amount="x")])
    workspace.run_all()
    for table in ("silver.quarantine", "silver.policies", "gold.customer_360"):
        workspace.drop(table)
    workspace.run_all()
    assert len(workspace.rows("silver.policies")) == 1
    assert [row["key"] for row in workspace.rows("silver.quarantine")] == ["B"]
    assert [row["claims"] for row in workspace.rows("gold.customer_360")] == [1]
