"""How worker processes die: with their parent, however it ends, and with everything they started."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel send a signal when the parent dies (Linux). Raises ProcessLookupError when it is dead already."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != parent:
        raise ProcessLookupError(parent)


def start_reaper() -> None:
    """Fork a tiny process that kills this process group once this process is dead.

    So a worker's children (%sh, subprocess) die with it even when the worker was killed without warning.
    """
    worker = os.getpid()
    ready_read, ready_write = os.pipe()
    if os.fork():
        os.close(ready_write)
        os.read(ready_read, 1)
        os.close(ready_read)
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    os.setpgid(0, 0)
    os.closerange(0, ready_write)
    try:
        die_with_parent(worker, signal.SIGTERM)
        os.write(ready_write, b"1")
        os.closerange(ready_write, 256)
        signal.sigwait({signal.SIGTERM})
    finally:
        try:
            os.killpg(worker, signal.SIGKILL)
        finally:
            os._exit(0)


def kill_group(pid: int) -> None:
    """Kill a worker and everything in its process group; fine when it is dead already."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def death_in_words(status: int) -> str:
    """What a wait status says: `was killed by SIGKILL (9)`, `ended with exit code 3`."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = "; running out of memory looks like this" if -code == signal.SIGKILL else ""
    return f"was killed by {name} ({-code}){hint}"
