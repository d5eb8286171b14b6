"""Everything bad lands at once: raw is kept, nothing wrong reaches gold, the reason is readable, the run succeeds."""

import json
from types import SimpleNamespace

import pytest

TEN_MB = "x" * 10_000_000
GOOD = {"GOOD", "NOTES", "WINDOWS", "UTF8", "UTF-16", "UTF-16-BE", "UTF-8-SIG", "NESTED"}
GOOD |= {"BIG", "TWICE", "CLOCK", "SAME"}
"""The claims that are fit for gold."""


@pytest.fixture(scope="module")
def landed(module_workspace, make):
    """A lake after one run over one good book and every kind of bad file."""
    w, claim = module_workspace, make.claim
    w.land_book()
    w.land("claims/good.jsonl", [claim("GOOD")])
    w.land("claims/broken.jsonl", '{"claim_id": "BROKEN-1", "claim_am\n[]\nnull\n{"claim_id": "BROKEN-2"} trailing\n')
    w.land("claims/binary.jsonl", b"\x00\x01\xfe\xff\x80broken\n")
    w.land("claims/latin.jsonl", _noted(claim("NOTES"), "Bär").encode("cp1252"))
    w.land(
        "claims/mixed.jsonl", _noted(claim("WINDOWS"), "5 €").encode("cp1252") + _noted(claim("UTF8"), "Bär").encode()
    )
    for name in ("utf-16", "utf-16-be", "utf-8-sig"):  # the first one is little-endian with its mark
        mark = "\ufeff" if name == "utf-16-be" else ""
        w.land(f"claims/{name}.jsonl", (mark + _noted(claim(name.upper()), "Bär 🐕")).encode(name))
        w.land(f"customers/{name}.csv", (mark + make.csv([make.customer(customer_id=name, city="Łódź")])).encode(name))
    w.land("claims/cut.jsonl", json.dumps(claim("CUT")).encode("utf-16") + b"!")
    w.land("claims/unmarked.jsonl", json.dumps(claim("UNMARKED")).encode("utf-16-le"))
    w.land("customers/unmarked.csv", make.csv([make.customer(customer_id="UNMARKED")]).encode("utf-16-be"))
    w.land("claims/half_a_pair.jsonl", (json.dumps(claim("HALF")) + "\ud83d").encode("utf-16", "surrogatepass"))
    for n, line in enumerate(TWO_ON_A_LINE):
        w.land(f"claims/two_{n}.jsonl", line)
    w.land("claims/nested.jsonl", [claim("NESTED", treatment_notes="{}]", invoice={"lines": [{"usd": 1}, {"usd": 2}]})])
    for name in ("claims/empty.jsonl", "policies/empty.csv", "pets/blank.csv"):
        w.land(name, "" if "empty" in name else "\n\n")
    w.land("claims/missing.jsonl", [{"claim_id": "MISSING", "policy_id": "POL-1"}])
    w.land("policies/missing.csv", "policy_id,customer_id,pet_id\nPOL-MISSING,CUS-1,PET-1\n")
    w.land("customers/missing.csv", "first_name,last_name\nAnn,Onymous\n")
    w.land("customers/twice.csv", "customer_id,state,state,,\nCUS-2,TX,CA,a,b\n")
    w.land("customers/quote.csv", 'customer_id,first_name\nCUS-3,"never closed\nCUS-4,Dan\n')
    w.land("claims/twice_1.jsonl", [claim("TWICE", paid_amount="1.00"), claim("SAME")])
    w.land(
        "claims/twice_2.jsonl", [claim("TWICE", paid_amount="2.00", updated_at="2025-04-01T00:00:00Z"), claim("SAME")]
    )
    for name, column in (("SERVED", "service_date"), ("SENT", "submitted_date"), ("DECIDED", "decision_date")):
        w.land(f"claims/future_{name}.jsonl", [claim(name, **{column: "2099-01-01"})])
    w.land("claims/future_paid.jsonl", [claim("PAYMENT", payment_date="2099-01-01")])
    w.land("claims/clock.jsonl", [claim("CLOCK", updated_at="2099-01-01T00:00:00Z")])
    w.land("pets/future.csv", make.csv([make.pet(pet_id="PET-2099", date_of_birth="2099-01-01")]))
    for n, amount in enumerate(AMOUNTS):
        w.land(f"claims/amount_{n}.jsonl", [claim(f"AMOUNT-{n}", claim_amount=amount)])
    w.land("claims/big.jsonl", [claim("BIG", treatment_notes=TEN_MB)])
    w.land("claims/big_broken.jsonl", '{"claim_id": "BIG-BROKEN", "treatment_notes": "' + TEN_MB)
    w.land(
        "claims/stranger.jsonl", [claim("STRANGER", policy_id="POL-404"), claim("OF-NO-PET", policy_id="POL-NO-PET")]
    )
    w.land("policies/no_pet.csv", make.csv([make.policy(policy_id="POL-NO-PET", pet_id="PET-404")]))
    results = {layer: w.run(layer, max_reject_share="1.0") for layer in ("bronze", "silver", "gold")}
    return SimpleNamespace(lake=w, results=results, reasons={r["key"]: r for r in w.rows("silver.quarantine")})


