"""Many WebSocket clients in one process: the bare protocol, so that they cost less than the server they load.

Every byte is checked. All clients must get the same text, whatever frames it comes in: the first one to get a piece
keeps it, its envelopes are parsed once and must be the next seqs, and everybody else's bytes are compared with it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from typing import cast

TEXT, CLOSE, PING = 0x1, 0x8, 0x9
CONNECTING_AT_ONCE = 100
NEWLINE = ord("\n")


class Burst:
    """The text of one burst as the clients get it: envelopes separated by newlines, frame ends counting as such."""

    def __init__(self, *, after: int, until: int) -> None:
        self.text = bytearray()
        self._last_seq = after
        self._until = until
        self._ends: dict[int, int] = {}  # where an envelope ends, and its seq
        self._parsed = 0

    @property
    def bytes_per_event(self) -> int:
        return round(self._parsed / len(self._ends))

    def take(self, at: int, piece: memoryview) -> None:
        """A client got `piece` at position `at` of the text. Raises ValueError when others got something else."""
        known = len(self.text) - at
        if not self.text.startswith(piece[:known], at):
            raise ValueError(f"clients were sent different texts at {at}")
        if len(piece) > known:
            self.text += piece[known:]

    def end_frame(self, at: int) -> tuple[int, bool]:
        """A client's frame ended at `at`: where its next one begins, and whether it has the whole burst."""
        if at > self._parsed:
            self._parse(at)
        seq = self._ends.get(at)
        if seq is None:
            raise ValueError(f"a frame ended within an envelope, at {at}")
        if seq < self._until and at == len(self.text):
            self.text.append(NEWLINE)
        return at + 1, seq == self._until

    def _parse(self, until: int) -> None:
        for line in bytes(self.text[self._parsed : until]).removeprefix(b"\n").split(b"\n"):
            seq = json.loads(line)["seq"]
            if seq != self._last_seq + 1:
                raise ValueError(f"{seq} came after {self._last_seq}")
            self._last_seq = seq
            self._parsed += len(line) + (1 if self._parsed else 0)
            self._ends[self._parsed] = seq


class Crowd:
    """The clients of one server."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.faults: list[str] = []
        self.burst = Burst(after=0, until=0)
        self.all_there = asyncio.Event()
        self._behind = 0
        self._leaving = False

    def expect(self, after: int, until: int) -> None:
        """Begin to wait for the events after `after` up to `until` at every client."""
        self.burst, self._behind = Burst(after=after, until=until), len(self.clients)
        self.all_there.clear()
        for client in self.clients:
            client.position = 0

    def one_more(self) -> None:
        """Another client has the whole burst."""
        self._behind -= 1
        if not self._behind:
            self.all_there.set()

    def fail(self, reason: str) -> None:
        """End the waiting: this run of the benchmark is void."""
        if not self._leaving:
            self.faults.append(reason)
            self.all_there.set()

    def leave(self) -> None:
        """Close every connection."""
        self._leaving = True
        for client in self.clients:
            client.close()


class Client(asyncio.Protocol):
    """One WebSocket client; a fault of the stream ends the benchmark through its crowd."""

    def __init__(self, crowd: Crowd, path: str) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.position = 0  # in the text of the burst
        self._crowd = crowd
        self._path = path
        self._head = b""  # of the handshake, or of the frame that begins; or a control frame
        self._left = 0  # bytes of the text frame that are still to come
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (f"GET {self._path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13")  # fmt: skip
        self._transport.write("\r\n".join((*lines, "", "")).encode())

    def data_received(self, received: bytes) -> None:
        try:
            if not self.open.done():
                received = self._handshake(received)
            at = 0
            while at < len(received):
                at = self._text(received, at) if self._left else self._frame_head(received, at)
        except ValueError as fault:
            self._crowd.fail(str(fault))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError("closed during the handshake"))
        self._crowd.fail(f"a connection was lost: {exc}")

    def close(self) -> None:
        assert self._transport is not None
        self._transport.abort()

    def _handshake(self, received: bytes) -> bytes:
        self._head, end, rest = (self._head + received).partition(b"\r\n\r\n")
        if not end:
            return b""
        if b" 101 " not in self._head or b"permessage-deflate" in self._head:
            self.open.set_exception(ConnectionError(self._head.decode()))
        else:
            self.open.set_result(None)
        self._head = b""
        return rest

    def _text(self, received: bytes, at: int) -> int:
        piece = memoryview(received)[at : at + self._left]
        burst = self._crowd.burst
        burst.take(self.position, piece)
        self.position += len(piece)
        self._left -= len(piece)
        if not self._left:
            self.position, whole = burst.end_frame(self.position)
            if whole:
                self._crowd.one_more()
        return at + len(piece)

    def _frame_head(self, received: bytes, at: int) -> int:
        """Read the frame's head, byte by byte as it may be cut anywhere, and a control frame with its payload."""
        self._head += received[at : at + 1]
        opcode, length = self._head[0] & 0xF, self._head[1] if len(self._head) > 1 else None
        if length is None or len(self._head) < 2 + {126: 2, 127: 8}.get(length, 0):
            return at + 1
        if opcode == TEXT:
            self._left = length if length < 126 else struct.unpack("!H" if length == 126 else "!Q", self._head[2:])[0]
            self._head = b""
        elif len(self._head) == 2 + length:
            self._control(opcode, self._head[2:])
            self._head = b""
        return at + 1

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            raise ValueError(f"closed by the server: {payload!r}")
        assert opcode == PING, opcode
        assert self._transport is not None
        self._transport.write(bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload)


async def connect(port: int, count: int, path: str) -> Crowd:
    """`count` clients of the server on `port`, all of them past the handshake."""
    crowd, loop = Crowd(), asyncio.get_running_loop()
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def one() -> None:
        async with gate:
            _, client = await loop.create_connection(lambda: Client(crowd, path), "127.0.0.1", port)
            await client.open
            crowd.clients.append(client)

    await asyncio.gather(*(one() for _ in range(count)))
    return crowd
