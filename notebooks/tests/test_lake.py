"""The lake's ways of writing."""

import pytest

from medallion.lake import Lake
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
