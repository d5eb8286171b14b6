"""Budgets, Retry-After and the breaker: what is kept back was never sent, and what may go goes."""

from __future__ import annotations

import asyncio
import random

import pytest

from app.domain.errors import WorkspaceThrottled, WorkspaceUnreachable
from app.services.call_gate import OPENS_AFTER, OUR_SHARE, PUBLISHED_PER_S, CallGate
from backend.tests.support.clock import ManualClock

LIST = "/api/2.2/jobs/runs/list"
REPAIR = "/api/2.2/jobs/runs/repair"
OTHER = "/api/2.0/preview/scim/v2/Me"


def gate(clock: ManualClock, **given: float) -> CallGate:
    return CallGate(clock, dice=random.Random(1), **given)


async def entered(gate: CallGate, path: str) -> bool:
    try:
        await gate.enter(path)
    except WorkspaceUnreachable:
        return False
    return True


async def test_calls_of_one_endpoint_keep_within_our_share_of_the_published_rate() -> None:
    clock = ManualClock()
    calls = gate(clock)
    began_at = clock.monotonic()
    sent_at: list[float] = []

    async def one() -> None:
        await calls.enter(LIST)
        sent_at.append(clock.monotonic() - began_at)

    async with asyncio.TaskGroup() as group:
        for _ in range(60):
            group.create_task(one())
        while len(sent_at) < 60:
            for _ in range(80):
                await asyncio.sleep(0)
            clock.advance(0.05)
    share = PUBLISHED_PER_S[LIST] * OUR_SHARE
    assert all(len([at for at in sent_at if start <= at < start + 1]) <= PUBLISHED_PER_S[LIST] for start in sent_at)
    assert all(place <= share * at + PUBLISHED_PER_S[LIST] - share for place, at in enumerate(sent_at))
    assert sent_at[-1] <= 60 / share


async def test_who_would_wait_too_long_is_told_when_to_come_again() -> None:
    clock = ManualClock()
    calls = gate(clock)
    waiting = [asyncio.ensure_future(calls.enter(REPAIR)) for _ in range(60)]
    for _ in range(400):
        for _ in range(70):
            await asyncio.sleep(0)
        clock.advance(0.1)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, WorkspaceThrottled)]
    assert refused
    assert all(one.retry_after_s for one in refused)


async def test_nobody_asks_an_endpoint_before_its_retry_after_is_over() -> None:
    clock = ManualClock()
    calls = gate(clock)
    await calls.enter(LIST)
    calls.throttled(LIST, 30)
    with pytest.raises(WorkspaceThrottled) as refused:
        await calls.enter(LIST)
    assert refused.value.retry_after_s == 30
    await calls.enter(OTHER)
    clock.advance(30)
    await calls.enter(LIST)


async def test_the_breaker_opens_after_failures_in_a_row_and_a_single_probe_closes_it() -> None:
    clock = ManualClock()
    calls = gate(clock)
    for _ in range(OPENS_AFTER):
        assert await entered(calls, LIST)
        calls.failed(LIST, connection=False, reason="It said 503.")
    with pytest.raises(WorkspaceUnreachable, match=r"It said 503\. It is asked again"):
        await calls.enter(LIST)
    assert await entered(calls, OTHER)  # only that endpoint fails
    clock.advance(1)
    assert await entered(calls, LIST)  # the probe
    assert not await entered(calls, LIST)  # while it is out, nobody else
    calls.answered(LIST)
    assert await entered(calls, LIST)


async def test_a_connection_that_cannot_be_made_closes_every_endpoint_for_longer_and_longer() -> None:
    clock = ManualClock()
    calls = gate(clock, longest_open_s=8.0)
    probes_at: list[float] = []
    for _ in range(600):
        if await entered(calls, LIST):
            probes_at.append(clock.monotonic())
            calls.failed(LIST, connection=True, reason="Nobody is there.")
            assert len(probes_at) < OPENS_AFTER or not await entered(calls, OTHER)
        clock.advance(0.1)
    gaps = [
        later - earlier for earlier, later in zip(probes_at[OPENS_AFTER:], probes_at[OPENS_AFTER + 1 :], strict=False)
    ]
    assert len(probes_at) < 25  # of 600 that were tried
    assert max(gaps) <= 8.2
    assert gaps[-1] > gaps[0]


async def test_a_probe_that_was_given_up_lets_the_next_one_try() -> None:
    clock = ManualClock()
    calls = gate(clock)
    for _ in range(OPENS_AFTER):
        await calls.enter(LIST)
        calls.failed(LIST, connection=False, reason="It said 503.")
    clock.advance(1)
    await calls.enter(LIST)
    calls.left(LIST)
    await calls.enter(LIST)