AMOUNTS = ("EUR 1.200,50", "12,5", "one hundred", "1e3", "$300", "99999999999.00", "12.345", "NaN", True, {"usd": 1})


TWO_ON_A_LINE = (
    '{"claim_id": "ONE"} {"claim_id": "TWO"}',
    '{"claim_id": "ONE"}{"claim_id": "TWO"}',
    '{"claim_id": "ONE"}, {"claim_id": "TWO"}',
    '{"claim_id": "ONE"}], [{"claim_id": "TWO"}',
    '{"claim_id": "ONE"} and {more}',
)


def _noted(claim, notes):
    """The claim as a line of JSON that is not escaped."""
    return json.dumps(claim | {"treatment_notes": notes}, ensure_ascii=False) + "\n"


def _rule(landed, key):
    """The rule that a row waits under, after its raw text was found in bronze."""
    row = landed.reasons[key]
    table = f"bronze.{row['table_name']}"
    assert any(row["_content_hash"] == kept["_content_hash"] for kept in landed.lake.rows(table))
    assert row["message"]
    assert row["raw"]
    return row["rule"]


def test_the_run_succeeds_with_warnings_and_gold_has_the_good_claims_only(landed):
    assert set(landed.lake.by("gold.claims_analytics", "claim_id")) == GOOD
    assert landed.results["silver"].rows_quarantined == len(landed.reasons)
    assert landed.results["silver"].warnings == [f"{len(landed.reasons)} rows were put into quarantine"]
    (customer,) = [row for row in landed.lake.rows("gold.customer_360") if row["customer_id"] == "CUS-1"]
    assert (customer["claims"], customer["policies"], customer["pets"]) == (len(GOOD), 1, 1)
    assert {row["year_month"] for row in landed.lake.rows("gold.monthly_kpis")} == {f"2025-0{n}" for n in range(1, 8)}


def test_broken_json_lines_wait_as_they_were(landed):
    raws = {n: landed.reasons[f"claims/broken.jsonl#{n}"]["raw"] for n in range(1, 5)}
    assert raws == {
        1: '{"claim_id": "BROKEN-1", "claim_am',
        2: "[]",
        3: "null",
        4: '{"claim_id": "BROKEN-2"} trailing',
    }
    assert {_rule(landed, f"claims/broken.jsonl#{n}") for n in range(1, 5)} == {"record_readable"}


def test_text_is_read_in_the_encoding_that_it_is_in(landed):
    claims, customers = landed.lake.by("silver.claims", "claim_id"), landed.lake.by("silver.customers", "customer_id")
    assert {
        i: claims[i]["treatment_notes"] for i in ("NOTES", "WINDOWS", "UTF8", "UTF-16", "UTF-16-BE", "UTF-8-SIG")
    } == {
        "NOTES": "Bär",
        "WINDOWS": "5 €",
        "UTF8": "Bär",
        "UTF-16": "Bär 🐕",
        "UTF-16-BE": "Bär 🐕",
        "UTF-8-SIG": "Bär 🐕",
    }
    assert {customers[i]["city"] for i in ("utf-16", "utf-16-be", "utf-8-sig")} == {"Łódź"}


@pytest.mark.parametrize(
    "key",
    [*(f"claims/{name}.jsonl#1" for name in ("binary", "cut", "unmarked", "half_a_pair")), "customers/unmarked.csv#2"],
)
def test_bytes_that_are_no_text_are_refused_and_not_lost(landed, key):
    assert _rule(landed, key) == "record_readable"
    assert landed.reasons[key]["message"].startswith("the record is no text that can be read: UTF-8, UTF-16 with its")


@pytest.mark.parametrize("number", range(len(TWO_ON_A_LINE)))
def test_of_two_records_on_one_line_none_is_lost(landed, number):
    assert _rule(landed, f"claims/two_{number}.jsonl#1") == "record_readable"
    assert landed.reasons[f"claims/two_{number}.jsonl#1"]["raw"] == TWO_ON_A_LINE[number]


def test_an_object_within_a_record_is_no_second_record(landed):
    (row,) = [row for row in landed.lake.rows("bronze.claims") if row["claim_id"] == "NESTED"]
    assert (row["_corrupt"], row["_rescued"]) == (None, '{"invoice":"{\\"lines\\":[{\\"usd\\":1},{\\"usd\\":2}]}"}')


