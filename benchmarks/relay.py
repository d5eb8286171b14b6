"""A wire with a clock: passes bytes on to the workspace and back, and times the calls that are asked about."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class Relay:
    """`took_s`: from the first byte of each watched request to the last of its answer, in the order of the calls."""

    url: str
    watched: bytes
    took_s: list[float] = field(default_factory=list)


@contextmanager
def relay(port: int, *, watched: str) -> Iterator[Relay]:
    """A relay to the port of this machine; `watched` is how a request line begins."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        told = Relay(f"http://127.0.0.1:{listening.getsockname()[1]}", watched.encode())
        threading.Thread(target=_accept, args=(listening, port, told), daemon=True).start()
        yield told


def _accept(listening: socket.socket, port: int, told: Relay) -> None:
    with suppress(OSError):  # closed
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            call = _Call(told)
            threading.Thread(target=_pass_on, args=(client, server, call.asked), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, call.answered), daemon=True).start()


class _Call:
    """The watched call of one connection that is under way, if there is one."""

    def __init__(self, told: Relay) -> None:
        self._told = told
        self._began_at: float | None = None
        self._place = 0

    def asked(self, part: bytes) -> None:
        if part.startswith(self._told.watched):
            self._began_at, self._place = time.perf_counter(), len(self._told.took_s)
            self._told.took_s.append(0.0)
        elif part.startswith((b"GET ", b"POST ", b"PUT ", b"DELETE ")):
            self._began_at = None

    def answered(self, _part: bytes) -> None:
        if self._began_at is not None:
            self._told.took_s[self._place] = time.perf_counter() - self._began_at


def _pass_on(source: socket.socket, target: socket.socket, note: Callable[[bytes], None]) -> None:
    with suppress(OSError), source, target:
        while part := source.recv(CHUNK_BYTES):
            note(part)
            target.sendall(part)
