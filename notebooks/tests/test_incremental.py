"""A small batch costs what it touches: other quarters, customers and refused rows are left alone, none is missed."""

import pytest

from medallion.monthly import claims_by_month
from notebooks.tests.kills import killed_in

OTHER = {"customer_id": "CUS-2", "pet_id": "PET-2", "policy_id": "POL-2"}


@pytest.fixture
def lake(workspace, make, monkeypatch):
    """Two customers with a claim each, in different quarters of a large book, and a claim that is refused."""
    monkeypatch.setattr("medallion.lake.SMALL_BOOK", 0)
    workspace.land("customers/a.csv", make.csv([make.customer(), make.customer(customer_id="CUS-2")]))
    workspace.land("pets/a.csv", make.csv([make.pet(), make.pet(customer_id="CUS-2", pet_id="PET-2")]))
    workspace.land("vet_providers/a.csv", make.csv([make.provider()]))
    workspace.land("policies/a.csv", make.csv([make.policy(), make.policy(**OTHER)]))
    claims = [make.claim("A"), make.claim("B", service_date="2025-05-10", **OTHER), make.claim("C", status="?")]
    workspace.land("claims/a.jsonl", claims)
    workspace.run_all()
    return workspace


def _files(lake, table):
    return set(lake.delta(table).file_uris())


def _claims(lake):
    return {i: (row["table_part"], str(row["service_date"])) for i, row in lake.by("silver.claims", "claim_id").items()}


def _claims_by_customer(lake):
    return {i: row["claims"] for i, row in lake.by("gold.customer_360", "customer_id").items()}


@pytest.mark.parametrize("table", ["silver.claims", "gold.claims_analytics"])
def test_a_batch_rewrites_the_quarters_it_touches_and_no_other(lake, make, table):
    before = _files(lake, table)
    again = make.claim("B", service_date="2025-05-11", updated_at="2025-07-01T00:00:00Z", **OTHER)
    lake.land("claims/b.jsonl", [again])
    lake.run_all()
    untouched = {file for file in before if "table_part=2025-Q1" in file}
    assert untouched
    assert _files(lake, table) & before == untouched


def test_a_claim_that_moves_to_another_quarter_is_in_that_one_only(lake, make):
    lake.land("claims/b.jsonl", [make.claim("A", service_date="2025-06-10", updated_at="2025-07-01T00:00:00Z")])
    lake.run_all()
    assert len(lake.rows("silver.claims")) == len(lake.rows("gold.claims_analytics")) == 2
    assert _claims(lake)["A"] == ("2025-Q2", "2025-06-10")
    assert lake.by("gold.claims_analytics", "claim_id")["A"]["table_part"] == "2025-Q2"


def test_a_new_claim_that_brings_another_customers_claim_a_flag_leaves_one_of_each(lake, make):
    """The batch itself is all new; what it moves is not."""
    same = {"invoice_number": "INV-7"}
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-05-12", **same, **OTHER)])
    lake.run_all()
    lake.land("claims/c.jsonl", [make.claim("E", service_date="2025-03-12", **same)])
    lake.run_all()
    flags = sorted((row["claim_id"], row["review_flags"]) for row in lake.rows("gold.claims_analytics"))
    assert flags == [("A", []), ("B", []), ("D", ["duplicate_invoice"]), ("E", [])]


def test_a_new_claim_that_uses_up_a_deductible_leaves_one_of_each(lake, make):
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-05-09", claim_amount="40.00", **OTHER)])
    before = lake.by("silver.claims", "claim_id")["B"]["deductible_left"]
    lake.run_all()
    left = sorted((row["claim_id"], row["deductible_left"]) for row in lake.rows("silver.claims"))
    assert left == [("A", before), ("B", before - 40), ("D", before)]
    assert sorted(row["claim_id"] for row in lake.rows("gold.claims_analytics")) == ["A", "B", "D"]


def test_only_the_months_of_touched_quarters_are_added_up(lake, make, monkeypatch):
    seen = []

    def noting(claims, as_of):
        seen.append({row[0] for row in claims.select("table_part").distinct().collect()})
        return claims_by_month(claims, as_of)

    def claims():
        return {row["year_month"]: row["claims"] for row in lake.rows("gold.monthly_kpis") if row["claims"]}

    monkeypatch.setattr("medallion.gold.claims_by_month", noting)
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-06-10", **OTHER)])
    lake.run_all()
    assert (seen, claims()) == ([{"2025-Q2"}], {"2025-03": 1, "2025-05": 1, "2025-06": 1})
    lake.land("claims/c.jsonl", [make.claim("A", service_date="2025-06-11", updated_at="2025-07-01T00:00:00Z")])
    lake.run_all()
    assert (seen[1:], claims()) == ([{"2025-Q2"}], {"2025-05": 1, "2025-06": 2})  # none is left in the first quarter
    lake.run_all(as_of="2025-08-01")
    assert claims() == {"2025-05": 1, "2025-06": 2}


def test_only_the_customers_of_changed_claims_are_written(lake, make):
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-05-11", **OTHER)])
    lake.run_all()
    customers = lake.by("gold.customer_360", "customer_id")
    assert {i: (row["claims"], row["_run_id"]) for i, row in customers.items()} == {
        "CUS-1": (1, "run-3"),
        "CUS-2": (2, "run-6"),
    }


def test_a_claim_that_changes_hands_moves_both_customers(lake, make):
    lake.land("claims/b.jsonl", [make.claim("A", updated_at="2025-07-01T00:00:00Z", **OTHER)])
    lake.run_all()
    assert _claims_by_customer(lake) == {"CUS-1": 0, "CUS-2": 2}


