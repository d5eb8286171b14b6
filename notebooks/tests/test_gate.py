"""The gate before gold: too large a refused share of a batch ends the run."""

import pytest

from medallion.gate import MIN_JUDGED, MIN_REFUSED, TooManyRejected
from notebooks.tests.kills import killed_in

BAD = MIN_JUDGED * 6 // 10


def _land(workspace, make, bad, rows=MIN_JUDGED):
    workspace.land_book()
    claims = [make.claim(f"C{n}", claim_amount="n/a" if n < bad else "10.00") for n in range(rows)]
    workspace.land("claims/a.jsonl", claims)
    workspace.run("bronze")


def test_a_batch_that_is_mostly_refused_fails_before_gold_and_loses_nothing(workspace, make):
    _land(workspace, make, BAD)
    with pytest.raises(TooManyRejected, match=r"60 of 100 rows of run run-2 \(60%\).*rule claim_amount_is_money"):
        workspace.run("silver")
    assert len(workspace.rows("bronze.claims")) == MIN_JUDGED
    assert len(workspace.rows("silver.quarantine")) == BAD
    assert len(workspace.rows("silver.claims")) == MIN_JUDGED - BAD


def test_a_repeat_of_a_refused_batch_fails_again_until_it_is_corrected(workspace, make):
    _land(workspace, make, BAD)
    for _ in range(2):
        with pytest.raises(TooManyRejected):
            workspace.run("silver")
    later = "2025-04-01T00:00:00Z"
    workspace.land("claims/b.jsonl", [make.claim(f"C{n}", updated_at=later) for n in range(BAD // 2)])
    workspace.run("bronze")
    workspace.run("silver")
    assert len(workspace.rows("silver.quarantine")) == BAD - BAD // 2


def test_the_allowed_share_is_a_parameter(workspace, make):
    _land(workspace, make, BAD)
    result = workspace.run("silver", max_reject_share="0.6")
    assert result.rows_quarantined == BAD
    with pytest.raises(TooManyRejected, match=r"max_reject_share 0\.59"):
        workspace.run("silver", max_reject_share="0.59")


def test_a_small_batch_with_many_bad_claims_fails_too(workspace, make):
    _land(workspace, make, MIN_REFUSED, rows=MIN_REFUSED + 5)
    with pytest.raises(TooManyRejected, match=r"20 of 25 rows .*\(80%\)"):
        workspace.run("silver")


def test_few_bad_claims_are_a_warning_however_large_their_share(workspace, make):
    _land(workspace, make, 3, rows=3)
    result = workspace.run("silver")
    assert result.warnings == ["3 rows were put into quarantine"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_batch_that_died_before_it_told_its_results_does_not_pass_either(workspace, make, is_first):
    if not is_first:
        workspace.land_book()
        workspace.run_all()
    _land(workspace, make, BAD)

    with killed_in("medallion.quality.store"):
        workspace.run("silver")
    assert len(workspace.rows("silver.quarantine")) == BAD
    with pytest.raises(TooManyRejected, match=r"60 of 100 rows .*\(60%\).*rule claim_amount_is_money"):
        workspace.run("silver")


def test_the_refused_rows_of_a_run_that_died_are_a_share_of_all_that_landed_with_them(workspace, make):
    """It wrote the good ones and died, so that the refused ones are those of the run that comes next."""
    workspace.land_book()
    workspace.run("bronze")
    workspace.run("silver")
    _land(workspace, make, MIN_REFUSED)

    with killed_in("medallion.silver.update"):
        workspace.run("silver", batch_id="died")
    assert len(workspace.rows("silver.claims")) == MIN_JUDGED - MIN_REFUSED
    result = workspace.run("silver", batch_id="next")
    assert (result.rows_out, result.rows_quarantined) == (0, MIN_REFUSED)
    workspace.land("claims/more-1.jsonl", [make.claim("M1")])
    workspace.run("bronze")
    with killed_in("medallion.quality.store"):
        workspace.run("silver", batch_id="died-again")
    workspace.land("claims/more-2.jsonl", [make.claim("M2")])
    workspace.run("bronze")
    workspace.run("silver", batch_id="last")
    checked = {
        row["_run_id"]: (row["checked"], row["failed"])
        for row in workspace.rows("silver.quality_results")
        if row["rule"] == "claim_amount_is_money" and row["table_name"] == "claims"
    }
    assert checked == {
        "died": (0, 0),
        "next": (MIN_JUDGED, MIN_REFUSED),
        "died-again": (0, 0),
        "last": (2, 0),
    }
