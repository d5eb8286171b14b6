"""The server's side of worker processes: starting them through the nursery, talking to them, seeing them dead."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from typing import Any

import structlog

from local_workspace.engine import frames
from local_workspace.engine.process_life import death_in_words, kill_group
from local_workspace.storage import Storage

log = structlog.get_logger(__name__)


class WorkerDied(Exception):
    """A worker ended before it answered; the text says how, without a subject."""


class Worker:
    """One worker process. `ended` is set with the wait status once it is really dead."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.pid: int | None = None
        self.born: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def warm(self) -> None:
        """Return when the worker's engine runs. Raises: WorkerDied."""
        told = await self._receive()
        if told["event"] != "warm":
            raise WorkerDied(f"could not be started: {told['message']}")

    async def ask(self, message: frames.Message) -> frames.Message:
        """Send a message and return the answer. Raises: WorkerDied."""
        try:
            await frames.send_async(self._channel, message)
        except frames.ChannelClosed:
            await self._tell_death()
        return await self._receive()

    async def kill(self) -> None:
        """Return when the worker and everything it started is dead; cancelling does not stop the killing."""
        await asyncio.shield(asyncio.ensure_future(self._kill()))

    async def _kill(self) -> None:
        if not self.ended.done():
            await asyncio.wait({self.born, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not self.ended.done() and self.pid is not None:
            kill_group(self.pid)
        await asyncio.wait({self.ended})
        self._channel.close()

    async def _receive(self) -> frames.Message:
        try:
            return await frames.receive_async(self._channel)
        except frames.ChannelClosed:
            return await self._tell_death()

    async def _tell_death(self) -> frames.Message:
        raise WorkerDied(death_in_words(await asyncio.shield(self.ended)))


class Nursery:
    """A process with everything imported, that forks the workers of every pool of the server.

    It is begun ahead of need with `begin`, else with the first worker, and again when it has died.
    """

    def __init__(self, storage: Storage, spark_remote: str | None = None) -> None:
        self._storage = storage
        self._spark_remote = spark_remote
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ready: asyncio.Event = asyncio.Event()
        self._workers: dict[int, Worker] = {}
        self._number = 0

    def begin(self) -> asyncio.Task[None]:
        """Have everything imported in the background, unless that is done or on its way."""
        if self._starting is None or (self._starting.done() and not self._is_alive()):
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_log_fault)
        return self._starting

    async def new_worker(self) -> Worker:
        """Fork a worker; it is not warm yet. Raises: WorkerDied when the nursery cannot start."""
        await asyncio.shield(self.begin())  # others wait for the same start
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        worker = Worker(ours)
        self._number += 1
        self._workers[self._number] = worker
        with theirs:
            try:
                socket.send_fds(self._existing_control(), [f"{self._number:016d}".encode()], [theirs.fileno()])
            except OSError as fault:
                del self._workers[self._number]
                ours.close()
                if self._reader is not None and isinstance(fault, ConnectionError):
                    await asyncio.wait({self._reader})  # whoever tries again meets a new nursery
                raise WorkerDied("could not be started") from fault
        return worker

    async def prove(self) -> None:
        """Return when a worker could be started, which is ended again. Raises: WorkerDied."""
        worker = await self.new_worker()
        try:
            await worker.warm()
        finally:
            await worker.kill()

    async def stop(self) -> None:
        """Kill all workers and the nursery; everything is dead on return."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        await asyncio.gather(*(worker.kill() for worker in list(self._workers.values())))
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await asyncio.wait({self._reader})
        self._process = self._reader = self._starting = None

    def _is_alive(self) -> bool:
        return self._reader is not None and not self._reader.done()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._ready.clear()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(theirs.fileno()), pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL
                )
            except OSError as fault:
                ours.close()
                raise WorkerDied(f"could not be started: {fault}") from fault
        self._control = ours
        self._reader = asyncio.create_task(self._read(ours))
        await self._until_ready(self._reader)

    async def _until_ready(self, reader: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({ready, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not self._ready.is_set():
            raise WorkerDied("could not be started; the server's log says why")

    def _command(self, control_fd: int) -> list[str]:
        command = [sys.executable, "-m", "local_workspace.engine.worker", "--data-dir", str(self._storage.data_dir)]
        command += ["--control-fd", str(control_fd), "--parent", str(os.getpid())]
        return [*command, "--spark-remote", self._spark_remote] if self._spark_remote else command

    async def _read(self, control: socket.socket) -> None:
        """Until the nursery is gone, and with it every worker."""
        try:
            with control, contextlib.suppress(frames.ChannelClosed):
                while True:
                    self._heard(await frames.receive_async(control))
        finally:
            for worker in self._workers.values():
                _settle(worker.ended, 9)
            self._workers.clear()

    def _heard(self, message: frames.Message) -> None:
        if message["event"] == "ready":
            self._ready.set()
            return
        worker = self._workers[message["worker"]]
        worker.pid = message["pid"]
        _settle(worker.born, message["pid"])
        if message["event"] == "exited":
            _settle(worker.ended, message["status"])
            del self._workers[message["worker"]]

    def _existing_control(self) -> socket.socket:
        if self._control is None:
            raise WorkerDied("could not be started")
        return self._control


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _log_fault(starting: asyncio.Task[None]) -> None:
    """A start that nobody waits for yet must not fail in silence."""
    if not starting.cancelled() and (fault := starting.exception()) is not None:
        log.error("nursery_not_started", how=str(fault))
