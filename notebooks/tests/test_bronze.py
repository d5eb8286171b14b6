"""Bronze: each landed file once and whole, nothing lost."""

import json
import os

import pytest

from medallion import landing
from medallion.lake import Lake


def test_an_empty_landing_zone_is_a_success_with_zero_records(workspace):
    results = workspace.run_all()
    assert [(r.rows_in, r.rows_out, r.rows_quarantined) for r in results.values()] == [(0, 0, 0)] * 3
    assert not any(rows for t in workspace.versions() for rows in [workspace.rows(t)])


def test_a_landing_zone_that_does_not_exist_yet_is_empty(workspace):
    workspace.landing.rmdir()
    assert workspace.run("bronze").rows_in == 0


def test_every_value_is_kept_as_text_with_where_it_came_from(workspace, make):
    workspace.land("claims/2025/claims_1.jsonl", [make.claim(is_emergency=True), make.claim("CLM-2")])
    result = workspace.run("bronze")
    row = workspace.by("bronze.claims", "claim_id")["CLM-2"]
    assert (row["claim_amount"], row["is_emergency"], row["denial_reason"]) == ("300.00", "false", None)
    assert (row["_source_file"], row["_line"], row["_run_id"]) == ("claims/2025/claims_1.jsonl", 2, "run-1")
    assert len(row["_content_hash"]) == len(row["_file_hash"]) == 64
    assert result.rows_out == 2


def test_the_manifest_names_each_file_with_its_content_hash_and_rows(workspace, make):
    workspace.land("claims/a.jsonl", [make.claim(), make.claim("CLM-2")])
    workspace.land("customers/customers.csv", make.csv([make.customer()]))
    workspace.run("bronze")
    manifest = workspace.by("bronze.manifest", "path")
    assert {path: (row["table_name"], row["rows"]) for path, row in manifest.items()} == {
        "claims/a.jsonl": ("claims", 2),
        "customers/customers.csv": ("customers", 1),
    }


