"""The lake's ways of writing."""

from itertools import pairwise

import pytest

from medallion.lake import ADDITIONS, Lake
from medallion.run import from_parameters


@pytest.fixture
def lake(workspace):
    given = {"catalog": workspace.catalog, "batch_id": "run-1"}
    run = from_parameters(workspace.spark, workspace.files, given, last_commit=workspace.last_commit)
    return Lake(run, {"gold.pairs": "word string, number int"})


def test_declared_columns_are_told_by_their_names_and_not_by_their_places(workspace, lake):
    lake.append("gold.pairs", workspace.spark.createDataFrame([(7, "seven")], "number int, word string"))
    assert workspace.rows("gold.pairs") == [{"number": 7, "word": "seven"}]


def test_rows_that_lack_a_declared_column_are_not_written(workspace, lake):
    with pytest.raises(Exception, match=r"number|size"):
        lake.append("gold.pairs", workspace.spark.createDataFrame([("seven", 7)], "word string, size int"))
    assert "gold.pairs" not in workspace.versions()


def _claims(lake, *ids):
    rows = [(claim_id, f"2025-Q{number % 2 + 1}") for number, claim_id in enumerate(ids)]
    return lake.spark.createDataFrame(rows, "claim_id string, table_part string")


def test_new_claims_are_added_and_now_and_then_small_files_are_made_one(workspace, lake):
    """Version 17 writes the quarters anew that it adds to, and no other."""
    lake.append("silver.claims", _claims(lake, "A", "B"))
    files = [set(workspace.delta("silver.claims").file_uris())]
    for number in range(1, ADDITIONS + 1):
        lake.merge("silver.claims", _claims(lake, f"C{number}"), ["claim_id"])
        files.append(set(workspace.delta("silver.claims").file_uris()))
    assert all(before < after for before, after in pairwise(files[:-1]))
    assert files[-1] & files[-2] == {file for file in files[0] if "2025-Q2" in file}
    ids = [row["claim_id"] for row in workspace.rows("silver.claims")]
    assert sorted(ids) == sorted(["A", "B", *(f"C{number}" for number in range(1, ADDITIONS + 1))])


def test_a_claim_that_is_held_is_not_added_again(workspace, lake):
    lake.append("silver.claims", _claims(lake, "A", "B"))
    lake.merge("silver.claims", _claims(lake, "C", "A"), ["claim_id"])
    held = {row["claim_id"]: row["table_part"] for row in workspace.rows("silver.claims")}
    assert (len(workspace.rows("silver.claims")), held) == (3, {"A": "2025-Q2", "B": "2025-Q2", "C": "2025-Q1"})
