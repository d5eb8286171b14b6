"""Keeps SQLite's write-ahead log short, beside the transactions: copying it back waits for the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.domain.clock import Clock
from app.services.loops import Loops
from app.store.dialect import checkpoint

LOOK_EVERY_S = 2.0
# Some hundreds of clicks. Each time SQLite begins the log anew, one transaction waits for the disk.
BEYOND_BYTES = 16 * 1024 * 1024


async def keep_log_short(file: Path, clock: Clock, loops: Loops) -> None:
    """Copy what was committed into the store's file, for ever."""

    async def one_round() -> None:
        await clock.sleep(LOOK_EVERY_S)
        await asyncio.to_thread(checkpoint, file, beyond_bytes=BEYOND_BYTES)

    await loops.for_ever("checkpoints", one_round)
