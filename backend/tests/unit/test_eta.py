"""The laws of the estimate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.eta import MIN_RUNS, Eta, PastRun, Standing, estimate, quantile

seconds = st.floats(min_value=0, max_value=10_000, allow_nan=False)
past_runs = st.lists(
    st.builds(PastRun, st.tuples(seconds, seconds, seconds), st.booleans()), min_size=MIN_RUNS, max_size=30
)
standings = st.builds(Standing, st.integers(0, 2), seconds)


@given(st.lists(st.builds(PastRun, st.tuples(seconds), st.booleans()), max_size=MIN_RUNS - 1))
def test_below_five_comparable_runs_nothing_is_said(past: list[PastRun]) -> None:
    assert estimate(past, Standing(0, 0), warm=None) is None


@given(past_runs, standings, st.sampled_from([None, True, False]))
def test_half_is_never_above_nine_tenths_and_nothing_is_negative(
    past: list[PastRun], standing: Standing, warm: bool | None
) -> None:
    eta = estimate(past, standing, warm=warm)
    assert eta is not None
    assert 0 <= eta.p50_s <= eta.p90_s
    assert MIN_RUNS <= eta.n <= len(past)


@given(past_runs)
def test_an_estimate_lies_within_what_has_happened(past: list[PastRun]) -> None:
    eta = estimate(past, Standing(0, 0), warm=None)
    totals = [sum(run.steps_s) for run in past]
    assert eta is not None
    assert min(totals) - 0.001 <= eta.p50_s
    assert eta.p90_s <= max(totals) + 0.001


def test_warm_and_cold_are_told_apart_when_both_are_known_well_enough() -> None:
    past = [PastRun((0.1, 10.0), True)] * 5 + [PastRun((200.0, 10.0), False)] * 5
    warm, cold = (estimate(past, Standing(0, 0), warm=one) for one in (True, False))
    assert warm == Eta(10.1, 10.1, 5)
    assert cold == Eta(210.0, 210.0, 5)


def test_time_already_spent_rules_out_the_runs_that_were_faster() -> None:
    past = [PastRun((1.0, 10.0), True)] * 5 + [PastRun((100.0, 10.0), True)] * 5
    assert estimate(past, Standing(0, 50.0), warm=None) == Eta(60.0, 60.0, 10)


@given(st.lists(seconds, min_size=1).map(sorted), st.floats(0, 1))
def test_a_quantile_lies_between_the_ends(ordered: list[float], share: float) -> None:
    assert ordered[0] <= quantile(ordered, share) * (1 + 1e-12) + 1e-12
    assert quantile(ordered, share) <= ordered[-1] * (1 + 1e-12) + 1e-12
