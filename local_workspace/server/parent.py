"""Ending with the parent process, so that a killed dashboard leaves no server behind."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_CHECK_S = 1.0


def ask_kernel_to_tell() -> None:
    """On Linux the kernel sends SIGTERM when the parent dies; elsewhere `watch` alone notices."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def watch(parent: int, leave: Callable[[], None]) -> None:
    """Call `leave` once when the process is no longer a child of `parent`.

    The kernel's signal follows the parent's *thread*, and a parent that died before it was asked for sends none.
    """
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody can set an event for the death of another process
        await asyncio.sleep(_CHECK_S)
    leave()
