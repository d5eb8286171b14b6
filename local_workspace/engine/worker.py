"""The nursery and its workers: `python -m local_workspace.engine.worker --data-dir DIR --control-fd N`.

The nursery imports everything heavy once (about a second, 100 MB) and starts nothing. For each worker it is asked for
it forks: the child begins with all modules loaded and starts an engine of its own. A worker serves one task, or SQL
statements until its channel closes; then it ends. Nursery and workers die with the server.
"""

from __future__ import annotations

import argparse
import gc
import os
import select
import signal
import socket
import sys
import warnings
from pathlib import Path

from local_workspace.engine import frames
from local_workspace.engine.process_life import (
    die_with_parent,
    let_others_first,
    memory_limit_bytes,
    start_reaper,
    volunteer_for_out_of_memory,
)

_SETTINGS = {
    "RUST_LOG": "error",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    # The engine's allocator reads it when it is loaded. A worker lives for seconds: memory in huge pages, which the
    # kernel has to find and to clear for it, costs it more than it saves, a tenth of a run and a seventh of a batch.
    "MIMALLOC_ALLOW_THP": "0",
}


def main() -> None:
    arguments = _arguments()
    die_with_parent(arguments.parent)
    let_others_first()  # from the start: the server and its clients start at the same time
    os.environ.update(_SETTINGS)
    control = socket.socket(fileno=arguments.control_fd)
    _import_everything()
    sys.pycache_prefix = str(Path(arguments.data_dir, "workspace", "pycache"))  # from now on: not beside the notebooks
    gc.collect()
    gc.freeze()  # what is loaded stays shared between the workers
    Nursery(control, arguments.data_dir, arguments.spark_remote).serve()


class Nursery:
    """Forks workers on demand and tells the server how each one ended."""

    def __init__(self, control: socket.socket, data_dir: str, spark_remote: str | None) -> None:
        self._control = control
        self._data_dir = data_dir
        self._spark_remote = spark_remote
        self._workers: dict[int, int] = {}
        self._wakeup_read, self._wakeup_write = os.pipe()
        os.set_blocking(self._wakeup_write, False)

    def serve(self) -> None:
        """Until the server closes the channel."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        frames.send(self._control, {"event": "ready"})
        while True:
            readable, _, _ = select.select([self._control.fileno(), self._wakeup_read], [], [])
            if self._wakeup_read in readable:
                os.read(self._wakeup_read, 4096)
                self._report_ended()
            if self._control.fileno() in readable:
                try:
                    self._fork_one()
                except frames.ChannelClosed:
                    return

    def _fork_one(self) -> None:
        """The request is one fixed-size datagram: the worker's number, with the worker's channel attached."""
        text, descriptors, _, _ = socket.recv_fds(self._control, 16, 1)
        if not text:
            raise frames.ChannelClosed
        number = int(text)
        pid = os.fork()
        if pid == 0:
            self._become_worker(descriptors[0])
        os.close(descriptors[0])
        _own_group(pid)
        self._workers[pid] = number
        frames.send(self._control, {"event": "forked", "worker": number, "pid": pid})

    def _become_worker(self, descriptor: int) -> None:
        """Never returns."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            parent = os.getppid()
            self._control.close()
            _own_group(0)
            volunteer_for_out_of_memory()
            start_reaper(memory_limit_bytes())
            die_with_parent(parent)
            _live(socket.socket(fileno=descriptor), self._data_dir, self._spark_remote)
        except (frames.ChannelClosed, ProcessLookupError):
            os._exit(0)
        except BaseException:  # noqa: BLE001  the last stop: the traceback goes to the server's log
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)

    def _report_ended(self) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in self._workers:
                message = {"event": "exited", "worker": self._workers.pop(pid), "pid": pid, "status": status}
                frames.send(self._control, message)


def _live(channel: socket.socket, data_dir: str, spark_remote: str | None) -> None:
    """A worker's life: warm up, serve, end."""
    from local_workspace.engine.serving import serve_worker

    serve_worker(channel, data_dir, spark_remote)


def _own_group(pid: int) -> None:
    """Parent and child both do it, so that it is done whoever comes first."""
    try:
        os.setpgid(pid, pid)
    except (PermissionError, ProcessLookupError):
        return


def _import_everything() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas  # noqa: F401
        import pyarrow.compute  # noqa: F401
        import pysail.spark  # noqa: F401
        import pyspark.sql.connect.catalog
        import pyspark.sql.connect.functions
        import pyspark.sql.connect.merge
        import pyspark.sql.connect.readwriter
        import pyspark.sql.connect.udf
        import pyspark.sql.connect.window
        import pyspark.sql.functions  # noqa: F401

        import local_workspace.engine.serving  # noqa: F401


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--spark-remote")
    return parser.parse_args()


if __name__ == "__main__":
    main()
