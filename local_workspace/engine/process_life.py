"""How worker processes die: with their parent, however it ends, and with everything they started."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG = 1
_WATCH_EVERY_S = 0.5
NICENESS = 5
MEMORY_SIGNAL = signal.SIGXCPU  # ends a process without asking it, and nothing else sends it here


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel send a signal when the parent dies (Linux). Raises ProcessLookupError when it is dead already."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != parent:
        raise ProcessLookupError(parent)


def start_reaper(memory_limit_bytes: int) -> None:
    """Fork a tiny process that kills this process group once this process is dead, or uses more memory than allowed.

    So a worker's children (%sh, subprocess) die with it even when the worker was killed without warning, and one
    runaway query does not take the machine with it.
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
        _watch(worker, memory_limit_bytes)
    finally:
        kill_group(worker)
        os._exit(0)


def _watch(worker: int, memory_limit_bytes: int) -> None:
    """Return when the worker is dead. One that uses too much memory gets MEMORY_SIGNAL, which tells the server why."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while signal.sigtimedwait({signal.SIGTERM}, _WATCH_EVERY_S) is None:
        if resident_bytes(worker) > memory_limit_bytes:
            os.kill(worker, MEMORY_SIGNAL)


def resident_bytes(pid: int) -> int:
    """Memory of a process of its own, without what it shares with files; 0 when that cannot be read."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            _, resident, shared, *_ = file.read().split()
    except OSError:
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def memory_limit_bytes() -> int:
    """What one worker may use: half of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def volunteer_for_out_of_memory() -> None:
    """When the machine runs out of memory, the kernel is to take a worker and not the server."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("500")
    except OSError:  # no such thing outside of Linux
        return


def let_others_first() -> None:
    """Whoever serves people, and whatever else the machine is for, does not wait for a notebook's processors."""
    os.nice(NICENESS)
    if hasattr(os, "sched_setscheduler"):  # Linux: when a batch wakes up, it does not push aside who is at work
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


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
    if -code == MEMORY_SIGNAL:
        return "was ended because it used more than half of the machine's memory"
    name = signal.Signals(-code).name
    hint = "; running out of memory looks like this" if -code == signal.SIGKILL else ""
    return f"was killed by {name} ({-code}){hint}"
