"""Messages between the server and its workers: a JSON object, optionally followed by raw bytes.

On the wire: two 32-bit lengths (JSON, bytes), big-endian, then both.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct(">II")
_PAYLOAD_KEY = "payload"

Message = dict[str, Any]


class ChannelClosed(Exception):
    """The other side is gone."""


def encode(message: Message, payload: bytes = b"") -> bytes:
    text = json.dumps(message).encode()
    return _LENGTHS.pack(len(text), len(payload)) + text + payload


def send(channel: socket.socket, message: Message, payload: bytes = b"") -> None:
    """Blocking send, for the worker's side."""
    channel.sendall(encode(message, payload))


def receive(channel: socket.socket) -> Message:
    """Blocking receive, for the worker's side. Raises: ChannelClosed."""
    text_size, payload_size = _LENGTHS.unpack(_read(channel, _LENGTHS.size))
    return _decode(_read(channel, text_size), _read(channel, payload_size))


async def send_async(channel: socket.socket, message: Message) -> None:
    """Raises: ChannelClosed."""
    try:
        await asyncio.get_running_loop().sock_sendall(channel, encode(message))
    except OSError as fault:
        raise ChannelClosed from fault


async def receive_async(channel: socket.socket) -> Message:
    """The raw bytes, if any, are under `payload`. Raises: ChannelClosed."""
    text_size, payload_size = _LENGTHS.unpack(await _read_async(channel, _LENGTHS.size))
    return _decode(await _read_async(channel, text_size), await _read_async(channel, payload_size))


def _decode(text: bytes, payload: bytes) -> Message:
    message: Message = json.loads(text)
    return message | {_PAYLOAD_KEY: payload} if payload else message


def _read(channel: socket.socket, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0:
        piece = channel.recv(min(size, 1 << 20))
        if not piece:
            raise ChannelClosed
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


async def _read_async(channel: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    pieces: list[bytes] = []
    while size > 0:
        try:
            piece = await loop.sock_recv(channel, min(size, 1 << 20))
        except OSError as fault:
            raise ChannelClosed from fault
        if not piece:
            raise ChannelClosed
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
