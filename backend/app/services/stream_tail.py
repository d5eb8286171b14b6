"""The newest part of the event log, in memory and shared by every subscriber.

A subscriber is a position in this tail, not a queue of its own: an event costs its text once, however many watch, and
clients at the same position share one ready frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from websockets.frames import Frame, Opcode

from app.domain.events import Envelope


@dataclass(frozen=True)
class Batch:
    """Envelopes in log order, ready to be sent."""

    envelopes: tuple[Envelope, ...]

    @property
    def last_seq(self) -> int:
        return self.envelopes[-1].seq

    @cached_property
    def text(self) -> str:
        """What one WebSocket text frame holds: the envelopes, separated by newlines."""
        return "\n".join(envelope.text for envelope in self.envelopes)

    @cached_property
    def frame(self) -> bytes:
        """That frame as a server sends it, the same bytes to every client (RFC 6455: only clients mask)."""
        return Frame(Opcode.TEXT, self.text.encode()).serialize(mask=False)

    @cached_property
    def server_sent(self) -> bytes:
        """The same as server-sent events. An envelope's text has no line break, so one data line holds it."""
        return "".join(f"id: {e.epoch}:{e.seq}\ndata: {e.text}\n\n" for e in self.envelopes).encode()


def fitting(envelopes: Sequence[Envelope], max_chars: int) -> Sequence[Envelope]:
    """The first of them that go into one frame, at least one: clients refuse frames of more than a mebibyte."""
    chars = 0
    for taken, envelope in enumerate(envelopes):
        chars += len(envelope.text)
        if taken and chars > max_chars:
            return envelopes[:taken]
    return envelopes


class Tail:
    """Consecutive envelopes up to `end`, bounded by count and by characters of text; the oldest leave first."""

    def __init__(self, *, max_events: int, max_chars: int, frame_events: int, frame_chars: int) -> None:
        self._max_events = max_events
        self._max_chars = max_chars
        self._frame_events = frame_events
        self._frame_chars = frame_chars
        self._items: list[Envelope] = []
        self._dropped = 0  # items at the front of the list that have left; cut off now and then, not one by one
        self._chars = 0
        self._frames: dict[int, Batch] = {}
        self._end = 0

    def start_at(self, seq: int) -> None:
        """Begin empty behind `seq`, the head of the log."""
        self._items.clear()
        self._frames.clear()
        self._dropped = self._chars = 0
        self._end = seq

    @property
    def end(self) -> int:
        """The seq of the newest envelope, or of the head when the tail began empty."""
        return self._end

    @property
    def oldest(self) -> int:
        """The oldest position that can be continued from here: everything behind it is held."""
        return self._end - (len(self._items) - self._dropped)

    def append(self, envelope: Envelope) -> None:
        """Add the envelope that follows `end`."""
        if envelope.seq != self._end + 1:
            raise ValueError(f"seq {envelope.seq} does not follow {self._end}")
        self._items.append(envelope)
        self._end = envelope.seq
        self._chars += len(envelope.text)
        self._frames.clear()
        self._shrink()

    def after(self, seq: int) -> Batch | None:
        """What follows `seq`, up to one frame; None when there is nothing yet. `seq` is at least `oldest`."""
        if seq >= self._end:
            return None
        batch = self._frames.get(seq)
        if batch is None:
            batch = self._frames[seq] = Batch(tuple(self._frame_from(seq)))
        return batch

    def _frame_from(self, seq: int) -> Sequence[Envelope]:
        first = self._dropped + (seq - self.oldest)
        return fitting(self._items[first : first + self._frame_events], self._frame_chars)

    def _shrink(self) -> None:
        while len(self._items) - self._dropped > self._max_events or self._chars > self._max_chars:
            self._chars -= len(self._items[self._dropped].text)
            self._dropped += 1
        if self._dropped > 64 and self._dropped * 2 > len(self._items):
            del self._items[: self._dropped]
            self._dropped = 0