def test_an_offer_that_suits_no_more_is_gone(lake, make):
    assert {row["customer_id"] for row in lake.rows("gold.cross_sell")} == {"CUS-1", "CUS-2"}
    covered = make.policy(includes_wellness="true", updated_at="2025-07-01T00:00:00Z")
    lake.land("policies/b.csv", make.csv([covered]))
    lake.run_all()
    assert {row["customer_id"] for row in lake.rows("gold.cross_sell")} == {"CUS-2"}


def test_figures_are_made_whole_when_the_version_to_compare_with_is_gone(lake, make):
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-05-11", **OTHER)])
    lake.run("bronze")
    lake.run("silver")
    lake.run("gold", claim_ids="D")
    lake.land("claims/c.jsonl", [make.claim("E", updated_at="2025-07-01T00:00:00Z")])
    lake.run("bronze")
    lake.run("silver")
    lake.delta("gold.claims_analytics").vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    lake.run("gold")
    assert {i: row["claims"] for i, row in lake.by("gold.customer_360", "customer_id").items()} == {
        "CUS-1": 2,
        "CUS-2": 2,
    }


def test_a_refused_claim_waits_untouched_until_what_it_refers_to_changes(lake, make):
    lake.land("claims/b.jsonl", [make.claim("D", policy_id="POL-9")])
    lake.run_all()
    version = lake.version("silver.quarantine")
    lake.land("claims/c.jsonl", [make.claim("E")])
    lake.run_all()
    assert lake.version("silver.quarantine") == version
    lake.land("policies/b.csv", make.csv([make.policy(policy_id="POL-9")]))
    lake.run_all()
    assert sorted(lake.by("silver.quarantine", "key")) == ["C"]
    assert sorted(lake.by("gold.claims_analytics", "claim_id")) == ["A", "B", "D", "E"]


def test_raw_rows_that_the_manifest_does_not_list_are_judged_with_those_it_does(lake, make):
    lake.land("claims/b.jsonl", [make.claim("D")])
    lake.land("claims/c.jsonl", [make.claim("E")])
    lake.run("bronze")
    lake.spark.sql(f"DELETE FROM {lake.catalog}.bronze.manifest WHERE path LIKE '%b.jsonl'")
    lake.run("silver")
    assert {"D", "E"} <= set(lake.by("silver.claims", "claim_id"))


def test_an_older_version_that_lands_late_is_weighed_against_those_that_came_before(lake, make):
    held = lake.by("silver.claims", "claim_id")["A"]
    late = make.claim("A", claim_amount="1.00", updated_at="2019-01-01T00:00:00Z")
    lake.land("claims/b.jsonl", [late, make.claim("D")])
    lake.run_all()
    claims = lake.by("silver.claims", "claim_id")
    assert claims["A"] == held
    assert "D" in claims


def test_what_silver_has_changed_in_two_runs_is_released(lake, make):
    for claim_id in ("D", "E"):
        lake.land(f"claims/{claim_id}.jsonl", [make.claim(claim_id)])
        lake.run("bronze")
        lake.run("silver")
    lake.run("gold")
    assert set(lake.by("gold.claims_analytics", "claim_id")) == {"A", "B", "D", "E"}
    assert _claims_by_customer(lake) == {"CUS-1": 3, "CUS-2": 1}


def test_the_next_day_a_claim_of_that_day_passes_and_other_refused_ones_wait(lake, make):
    lake.land("claims/b.jsonl", [make.claim("D", service_date="2025-08-09", submitted_date="2025-08-09")])
    lake.run_all()
    waiting = lake.by("silver.quarantine", "key")
    assert set(waiting) == {"C", "D"}
    lake.run_all(as_of="2025-08-10")
    assert lake.by("silver.quarantine", "key") == {"C": waiting["C"]}
    assert "D" in lake.by("gold.claims_analytics", "claim_id")


def test_premium_is_earned_anew_when_policies_change_and_only_then(lake, make):
    def in_force():
        return {i: row["policies_in_force"] for i, row in lake.by("gold.monthly_kpis", "year_month").items()}

    before = in_force()
    lake.land("claims/b.jsonl", [make.claim("D")])
    lake.run_all()
    assert in_force() == before
    lake.land("policies/b.csv", make.csv([make.policy(policy_id="POL-3", effective_date="2025-05-01")]))
    lake.run_all()
    assert in_force() == {i: n + (i >= "2025-05") for i, n in before.items()}


def test_refused_claims_do_not_come_before_the_good_ones_of_their_batch(lake, make):
    """Else the batch of a run that died would be one of refused rows only, and close the gate."""
    lake.land("claims/b.jsonl", [make.claim("D"), make.claim("E", status="?")])
    lake.run("bronze")

    with killed_in("medallion.claims.merge"):
        lake.run("silver")
    assert set(lake.by("silver.quarantine", "key")) == {"C"}
    lake.run("silver")
    assert set(lake.by("silver.quarantine", "key")) == {"C", "E"}


@pytest.mark.parametrize(
    ("dies_in", "claims", "refused"),
    [("medallion.silver.update", {"A", "B", "C"}, {"C"}), ("medallion.claims.merge", {"A", "B"}, {"C"})],
    ids=["in quarantine", "in claims"],
)
def test_a_claim_healed_by_a_run_that_died_is_whole_with_the_next(lake, make, dies_in, claims, refused):
    lake.land("claims/b.jsonl", [make.claim("C", updated_at="2025-07-01T00:00:00Z")])
    lake.run("bronze")

    with killed_in(dies_in):
        lake.run("silver")
    assert set(lake.by("silver.claims", "claim_id")) == claims
    assert set(lake.by("silver.quarantine", "key")) == refused
    lake.run("silver")
    assert set(lake.by("silver.claims", "claim_id")) == {"A", "B", "C"}
    assert lake.rows("silver.quarantine") == []
