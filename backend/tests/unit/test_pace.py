"""How long the poller pauses, and how instants of the wall clock are waited for."""

from __future__ import annotations

import random
from datetime import timedelta

from app.services.countdown import Countdown
from app.services.pace import EXPECTED_WINDOW_S, IDLE_FACTOR, Pace
from backend.tests.support.clock import ManualClock


def pace(clock: ManualClock, interval_s: float = 5.0) -> Pace:
    return Pace(clock, interval_s, dice=random.Random(3))


def test_an_interval_while_things_change_longer_in_a_long_stretch_and_longest_when_nothing_runs() -> None:
    clock = ManualClock()
    poller = pace(clock)
    assert poller.active(()) == 5
    clock.advance(61)
    assert poller.active(()) == 10
    clock.advance(600)
    assert poller.active(()) == 20
    poller.changed()
    assert poller.active(()) == 5
    assert poller.idle() == 5 * IDLE_FACTOR


def test_around_an_expected_change_every_interval_is_looked() -> None:
    clock = ManualClock()
    poller = pace(clock)
    poller.changed()
    clock.advance(700)
    assert poller.active([EXPECTED_WINDOW_S - 1]) == 5
    assert poller.active([-EXPECTED_WINDOW_S + 1]) == 5
    assert poller.active([EXPECTED_WINDOW_S + 12]) == 12  # not beyond the moment from which it is expected
    assert poller.active([3600, -3600]) == 20


def test_failures_double_the_pause_with_jitter_and_never_undercut_what_was_asked_for() -> None:
    clock = ManualClock()
    poller = pace(clock)
    pauses = [poller.after_failure() for _ in range(8)]
    for step, pause in enumerate(pauses):
        whole = min(60, 5 * 2**step)
        assert whole / 2 <= pause <= whole
    assert len(set(pauses)) == len(pauses)
    assert poller.after_failure(120) == 120
    poller.active(())
    assert poller.after_failure() <= 5


def test_jumps_of_the_wall_clock_neither_hurry_nor_delay_what_is_waited_for() -> None:
    for jump_s in (86_400.0, -86_400.0):
        clock = ManualClock()
        countdown = Countdown(clock)
        due = clock.now() + timedelta(seconds=30)
        assert countdown.left_s("a", due) == 30
        clock.jump(jump_s)
        assert countdown.left_s("a", due) == 30
        clock.advance(20)
        assert countdown.left_s("a", due) == 10
        clock.advance(20)
        assert countdown.left_s("a", due) == 0


def test_what_an_earlier_process_has_put_off_far_into_the_future_is_bounded() -> None:
    clock = ManualClock()
    countdown = Countdown(clock)
    assert countdown.left_s("a", clock.now() + timedelta(days=1), at_most_s=30) == 30
    assert countdown.left_s("b", clock.now() - timedelta(days=1), at_most_s=30) == 0
    countdown.keep({"b"})
    assert countdown.left_s("a", clock.now() + timedelta(seconds=5)) == 5
