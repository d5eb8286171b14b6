"""Gold: figures checked by hand."""

from decimal import Decimal

import pytest


def _month(workspace, name):
    return workspace.by("gold.monthly_kpis", "year_month")[name]


def test_premium_is_earned_by_day_in_force(workspace, make):
    workspace.land_book(cancellation_date="2025-03-16")
    workspace.run_all()
    earned = {row["year_month"]: row["earned_premium"] for row in workspace.rows("gold.monthly_kpis")}
    assert earned == {
        "2025-01": Decimal("62.00"),  # 60.80 x 31 / 30.4
        "2025-02": Decimal("56.00"),
        "2025-03": Decimal("30.00"),  # 15 days: the day of cancellation is not covered
    }


def test_premium_is_earned_up_to_and_with_the_day_of_valuation(workspace, make):
    workspace.land_book()
    workspace.run_all(as_of="2025-02-10")
    assert _month(workspace, "2025-02")["earned_premium"] == Decimal("20.00")
    assert sorted(workspace.by("gold.monthly_kpis", "year_month")) == ["2025-01", "2025-02"]


def test_loss_ratios_are_fractions_of_earned_premium(workspace, make):
    workspace.land_book()
    workspace.land(
        "claims/a.jsonl",
        [
            make.claim("A", service_date="2025-03-10", paid_amount="20.00", approved_amount="20.00"),
            make.claim(
                "B",
                service_date="2025-03-20",
                status="Under Review",
                decision_date=None,
                payment_date=None,
                paid_amount="0.00",
                approved_amount="0.00",
                case_reserve="11.00",
            ),
        ],
    )
    workspace.run_all()
    march = _month(workspace, "2025-03")
    assert (march["earned_premium"], march["paid_amount"], march["case_reserve"]) == (
        Decimal("62.00"),
        Decimal("20.00"),
        Decimal("11.00"),
    )
    assert march["paid_loss_ratio"] == pytest.approx(20 / 62, abs=1e-6)
    assert march["incurred_amount"] == march["paid_amount"] + march["case_reserve"] + march["ibnr_amount"]
    assert march["loss_ratio"] == pytest.approx(float(march["incurred_amount"]) / 62, abs=1e-6)
    assert (march["claims"], march["open_claims"], march["decided_claims"]) == (2, 1, 1)
    assert march["frequency"] == pytest.approx(2 / (31 / 365.25), rel=1e-3)


def test_rates_and_cycle_times_count_decided_claims(workspace, make):
    workspace.land_book()
    denied = {
        "status": "Denied",
        "denial_reason": "Pre-existing Condition",
        "paid_amount": "0.00",
        "approved_amount": "0.00",
    }
    workspace.land(
        "claims/a.jsonl",
        [
            make.claim("A", submitted_date="2025-03-11", decision_date="2025-03-11"),
            make.claim("B", submitted_date="2025-03-11", decision_date="2025-03-13"),
            make.claim("C", submitted_date="2025-03-11", decision_date="2025-03-21", **denied),
            make.claim("D", status="Submitted", decision_date=None, payment_date=None),
        ],
    )
    workspace.run_all()
    march = _month(workspace, "2025-03")
    assert march["approval_rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert march["denial_rate"] == pytest.approx(1 / 3, abs=1e-6)
    assert march["denied_pre_existing"] == 1
    assert march["decision_days_p50"] == 2.0
    assert march["straight_through_rate"] == pytest.approx(1 / 3, abs=1e-6)


def test_ibnr_grows_the_young_months_by_the_books_own_reporting_delay(workspace, make):
    workspace.land_book()
    late = [
        ("2025-01", "2025-02"),
        ("2025-02", "2025-03"),
        ("2025-03", "2025-04"),
        ("2025-04", "2025-05"),
        ("2025-05", "2025-06"),
        ("2025-06", "2025-07"),
    ]
    rows = []
    for service, report in late:  # half of each month's cost is reported at once, half a month later
        for name, submitted in (("now", service), ("late", report)):
            rows.append(
                make.claim(
                    f"{service}-{name}",
                    service_date=f"{service}-05",
                    submitted_date=f"{submitted}-20",
                    paid_amount="100.00",
                )
            )
    rows.append(make.claim("2025-07-now", service_date="2025-07-05", submitted_date="2025-07-20", paid_amount="100.00"))
    workspace.land("claims/a.jsonl", rows)
    workspace.run_all()
    july, june = _month(workspace, "2025-07"), _month(workspace, "2025-06")
    assert (july["ibnr_amount"], july["developed"]) == (Decimal("100.00"), 0.5)
    assert (june["ibnr_amount"], june["developed"]) == (Decimal("0.00"), 1.0)
    assert july["incurred_amount"] == Decimal("200.00")


def test_leakage_is_what_was_paid_above_the_formula(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(paid_amount="175.00")])
    workspace.run_all()
    (row,) = workspace.rows("gold.claims_analytics")
    assert (row["expected_paid"], row["leakage_amount"]) == (Decimal("160.00"), Decimal("15.00"))


