"""Starts backends as processes of their own, each forked from this one, which has everything imported.

A start is then a fraction of a second of work instead of several. What is forked is `petinsure360 serve` as it is: a
process with a data directory, an environment and a port, killed and started again like any other.

One JSON line in is one start: {"arguments": [...], "environment": {...}, "directory": ..., "log": ...}; one JSON line
out is its process id. It ends when its input does, and takes what it started with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any, NoReturn

import alembic.command  # noqa: F401 - imported here once, for all that are started
import databricks.sdk.core  # noqa: F401

import app.application
import app.services.elected_replica  # noqa: F401
from app.cli import main

PR_SET_PDEATHSIG = 1


def _serve(wanted: dict[str, Any]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":  # else whoever runs the tests ends what they leave when they are killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.chdir(wanted["directory"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv = ["petinsure360", *wanted["arguments"]]
    code = 70
    try:
        code = main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def listen() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave at once
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _serve(json.loads(line))
        sys.stdout.write(json.dumps(pid) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    listen()
