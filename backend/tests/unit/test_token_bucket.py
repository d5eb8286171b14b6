"""Token buckets: a burst, then a steady rate, each holder alone, and bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.token_bucket import Allowance, TokenBuckets

ALLOWANCE = Allowance(burst=3, per_s=2)


def test_after_a_burst_one_waits_for_the_next_token() -> None:
    buckets = TokenBuckets(ALLOWANCE)
    assert [buckets.take("a", 10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.take("a", 10.5) == 0.0
    assert buckets.take("a", 10.5) == 0.5


def test_holders_do_not_take_from_each_other() -> None:
    buckets = TokenBuckets(ALLOWANCE)
    assert [buckets.take("a", 0.0) for _ in range(4)][-1] > 0
    assert buckets.take("b", 0.0) == 0.0


def test_the_holder_seen_longest_ago_is_forgotten_first() -> None:
    buckets = TokenBuckets(Allowance(burst=1, per_s=0.001), max_holders=2)
    assert [buckets.take(holder, 0.0) for holder in ("a", "b")] == [0.0, 0.0]
    assert buckets.take("a", 0.0) > 0  # seen again, so that "b" is the oldest now
    assert buckets.take("c", 0.0) == 0.0
    assert buckets.take("a", 0.0) > 0
    assert buckets.take("b", 0.0) == 0.0


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60))
def test_whatever_the_pace_no_more_is_given_than_burst_and_rate(pauses: list[float]) -> None:
    buckets, now, given_out = TokenBuckets(ALLOWANCE), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += buckets.take("a", now) == 0.0
        assert given_out <= ALLOWANCE.burst + now * ALLOWANCE.per_s + 1e-6
