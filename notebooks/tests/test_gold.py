"""Gold: figures checked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from medallion.customers import cross_sell


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


def test_half_a_cent_of_premium_is_rounded_up(workspace):
    """A division of doubles makes 8.0749999 of it on one engine, and 8.08 on another."""
    workspace.land_book(monthly_premium="12.92", cancellation_date="2025-01-20")
    workspace.run_all()
    assert _month(workspace, "2025-01")["earned_premium"] == Decimal("8.08")  # 12.92 x 19 / 30.4 = 8.075
    (customer,) = workspace.rows("gold.customer_360")
    assert customer["earned_premium"] == Decimal("8.08")


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


DENIED = {"status": "Denied", "paid_amount": "0.00", "approved_amount": "0.00", "payment_date": None}


def test_denials_are_told_by_reason_and_the_reasons_add_up(workspace, make):
    workspace.land_book()
    reasons = ["Pre-existing Condition", "Waiting Period", "Not Covered", "Insufficient Documentation", "Fraud", None]
    claims = [make.claim(f"C{n}", denial_reason=reason, **DENIED) for n, reason in enumerate(reasons)]
    workspace.land("claims/a.jsonl", [*claims, make.claim("PAID"), make.claim("P2")])
    workspace.run_all()
    march = _month(workspace, "2025-03")
    names = ("pre_existing", "waiting_period", "not_covered", "documentation", "other")
    assert [march[f"denied_{name}"] for name in names] == [1, 1, 1, 1, 2]
    assert [march[f"denial_rate_{name}"] for name in names] == [0.125, 0.125, 0.125, 0.125, 0.25]
    assert march["denial_rate"] == 0.75


def test_open_claims_are_told_by_how_long_they_wait(workspace, make):
    workspace.land_book()
    waiting = {"status": "Under Review", "decision_date": None, "payment_date": None, "paid_amount": "0.00"}
    days = {"A": "2025-07-31", "B": "2025-07-24", "C": "2025-07-23", "D": "2025-07-01", "E": "2025-06-30"}
    workspace.land("claims/a.jsonl", [make.claim(i, submitted_date=day, **waiting) for i, day in days.items()])
    workspace.run_all()
    march = _month(workspace, "2025-03")
    ages = ("to_7_days", "8_to_30_days", "over_30_days")
    assert [march[f"open_claims_{age}"] for age in ages] == [2, 2, 1]


def test_dates_out_of_order_are_no_cycle_time(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim("A", decision_date="2025-03-10"), make.claim("B")])
    workspace.run_all()
    march = _month(workspace, "2025-03")
    assert (march["decision_days_p50"], march["straight_through_claims"]) == (2.0, 0)


def test_retention_is_of_the_policies_that_were_in_force_a_month_before(workspace, make):
    workspace.land_book()
    ends = {"POL-2": "2025-03-01", "POL-3": "2025-03-31", "POL-4": "2025-04-01"}
    more = [make.policy(policy_id=i, cancellation_date=day) for i, day in ends.items()]
    workspace.land("policies/more.csv", make.csv([*more, make.policy(policy_id="NEW", effective_date="2025-03-05")]))
    workspace.run_all(as_of="2025-04-15")
    told = {i: (row["policies_at_end"], row["retention_rate"]) for i, row in _by_month(workspace).items()}
    assert told == {
        "2025-01": (4, None),
        "2025-02": (4, 1.0),  # POL-2 covers the last of February
        "2025-03": (3, 0.5),  # of the four, POL-1 and POL-4 are left; NEW is no retained one
        "2025-04": (2, pytest.approx(2 / 3, abs=1e-6)),
    }


def _by_month(workspace):
    return workspace.by("gold.monthly_kpis", "year_month")


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


@pytest.mark.parametrize(("used", "score"), [(0.5025, 0.7508), (0.5005, 0.7502), (0.6515, 0.7955), (1.7, 0.9)])
def test_a_score_is_rounded_half_up(workspace, used, score):
    """As a double 0.6 + 0.3 x 0.5025 lies below its half."""
    facts = {"customer_id": "CUS-1", "value_tier": "gold", "marketing_opt_in": True, "pets": 1, "active_policies": 1}
    facts |= {"policies": 1, "low_limits": 1, "unprotected_wellness": 0, "claims": 1, "limit_used": used}
    (offer,) = cross_sell(workspace.spark.createDataFrame([facts])).collect()
    assert (offer["offer"], offer["score"]) == ("limit_upgrade", score)


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


def test_a_provider_has_a_share_of_the_network_and_is_measured_for_upcoding_and_documents(workspace, make):
    workspace.land_book()
    outside = make.provider(provider_id="VET-2", is_in_network="false")
    workspace.land("vet_providers/more.csv", make.csv([outside, make.provider(provider_id="VET-3")]))
    workspace.land(
        "claims/a.jsonl",
        [
            make.claim("A", claim_amount="300.00"),
            make.claim("B", claim_amount="100.00", provider_id="VET-2", invoice_number=None),
            make.claim("C", claim_amount="200.00", provider_id="VET-3", submitted_date="2025-03-15"),
        ],
    )
    workspace.run_all()
    rows = workspace.by("gold.provider_performance", "provider_id")
    told = {i: (row["network_share"], row["upcoding_z"], row["documentation_rate"]) for i, row in rows.items()}
    assert told == {"VET-1": (0.5, 1.0, 1.0), "VET-2": (None, -1.0, 0.0), "VET-3": (0.5, 0.0, 1.0)}
    assert [rows[i]["average_invoice_days"] for i in ("VET-1", "VET-3")] == [1.0, 5.0]


def test_exposure_counts_at_the_age_of_each_day(workspace, make):
    workspace.land_book(effective_date="2022-01-01", expiration_date="2026-01-01")
    born = make.pet(date_of_birth="2020-02-29", updated_at="2025-02-01T00:00:00Z")
    workspace.land("pets/more.csv", make.csv([born]))
    claims = [make.claim("A", service_date="2022-03-10"), make.claim("B", service_date="2025-03-10")]
    workspace.land("claims/a.jsonl", claims)
    workspace.run_all()
    bands = workspace.by("gold.risk_scoring", "age_band")
    young = (date(2023, 2, 28) - date(2022, 1, 1)).days
    old = (date(2025, 8, 1) - date(2023, 2, 28)).days
    assert {band: row["exposure_years"] for band, row in bands.items()} == {
        "1-2": round(young / 365.25, 4),
        "3-6": round(old / 365.25, 4),
    }


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


def test_chosen_claims_move_what_their_released_neighbours_are_owed_and_release_nothing_else(workspace, make):
    workspace.land_book()
    days = {"A": "2025-02-01", "B": "2025-02-02", "C": "2025-02-03"}
    claims = {i: make.claim(i, service_date=day, claim_amount="100.00") for i, day in days.items()}
    workspace.land("claims/a.jsonl", [claims["B"], claims["C"]])
    workspace.run_all()
    later = {"updated_at": "2025-04-01T00:00:00Z"}
    workspace.land("claims/b.jsonl", [claims["A"], claims["C"] | {"paid_amount": "1.00"} | later])
    workspace.run("bronze")
    workspace.run("silver")
    workspace.run("gold", claim_ids="A")
    rows = workspace.by("gold.claims_analytics", "claim_id")
    assert {i: (str(row["expected_paid"]), str(row["paid_amount"])) for i, row in rows.items()} == {
        "A": ("0.00", "160.00"),
        "B": ("80.00", "160.00"),
        "C": ("80.00", "160.00"),  # its correction was not chosen
    }


def test_a_claim_that_moves_to_another_policy_frees_the_terms_of_the_old_one(workspace, make):
    workspace.land_book()
    workspace.land("policies/more.csv", make.csv([make.policy(policy_id="POL-2")]))
    first = make.claim("A", service_date="2025-02-01", claim_amount="100.00")
    workspace.land("claims/a.jsonl", [first, make.claim("B", service_date="2025-02-02", claim_amount="100.00")])
    workspace.run_all()
    workspace.land("claims/A.jsonl", [first | {"policy_id": "POL-2", "updated_at": "2025-04-01T00:00:00Z"}])
    workspace.run_all(claim_ids="A")
    rows = workspace.by("gold.claims_analytics", "claim_id")
    assert {i: str(row["expected_paid"]) for i, row in rows.items()} == {"A": "0.00", "B": "0.00"}


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
