"""Errors, layers, claim ids, exit values."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.errors import STATUS
from app.domain.claim_ids import MAX_CLAIM_IDS, fits_inline, is_claim_id, validated
from app.domain.errors import InvalidClaimIds, UnknownLayer, every_error
from app.domain.layers import Layer, layer_of_tasks, parse_layer, task_of_notebook
from app.domain.outputs import read_progress, records_and_tables, task_error


def test_every_error_has_a_status_and_a_code_of_its_own() -> None:
    import app.services.sending  # noqa: F401  its error belongs to the tree as well

    kinds = [kind for kind in every_error() if kind.__module__ == "app.domain.errors"]
    assert [kind.__name__ for kind in kinds if kind not in STATUS] == []
    repeated = [code for code, count in Counter(kind.code for kind in every_error()).items() if count > 1]
    assert repeated == []


@pytest.mark.parametrize("good", ["CLM-1", "a", "0", "A_b.c:d-e", "x" * 64])
def test_well_formed_claim_ids_are_taken(good: str) -> None:
    assert is_claim_id(good)


@pytest.mark.parametrize("bad", ["", " ", "-A", "a b", "a'b", "a\n", "ä", "x" * 65, "../x", "a,b", "a;drop"])
def test_anything_else_is_not_a_claim_id(bad: str) -> None:
    assert not is_claim_id(bad)
    with pytest.raises(InvalidClaimIds):
        validated([bad])


def test_repeated_ids_count_once_and_order_is_kept() -> None:
    assert validated(["b", "a", "b"]) == ("b", "a")


def test_too_many_ids_are_refused_and_the_limit_is_told() -> None:
    validated(f"C{n}" for n in range(MAX_CLAIM_IDS))
    with pytest.raises(InvalidClaimIds) as refusal:
        validated(f"C{n}" for n in range(MAX_CLAIM_IDS + 1))
    assert refusal.value.details["max"] == MAX_CLAIM_IDS


def test_eight_kilobytes_of_ids_still_travel_inline() -> None:
    assert fits_inline(["x" * 63] * 128)
    assert not fits_inline(["x" * 64] * 127)


def test_an_unknown_layer_says_what_is_allowed() -> None:
    with pytest.raises(UnknownLayer, match="bronze, silver, gold, all"):
        parse_layer("platinum")


@pytest.mark.parametrize(
    ("tasks", "layer"),
    [
        (["bronze_ingestion", "silver_transformations"], Layer.SILVER),
        (["gold_aggregations"], Layer.GOLD),
        (["gold_aggregations", "silver_transformations", "bronze_ingestion"], Layer.ALL),
        (["something_else"], None),
    ],
)
def test_tasks_amount_to_a_layer(tasks: list[str], layer: Layer | None) -> None:
    assert layer_of_tasks(tasks) is layer


@pytest.mark.parametrize("path", ["/PetInsure360/01_bronze_ingestion", "/Repos/x/01_bronze_ingestion.py"])
def test_a_task_is_known_by_its_notebook(path: str) -> None:
    assert task_of_notebook(path) == "bronze_ingestion"


@given(st.one_of(st.none(), st.text(), st.integers().map(json.dumps), st.just("[]"), st.just('{"rows_in": "7"}')))
def test_whatever_a_foreign_notebook_exits_with_is_harmless(text: str | None) -> None:
    records, _ = records_and_tables({"notebook_output": {"result": text} if text is not None else {}})
    assert records is None


def test_a_cut_exit_value_tells_nothing() -> None:
    whole = {"result": '{"rows_in": 1}', "truncated": True}
    assert records_and_tables({"notebook_output": whole}) == (None, None)


def test_the_trace_is_kept_without_colours() -> None:
    error = task_error({"error": "\x1b[31mE: x\x1b[0m", "error_trace": "\x1b[0;31mT\x1b[0m"}, code="C", message=None)
    assert error == {"code": "C", "message": "E: x", "trace_excerpt": "T"}


@given(st.lists(st.binary() | st.builds(lambda d: json.dumps({"done": d, "total": 9}).encode(), st.integers(-2, 12))))
def test_progress_never_goes_backwards(files: list[bytes]) -> None:
    before = None
    for content in files:
        after = read_progress(content, before=before)
        if before is not None:
            assert after is not None
            assert after["done"] >= before["done"]
        before = after