def test_a_repeat_adds_nothing_and_commits_nothing(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run_all()
    before = workspace.versions()
    results = workspace.run_all()
    assert workspace.versions() == before
    assert [(r.rows_in, r.rows_out, r.rows_quarantined) for r in results.values()] == [(0, 0, 0)] * 3
    assert all(t.version_after == t.version_before for r in results.values() for t in r.tables)


def test_a_touched_file_with_the_same_content_commits_nothing(workspace, make):
    file = workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run("bronze")
    before = workspace.versions()
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert workspace.run("bronze").rows_in == 0
    assert workspace.versions() == before


def test_a_changed_file_brings_its_rows_as_new_versions(workspace, make):
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.run("bronze")
    workspace.land("claims/a.jsonl", [make.claim(paid_amount="1.00"), make.claim("CLM-2")])
    workspace.run("bronze")
    assert sorted(row["claim_id"] for row in workspace.rows("bronze.claims")) == ["CLM-1", "CLM-1", "CLM-2"]
    assert len(workspace.rows("bronze.manifest")) == 2


def test_a_run_that_died_before_its_manifest_adds_nothing_twice(workspace, make):
    workspace.land("claims/a.jsonl", [make.claim()])
    workspace.land("customers/customers.csv", make.csv([make.customer()]))
    workspace.run("bronze")
    workspace.drop("bronze.manifest")
    workspace.land("claims/b.jsonl", [make.claim("CLM-2")])
    result = workspace.run("bronze")
    assert result.rows_in == 1
    assert sorted(row["claim_id"] for row in workspace.rows("bronze.claims")) == ["CLM-1", "CLM-2"]
    assert len(workspace.rows("bronze.customers")) == 1


def test_more_than_the_engine_can_hold_is_read_in_portions_of_whole_files(workspace, make, monkeypatch):
    for name in "abc":
        workspace.land(f"claims/{name}.jsonl", [make.claim(f"{name}-1"), make.claim(f"{name}-2")])
    monkeypatch.setattr(landing, "PORTION_BYTES", 2 * (workspace.landing / "claims/a.jsonl").stat().st_size)
    append = Lake.append

    def dies_at_the_second(lake, table, rows):
        assert not (table == "bronze.claims" and lake.exists(table)), "killed"
        append(lake, table, rows)

    with monkeypatch.context() as killing:
        killing.setattr(Lake, "append", dies_at_the_second)
        with pytest.raises(AssertionError, match="killed"):
            workspace.run("bronze")
    assert {row["_source_file"] for row in workspace.rows("bronze.claims")} == {"claims/a.jsonl", "claims/b.jsonl"}
    assert workspace.run("bronze").rows_in == 2
    assert sorted(row["claim_id"] for row in workspace.rows("bronze.claims")) == [
        f"{n}-{i}" for n in "abc" for i in "12"
    ]
    listed = {row["path"]: row["rows"] for row in workspace.rows("bronze.manifest")}
    assert listed == {f"claims/{name}.jsonl": 2 for name in "abc"}
    assert workspace.version("bronze.claims") == 1


def test_broken_lines_are_kept_raw(workspace, make):
    good = json.dumps(make.claim())
    workspace.land("claims/a.jsonl", f'{good}\n{{"claim_id": "CLM-2", \n[1, 2]\n\n"text"\n')
    result = workspace.run("bronze")
    corrupt = [row["_corrupt"] for row in workspace.rows("bronze.claims") if row["_corrupt"]]
    assert sorted(corrupt) == ['"text"', "[1, 2]", '{"claim_id": "CLM-2",']
    assert result.warnings == [f"{workspace.catalog}.bronze.claims: 3 records could not be read and are kept raw"]


def test_unknown_fields_go_to_the_rescue_column(workspace, make):
    workspace.land("claims/a.jsonl", [make.claim(), make.claim("CLM-2", wag_factor=7, nested={"a": [1]})])
    workspace.land("customers/c.csv", make.csv([make.customer(shoe_size="44")]))
    workspace.run("bronze")
    rows = workspace.by("bronze.claims", "claim_id")
    assert rows["CLM-1"]["_rescued"] is None
    assert json.loads(rows["CLM-2"]["_rescued"]) == {"wag_factor": "7", "nested": '{"a":[1]}'}
    assert json.loads(workspace.rows("bronze.customers")[0]["_rescued"]) == {"shoe_size": "44"}


def test_csv_with_quotes_line_breaks_and_short_rows_loses_nothing(workspace):
    workspace.land(
        "customers/c.csv",
        '\ufeffcustomer_id,first_name,city\r\nC1,"Smith, ""Jo""","two\nlines"\r\nC2,Ann\r\nC3,,Rome\r\n',
    )
    workspace.run("bronze")
    rows = workspace.by("bronze.customers", "customer_id")
    assert (rows["C1"]["first_name"], rows["C1"]["city"]) == ('Smith, "Jo"', "two\nlines")
    assert rows["C2"]["_corrupt"] == "C2,Ann"
    assert (rows["C3"]["first_name"], rows["C3"]["city"], rows["C3"]["_corrupt"]) == ("", "Rome", None)


def test_columns_may_come_in_any_order_and_some_may_be_missing(workspace):
    workspace.land("customers/a.csv", "first_name,customer_id\nAda,C1\n")
    workspace.land("customers/b.csv", "customer_id,state\nC2,TX\n")
    workspace.run("bronze")
    rows = workspace.by("bronze.customers", "customer_id")
    assert (rows["C1"]["first_name"], rows["C1"]["state"]) == ("Ada", None)
    assert (rows["C2"]["first_name"], rows["C2"]["state"]) == (None, "TX")


def test_another_encoding_is_read_and_not_refused(workspace):
    workspace.land("customers/a.csv", "customer_id,last_name\nC1,Müller\n".encode("latin-1"))
    workspace.land("claims/a.jsonl", '{"claim_id": "CLM-1", "treatment_notes": "Bär"}\n'.encode("latin-1"))
    workspace.run("bronze")
    assert workspace.rows("bronze.customers")[0]["last_name"] == "Müller"
    assert workspace.rows("bronze.claims")[0]["treatment_notes"] == "Bär"


def test_empty_files_are_ingested_once_and_hold_nothing(workspace, make):
    workspace.land("claims/empty.jsonl", "")
    workspace.land("claims/blank.jsonl", " \n\n")
    workspace.land("customers/empty.csv", "")
    workspace.land("pets/header.csv", "pet_id,species\n")
    assert workspace.run("bronze").rows_in == 0
    assert {row["path"]: row["rows"] for row in workspace.rows("bronze.manifest")} == {
        "claims/empty.jsonl": 0,
        "claims/blank.jsonl": 0,
        "customers/empty.csv": 0,
        "pets/header.csv": 0,
    }
    before = workspace.versions()
    workspace.run("bronze")
    assert workspace.versions() == before


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \t\n\n"])
def test_a_document_of_one_or_several_lines_is_one_record(workspace, make, indent, end):
    workspace.land("claims/api/CLM-9.json", json.dumps(make.claim("CLM-9"), indent=indent) + end)
    workspace.run("bronze")
    assert [(row["claim_id"], row["_corrupt"]) for row in workspace.rows("bronze.claims")] == [("CLM-9", None)]


def test_the_nearest_folder_decides_and_strangers_are_only_mentioned(workspace, make):
    workspace.land("claims/pets/p.csv", make.csv([make.pet()]))
    workspace.land("notes/readme.txt", "hello")
    workspace.land("claims/_tmp/half.jsonl", "{")
    result = workspace.run("bronze")
    assert len(workspace.rows("bronze.pets")) == 1
    assert result.warnings == ["1 landed files are of no known table or format, such as notes/readme.txt"]


def test_chosen_claims_open_only_their_files_and_the_dimensions(workspace, make):
    workspace.land("customers/customers.csv", make.csv([make.customer()]))
    workspace.land("claims/api/CLM-1.json", [make.claim()])
    workspace.land("claims/api/CLM-2.json", [make.claim("CLM-2")])
    workspace.land("claims/day.jsonl", [make.claim("CLM-3")])
    result = workspace.run("bronze", claim_ids="CLM-2,CLM-404")
    assert [row["claim_id"] for row in workspace.rows("bronze.claims")] == ["CLM-2"]
    assert len(workspace.rows("bronze.customers")) == 1
    assert result.unknown_claim_ids == ["CLM-404"]
    workspace.run("bronze")
    assert sorted(row["claim_id"] for row in workspace.rows("bronze.claims")) == ["CLM-1", "CLM-2", "CLM-3"]


def test_many_files_of_a_folder_are_each_read_once(workspace, make):
    padding = "x" * 400_000  # together above the size at which the engine splits a read
    for day in range(40):
        workspace.land(f"claims/day_{day:02}.jsonl", [make.claim(f"CLM-{day}", treatment_notes=padding)])
    result = workspace.run("bronze")
    assert result.rows_in == len(workspace.rows("bronze.claims")) == 40
