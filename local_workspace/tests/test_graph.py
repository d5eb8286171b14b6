"""The order of tasks and the laws of run_if."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_workspace.runs.graph import RUN_IF, BadGraph, Graph, decide, outcome

MEDALLION = Graph({"bronze": (), "silver": ("bronze",), "gold": ("silver",), "report": ("bronze",)})
RESULTS = ("SUCCESS", "FAILED", "CANCELED", "TIMEDOUT", "EXCLUDED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED", "DISABLED")


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        (["silver"], {"silver"}),
        (["+silver"], {"bronze", "silver"}),
        (["silver+"], {"silver", "gold"}),
        (["+silver+"], {"bronze", "silver", "gold"}),
        (["bronze+"], {"bronze", "silver", "gold", "report"}),
        (["report", "gold"], {"report", "gold"}),
    ],
)
def test_only_chooses_tasks_with_their_neighbours(only: list[str], chosen: set[str]) -> None:
    assert MEDALLION.select(only) == chosen


def test_an_order_puts_every_task_after_its_upstream() -> None:
    order = MEDALLION.order()
    assert all(order.index(up) < order.index(key) for key, ups in MEDALLION.depends_on.items() for up in ups)


def test_a_circle_and_a_stranger_are_no_graph() -> None:
    with pytest.raises(BadGraph, match="circle"):
        Graph({"a": ("b",), "b": ("a",)}).order()
    with pytest.raises(BadGraph, match="'nix'"):
        Graph({"a": ("nix",)}).order()
    with pytest.raises(BadGraph, match="'nix'"):
        MEDALLION.select(["+nix"])


@pytest.mark.parametrize(
    ("run_if", "results", "verdict"),
    [
        ("ALL_SUCCESS", ["SUCCESS", "EXCLUDED"], "run"),
        ("ALL_SUCCESS", ["SUCCESS", "FAILED"], "upstream_failed"),
        ("ALL_SUCCESS", ["SUCCESS", "CANCELED"], "upstream_canceled"),
        ("ALL_SUCCESS", ["FAILED", "CANCELED"], "upstream_failed"),
        ("ALL_SUCCESS", ["DISABLED"], "run"),
        ("ALL_SUCCESS", ["EXCLUDED", "EXCLUDED"], "excluded"),
        ("ALL_DONE", ["EXCLUDED"], "excluded"),
        ("ALL_DONE", ["FAILED", "SUCCESS"], "run"),
        ("NONE_FAILED", ["SUCCESS", "EXCLUDED"], "run"),
        ("AT_LEAST_ONE_SUCCESS", ["SUCCESS", "FAILED"], "run"),
        ("AT_LEAST_ONE_SUCCESS", ["FAILED"], "upstream_failed"),
        ("AT_LEAST_ONE_FAILED", ["SUCCESS", "FAILED"], "run"),
        ("AT_LEAST_ONE_FAILED", ["SUCCESS"], "excluded"),
        ("ALL_FAILED", ["FAILED", "UPSTREAM_FAILED"], "run"),
        ("ALL_FAILED", ["FAILED", "SUCCESS"], "excluded"),
    ],
)
def test_run_if_decides_as_documented(run_if: str, results: list[str], verdict: str) -> None:
    assert decide(run_if, results) == verdict


@given(st.sampled_from(RUN_IF), st.lists(st.sampled_from(RESULTS), max_size=5))
def test_a_disabled_upstream_is_as_if_it_were_not_there(run_if: str, results: list[str]) -> None:
    assert decide(run_if, results) == decide(run_if, [result for result in results if result != "DISABLED"])


@given(st.lists(st.sampled_from(RESULTS), min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_upstream_does_not_matter(results: list[str], random: object) -> None:
    for run_if in RUN_IF:
        assert decide(run_if, results) == decide(run_if, results[::-1])


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (("SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS"), "SUCCESS"),
        (("SUCCESS", "DISABLED", "DISABLED", "EXCLUDED"), "SUCCESS"),
        (("SUCCESS", "FAILED", "UPSTREAM_FAILED", "SUCCESS"), "FAILED"),
        (("SUCCESS", "FAILED", "SUCCESS", "SUCCESS"), "SUCCESS_WITH_FAILURES"),
        (("SUCCESS", "CANCELED", "UPSTREAM_CANCELED", "SUCCESS"), "CANCELED"),
        (("TIMEDOUT", "UPSTREAM_FAILED", "UPSTREAM_FAILED", "UPSTREAM_FAILED"), "TIMEDOUT"),
        (("FAILED", "DISABLED", "DISABLED", "DISABLED"), "FAILED"),
    ],
)
def test_the_leaves_give_the_result_of_the_run(results: tuple[str, ...], expected: str) -> None:
    assert outcome(MEDALLION, dict(zip(MEDALLION.depends_on, results, strict=True))) == expected