def test_empty_files_are_known_and_hold_nothing(landed):
    rows = {row["path"]: row["rows"] for row in landed.lake.rows("bronze.manifest")}
    assert {path: rows[path] for path in rows if "empty" in path or "blank" in path} == {
        "claims/empty.jsonl": 0,
        "policies/empty.csv": 0,
        "pets/blank.csv": 0,
    }


def test_rows_of_files_that_lack_columns_name_the_column(landed):
    assert _rule(landed, "MISSING") == "service_date_present"
    assert _rule(landed, "POL-MISSING") == "monthly_premium_present"
    assert _rule(landed, "customers/missing.csv#2") == "customer_id_present"
    assert "claim_amount is missing" in landed.reasons["MISSING"]["message"]


def test_a_header_that_names_a_column_twice_or_not_at_all_loses_no_value(landed):
    (row,) = [row for row in landed.lake.rows("bronze.customers") if row["customer_id"] == "CUS-2"]
    assert row["state"] == "TX"
    assert json.loads(row["_rescued"]) == {"state_3": "CA", "column_4": "a", "column_5": "b"}


def test_a_quote_that_is_never_closed_swallows_no_other_row(landed):
    customers = landed.lake.by("bronze.customers", "customer_id")
    assert customers["CUS-4"]["first_name"] == "Dan"
    assert "never closed" in customers["CUS-3"]["first_name"]


def test_of_a_key_in_several_files_the_last_updated_counts_once(landed):
    assert str(landed.lake.by("silver.claims", "claim_id")["TWICE"]["paid_amount"]) == "2.00"
    kept = [row["claim_id"] for row in landed.lake.rows("bronze.claims") if row["claim_id"] in ("TWICE", "SAME")]
    assert sorted(kept) == ["SAME", "SAME", "TWICE", "TWICE"]


def test_dates_in_the_future_are_refused(landed):
    assert {key: _rule(landed, key) for key in ("SERVED", "SENT", "DECIDED", "PAYMENT", "PET-2099")} == {
        "SERVED": "service_date_not_future",
        "SENT": "submitted_date_not_ahead",
        "DECIDED": "decision_date_not_ahead",
        "PAYMENT": "payment_date_not_ahead",
        "PET-2099": "date_of_birth_not_ahead",
    }


def test_a_clock_that_is_ahead_is_a_warning(landed):
    assert landed.lake.by("silver.claims", "claim_id")["CLOCK"]["_warnings"] == ["updated_at_not_after_landing"]


def test_amounts_that_are_no_plain_number_are_not_guessed(landed):
    assert {_rule(landed, f"AMOUNT-{n}") for n in range(len(AMOUNTS))} == {"claim_amount_is_money"}
    assert "EUR 1.200,50" in landed.reasons["AMOUNT-0"]["message"]


def test_lines_of_ten_megabytes_are_rows_like_others(landed):
    assert len(landed.lake.by("silver.claims", "claim_id")["BIG"]["treatment_notes"]) == len(TEN_MB)
    assert _rule(landed, "claims/big_broken.jsonl#1") == "record_readable"
    assert len(landed.reasons["claims/big_broken.jsonl#1"]["raw"]) > len(TEN_MB)
    assert landed.reasons["claims/big_broken.jsonl#1"]["message"] == "the record cannot be parsed"


def test_claims_of_unknown_policies_and_policies_of_unknown_pets_wait(landed):
    assert (_rule(landed, "STRANGER"), _rule(landed, "OF-NO-PET")) == ("policy_known", "policy_known")
    assert _rule(landed, "POL-NO-PET") == "pet_known"
    assert landed.reasons["POL-NO-PET"]["message"] == "no pet has the id in pet_id: 'PET-404'"


def test_a_late_pet_frees_its_policy_and_the_policys_claims_in_one_run(workspace, make):
    workspace.land_book()
    workspace.land("policies/more.csv", make.csv([make.policy(policy_id="POL-2", pet_id="PET-2")]))
    workspace.land("claims/a.jsonl", [make.claim(policy_id="POL-2", pet_id="PET-2")])
    workspace.run_all()
    assert {row["key"]: row["rule"] for row in workspace.rows("silver.quarantine")} == {
        "POL-2": "pet_known",
        "CLM-1": "policy_known",
    }
    workspace.land("pets/late.csv", make.csv([make.pet(pet_id="PET-2")]))
    workspace.run_all()
    assert not workspace.rows("silver.quarantine")
    assert [row["policy_id"] for row in workspace.rows("gold.claims_analytics")] == ["POL-2"]


def test_a_correction_wins_over_a_row_whose_clock_was_ahead(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(paid_amount="9.00", updated_at="2099-01-01T00:00:00Z")])
    workspace.run_all()
    workspace.land("claims/b.jsonl", [make.claim(paid_amount="8.00", updated_at="")])
    workspace.run_all()
    assert str(workspace.rows("silver.claims")[0]["paid_amount"]) == "8.00"