def test_a_customer_is_seen_whole(workspace, make):
    workspace.land_book()
    workspace.land("pets/more.csv", make.csv([make.pet(pet_id="PET-2", species="Cat")]))
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run_all()
    (row,) = workspace.rows("gold.customer_360")
    assert (row["pets"], row["species"], row["policies"], row["active_policies"]) == (2, "Cat, Dog", 1, 1)
    assert (row["claims"], row["paid_amount"], row["annual_premium"]) == (1, Decimal("160.00"), Decimal("729.60"))
    assert row["earned_premium"] == Decimal("424.00")  # 212 days
    assert row["loss_ratio"] == pytest.approx(160 / 424, abs=1e-6)
    assert (row["tenure_months"], row["value_tier"]) == (12, "gold")
    assert (row["next_best_offer"], row["next_best_offer_reason"]) == ("multi_pet", "has more pets than insured pets")
    offers = {r["offer"]: r["priority"] for r in workspace.rows("gold.cross_sell")}
    assert offers == {"multi_pet": 1, "wellness": 2}


def test_a_provider_is_measured_against_the_same_conditions(workspace, make):
    workspace.land_book()
    workspace.land("vet_providers/more.csv", make.csv([make.provider(provider_id="VET-2", provider_name="Claws")]))
    workspace.land(
        "claims/a.jsonl",
        [
            make.claim("A", claim_amount="300.00"),
            make.claim("B", claim_amount="100.00", provider_id="VET-2"),
            make.claim("C", claim_amount="200.00", provider_id="VET-2", diagnosis_code="GIT01"),
        ],
    )
    workspace.run_all()
    rows = workspace.by("gold.provider_performance", "provider_id")
    assert rows["VET-1"]["severity_index"] == pytest.approx(300 / 200)
    assert rows["VET-2"]["severity_index"] == pytest.approx(300 / 400)
    assert rows["VET-2"]["volume_share"] == pytest.approx(2 / 3, abs=1e-6)


def test_risk_relativities_come_from_the_book(workspace, make):
    workspace.land_book()
    workspace.land("customers/more.csv", make.csv([make.customer(customer_id="CUS-2")]))
    workspace.land("pets/more.csv", make.csv([make.pet(pet_id="PET-2", customer_id="CUS-2", breed="Boxer")]))
    workspace.land("policies/more.csv", make.csv([make.policy(policy_id="POL-2", customer_id="CUS-2", pet_id="PET-2")]))
    boxer = {"policy_id": "POL-2", "pet_id": "PET-2", "customer_id": "CUS-2"}
    workspace.land("claims/a.jsonl", [make.claim("A"), make.claim("B", paid_amount="480.00", **boxer)])
    workspace.run_all()
    rows = workspace.by("gold.risk_scoring", "breed")
    assert rows["Boxer"]["raw_relativity"] == pytest.approx(480 / 320, rel=1e-4)
    assert rows["Beagle"]["raw_relativity"] == pytest.approx(160 / 320, rel=1e-4)
    assert 1.0 < rows["Boxer"]["relativity"] < rows["Boxer"]["raw_relativity"]


def test_chosen_claims_are_released_alone_and_every_figure_counts_only_released_ones(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A"), make.claim("B"), make.claim("C")])
    workspace.run("bronze")
    workspace.run("silver")
    result = workspace.run("gold", claim_ids="A,C,NONE")
    assert sorted(workspace.by("gold.claims_analytics", "claim_id")) == ["A", "C"]
    assert _month(workspace, "2025-03")["claims"] == 2
    assert workspace.rows("gold.customer_360")[0]["claims"] == 2
    assert (result.rows_in, result.unknown_claim_ids) == (2, ["NONE"])
    workspace.run("gold")
    assert _month(workspace, "2025-03")["claims"] == 3


def test_only_rows_whose_figures_changed_are_written(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A", service_date="2025-02-20"), make.claim("B")])
    workspace.run_all()
    workspace.land("claims/b.jsonl", [make.claim("B", paid_amount="161.00", updated_at="2025-05-01T00:00:00Z")])
    workspace.run_all()
    runs = {row["year_month"]: row["_run_id"] for row in workspace.rows("gold.monthly_kpis")}
    assert (runs["2025-02"], runs["2025-03"]) == ("run-3", "run-6")
    assert {row["claim_id"]: row["_run_id"] for row in workspace.rows("gold.claims_analytics")} == {
        "A": "run-3",
        "B": "run-6",
    }
