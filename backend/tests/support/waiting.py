"""Waiting for a condition, with a deadline: never a fixed sleep."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], bool | Awaitable[bool]], *, within_s: float = 20.0, every_s: float = 0.01
) -> None:
    """Return as soon as `condition` holds, which is looked at every `every_s`; fail after `within_s`."""
    async with asyncio.timeout(within_s):
        while True:
            holds = condition()
            if inspect.isawaitable(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(every_s)
