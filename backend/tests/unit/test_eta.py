"""The laws of the estimate, of what is shown of it, and of how it is judged."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.eta import MIN_RUNS, Eta, Standing, estimate
from app.domain.eta_display import Cause, shown, why_longer
from app.domain.eta_model import START, PastRun, learn
from app.domain.eta_quality import Guess, Outcome, baselines, pinball_s, quality
from app.domain.quantiles import weighted_quantile
from benchmarks import eta as benchmark

PHASES = 5
WARM, COLD = (0.0, 0.4), (0.0, 200.0)

seconds = st.integers(min_value=0, max_value=1_000_000).map(lambda hundredths: hundredths / 100)
past_runs = st.lists(
    st.builds(
        PastRun,
        st.tuples(st.just(0.0), seconds, seconds, seconds, seconds),
        st.none() | st.integers(min_value=0, max_value=20_000),
    ),
    min_size=MIN_RUNS,
    max_size=30,
)
standings = st.builds(
    Standing,
    st.lists(seconds, min_size=1, max_size=PHASES - 1).map(tuple),
    seconds,
    st.none() | st.integers(min_value=0, max_value=20_000),
)
etas = st.builds(lambda p50_s, more_s: Eta(p50_s, p50_s + more_s, 9), seconds, seconds)
CAUSE = Cause("slower_than_usual", "It takes longer.")


# The estimate -------------------------------------------------------------------------------------------------------


@given(st.lists(st.builds(PastRun, st.tuples(seconds, seconds, seconds)), max_size=MIN_RUNS - 1))
def test_below_five_comparable_runs_nothing_is_said(past: list[PastRun]) -> None:
    assert estimate(learn(past), Standing()) is None


@given(past_runs, standings)
def test_half_is_never_above_nine_tenths_and_nothing_is_negative(past: list[PastRun], standing: Standing) -> None:
    eta = estimate(learn(past), standing)
    assert eta is not None
    assert 0 <= eta.p50_s <= eta.p90_s
    assert MIN_RUNS <= eta.n <= len(past)


@given(past_runs, standings, seconds)
def test_time_already_spent_never_makes_the_whole_shorter_than_it(
    past: list[PastRun], standing: Standing, more_s: float
) -> None:
    model = learn(past)
    later = replace(standing, elapsed_s=standing.elapsed_s + more_s)
    before, after = estimate(model, standing), estimate(model, later)
    assert before is not None
    assert after is not None
    spent_s = sum(later.behind_s) + later.elapsed_s
    assert spent_s + after.p50_s >= spent_s
    # The last phase alone has nothing behind it that could make up for it: there the end never comes nearer either.
    if standing.phase == PHASES - 1:
        assert later.elapsed_s + after.p50_s >= standing.elapsed_s + before.p50_s - 1e-6


def test_the_end_comes_no_nearer_by_waiting_for_it() -> None:
    model = learn([PastRun((0.0,) * PHASES)] * 7 + [PastRun((0.0,) * (PHASES - 1) + (1000.0,))])
    standings = [Standing((0.0,) * (PHASES - 1), float(elapsed_s)) for elapsed_s in range(50, 3000, 50)]
    ends_s = [one.elapsed_s + eta.p50_s for one in standings if (eta := estimate(model, one)) is not None]
    assert len(ends_s) == len(standings)
    assert ends_s == sorted(ends_s)


@given(past_runs, standings, st.floats(min_value=0.05, max_value=50))
def test_other_units_of_time_give_the_same_estimate(past: list[PastRun], standing: Standing, scale: float) -> None:
    def scaled(values_s: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(value_s * scale for value_s in values_s)

    here = estimate(learn(past), standing)
    other = [replace(one, phases_s=scaled(one.phases_s)) for one in past]
    standing = replace(standing, behind_s=scaled(standing.behind_s), elapsed_s=standing.elapsed_s * scale)
    there = estimate(learn(other), standing)
    assert here is not None
    assert there is not None
    assert there.n == here.n
    assert (there.p50_s, there.p90_s) == pytest.approx((here.p50_s * scale, here.p90_s * scale), rel=1e-3, abs=1e-3)


def history(*starts: tuple[float, float], tasks_s: tuple[float, ...] = (20.0, 30.0), runs: int = 10) -> list[PastRun]:
    """Runs with a little noise, their starts by turns."""
    dice = random.Random(3)
    return [
        PastRun((*starts[n % len(starts)], *(task_s * dice.uniform(0.95, 1.05) for task_s in tasks_s), 0.5))
        for n in range(runs * len(starts))
    ]


def test_warm_and_cold_are_told_apart_when_both_are_known_well_enough() -> None:
    model = learn(history(WARM, COLD))
    warm, cold = (estimate(model, Standing(warm=one)) for one in (True, False))
    assert warm is not None
    assert cold is not None
    assert (warm.n, cold.n) == (10, 10)
    assert warm.p90_s < 80
    assert 240 < cold.p50_s < 270


def test_a_cold_start_is_not_foretold_from_warm_ones() -> None:
    model = learn(history(WARM))
    assert estimate(model, Standing(warm=True)) is not None
    assert estimate(model, Standing(warm=False)) is None


def test_time_already_spent_rules_out_the_runs_that_were_faster() -> None:
    model = learn(history(WARM, WARM, WARM, COLD))
    unknown, waiting = estimate(model, Standing()), estimate(model, Standing(elapsed_s=50.0))
    assert unknown is not None
    assert waiting is not None
    assert unknown.p50_s < 60
    assert 195 < waiting.p50_s < 225


def test_a_queued_run_is_compared_with_queued_runs() -> None:
    never = learn(history(WARM))
    assert estimate(never, Standing(behind_s=())) is None
    model = learn(history(WARM, (100.0, 0.4)))
    queued = estimate(model, Standing(behind_s=(), elapsed_s=40.0))
    assert queued is not None
    assert 105 < queued.p50_s < 115


def test_newer_runs_count_more() -> None:
    was, is_now = history(WARM, runs=25), history(WARM, tasks_s=(40.0, 60.0), runs=8)
    eta = estimate(learn(was + is_now), Standing())
    assert eta is not None
    assert 95 < eta.p50_s < 106


def test_an_outlier_among_many_moves_the_middle_by_nothing() -> None:
    past = history(WARM, runs=30)
    without = estimate(learn(past), Standing())
    past[25] = PastRun((0.0, 0.4, 900.0, 30.0, 0.5))
    with_it = estimate(learn(past), Standing())
    assert without is not None
    assert with_it is not None
    assert abs(with_it.p50_s - without.p50_s) < 1
    assert with_it.p90_s < 2 * without.p90_s


def test_more_claims_take_longer_where_they_did_before() -> None:
    dice = random.Random(5)
    past = [
        PastRun((0.0, 0.4, 10 + 0.1 * claims * dice.uniform(0.95, 1.05), 20.0, 0.5), claims)
        for claims in (dice.randrange(10, 2_000) for _ in range(40))
    ]
    few, many, unknown = (estimate(learn(past), Standing(claims=claims)) for claims in (50, 1_500, None))
    assert few is not None
    assert many is not None
    assert unknown is not None
    assert 33 < few.p50_s < 39
    assert 170 < many.p50_s < 195
    assert few.p50_s < unknown.p50_s < many.p50_s


def test_a_run_slower_than_all_before_it_still_has_an_estimate() -> None:
    eta = estimate(learn(history(WARM)), Standing((0.0, 0.4), elapsed_s=500.0))
    assert eta is not None
    assert 30 < eta.p50_s < eta.p90_s


# What is shown ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.none() | etas, st.floats(0, 100), st.booleans()), min_size=1, max_size=30))
def test_the_time_left_never_jumps_up_silently(told: list[tuple[Eta | None, float, bool]]) -> None:
    display: Eta | None = None
    for now, passed_s, explained in told:
        before = display.after(passed_s) if display else None
        display, cause = shown(before, now, lambda explained=explained: CAUSE if explained else None)  # type: ignore[misc]
        if display is None:
            assert before is None
            continue
        assert 0 <= display.p50_s <= display.p90_s
        if before is not None and cause is None:
            assert display.p50_s <= before.p50_s
            assert display.p90_s <= before.p90_s
        assert cause is None or explained


def test_a_rise_worth_telling_has_its_cause_and_a_small_one_is_held() -> None:
    before = Eta(10.0, 20.0, 9)
    assert shown(before, Eta(30.0, 60.0, 9), lambda: CAUSE) == (Eta(30.0, 60.0, 9), CAUSE)
    assert shown(before, Eta(11.0, 21.0, 9), lambda: CAUSE) == (before, None)
    assert shown(before, None, lambda: CAUSE) == (before, None)
    assert shown(None, before, lambda: CAUSE) == (before, None)


@pytest.mark.parametrize(
    ("standing", "attempt", "code"),
    [
        (Standing((), 10.0), 0, "queued"),
        (Standing((0.0,), 30.0), 0, "cluster_starting"),
        (Standing((0.0, 0.4), 5.0), 0, None),
        (Standing((0.0, 0.4), 5.0), 1, "task_retried"),
        (Standing((0.0, 0.4), 90.0), 0, "slower_than_usual"),
        (Standing((0.0, 0.4, 60.0), 5.0), 0, "later_than_usual"),
    ],
)
def test_a_cause_is_named_only_where_it_is_true(standing: Standing, attempt: int, code: str | None) -> None:
    cause = why_longer(learn(history(WARM)), standing, task="silver_transformations", attempt=attempt)
    assert (cause.code if cause else None) == code


# Judging ------------------------------------------------------------------------------------------------------------


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    actual = [float(value) for value in range(1, 101)]
    losses = {guess: sum(pinball_s(guess, value, 0.9) for value in actual) for guess in range(1, 101)}
    assert min(losses, key=losses.__getitem__) in (90, 91)


def test_quality_is_counted_over_what_came_true() -> None:
    outcomes = [Outcome(Guess(10.0, 20.0), actual_s, {"mean_of_last": Guess(30.0, 30.0)}) for actual_s in (5.0, 15.0)]
    found = quality(outcomes)
    assert found is not None
    assert (found.n, found.p50_coverage, found.p90_coverage) == (2, 0.5, 1.0)
    assert found.pinball_s == pytest.approx((2.5 + 1.5 + 2.5 + 0.5) / 4)
    assert found.baselines_s == {"mean_of_last": pytest.approx((12.5 + 2.5 + 7.5 + 1.5) / 4)}
    assert found.gain == pytest.approx(1 - 1.75 / 6)
    assert quality([]) is None


def test_the_simple_guesses_are_the_mean_less_the_time_spent_and_the_time_spent_extended() -> None:
    guesses = baselines([90.0, 110.0], elapsed_s=40.0, fraction=0.5)
    assert guesses["mean_of_last"].p50_s == 60.0
    assert guesses["elapsed_fraction"].p50_s == 40.0


@given(st.lists(st.tuples(seconds, st.floats(0.01, 1)), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_quantile_lies_between_the_ends_and_never_falls(
    samples: list[tuple[float, float]], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    values = [value for value, _ in samples]
    assert min(values) <= weighted_quantile(samples, low)
    assert weighted_quantile(samples, low) <= weighted_quantile(samples, high) + 1e-9
    assert weighted_quantile(samples, high) <= max(values)


def test_on_generated_histories_the_interval_holds_and_beats_simple_guesses() -> None:
    """The benchmark in small: one seed of the hardest world."""
    score = benchmark.Score()
    benchmark.play(benchmark.SCENARIOS["everything"], seed=11, score=score, runs=90)
    found = quality(score.outcomes)
    assert found is not None
    assert score.silent_jumps == 0
    assert 0.85 <= found.p90_coverage <= 0.97
    assert found.gain is not None
    assert found.gain > 0.25


def test_the_start_is_the_second_phase() -> None:
    assert Standing().phase == START
