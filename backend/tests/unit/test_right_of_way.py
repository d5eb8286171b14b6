"""What nobody waits for lets clicks go first, and is not held up by one that takes long."""

from __future__ import annotations

import asyncio

from app.services.right_of_way import AT_MOST_S, RightOfWay
from backend.tests.support.clock import ManualClock


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_step_begins_when_the_last_click_is_over() -> None:
    way = RightOfWay(ManualClock())
    await way.give_way()
    with way.taken():
        with way.taken():
            step = asyncio.create_task(way.give_way())
            await turns()
        await turns()
        assert not step.done()
    await turns()
    assert step.done()


async def test_a_click_that_takes_long_holds_a_step_up_for_a_moment_only() -> None:
    clock = ManualClock()
    way = RightOfWay(clock)
    with way.taken():
        step = asyncio.create_task(way.give_way())
        await turns()
        assert not step.done()
        clock.advance(AT_MOST_S)
        await turns()
        assert step.done()
