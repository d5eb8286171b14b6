"""One stream of events for WebSocket, server-sent events and long poll, with one rule for resuming.

Subscribers read the shared tail; who is further behind than the tail reads the log first and meets the tail by seq, so
nothing is missed or repeated however publication and reading interleave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, Self

import structlog

from app.domain.clock import Clock
from app.domain.events import SNAPSHOT, Envelope, LogHead, LogPage
from app.services.stream_tail import Batch, Tail, fitting

log = structlog.get_logger()

REPLAY_PAGE = 256
HOLE_GRACE_S = 0.05


class SubscriberTooSlow(Exception):
    """The subscriber fell behind the tail while live; it must reconnect and resume from its last seq."""


class StreamClosing(Exception):
    """The server is going away; the subscriber should reconnect."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last seq a client has seen and the epoch it saw it in; without `after` it wants a snapshot first."""

    after: int | None = None
    epoch: str | None = None


class EventLog(Protocol):
    """The durable log as the hub reads it."""

    async def head(self) -> LogHead: ...

    async def after(self, seq: int, limit: int, run_id: int | None = None) -> LogPage: ...


class SnapshotSource(Protocol):
    """Where a client without a usable position gets its beginning from."""

    async def at_least(self, seq: int) -> Envelope:
        """A snapshot envelope of the state at some head not older than `seq`."""
        ...


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much the tail holds (beyond it a live subscriber is too slow) and how much one frame carries."""

    tail_events: int = 8_192
    tail_chars: int = 8 * 1024 * 1024
    frame_events: int = 256
    frame_chars: int = 128 * 1024


class EventHub:
    """Hands every event of the log, in order and once, to every subscriber; never waits for any of them."""

    def __init__(
        self, event_log: EventLog, snapshots: SnapshotSource, clock: Clock, limits: StreamLimits | None = None
    ) -> None:
        limits = limits or StreamLimits()
        self._log = event_log
        self._snapshots = snapshots
        self._clock = clock
        self.frame_chars = limits.frame_chars
        self._tail = Tail(
            max_events=limits.tail_events,
            max_chars=limits.tail_chars,
            frame_events=limits.frame_events,
            frame_chars=limits.frame_chars,
        )
        self._early: dict[int, Envelope] = {}  # committed, published before an older one
        self._hole = asyncio.Event()
        self._news = asyncio.Event()
        self._subscribers: set[Subscription] = set()
        self._closing = False
        self._started = False
        self.epoch = ""

    async def start(self) -> None:
        """Take the log's head as the beginning of the tail. Must precede the first subscriber."""
        head = await self._log.head()
        self._tail.start_at(head.seq)
        self.epoch = head.epoch
        self._started = True

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Make committed events visible. Does not block; takes them in any order; a repeat is harmless."""
        if not self._started:
            return  # start() will find them below the head
        for envelope in envelopes:
            if envelope.seq > self._tail.end:
                self._early[envelope.seq] = envelope
        before = self._tail.end
        while follower := self._early.pop(self._tail.end + 1, None):
            self._tail.append(follower)
        if self._early:
            self._hole.set()
        if self._tail.end != before:
            self._announce()

    async def run(self) -> None:
        """Fill holes: an event that was committed but whose publication never came is read from the log."""
        while True:
            await self._hole.wait()
            self._hole.clear()
            await self._clock.sleep(HOLE_GRACE_S)
            if not self._early:
                continue
            try:
                await self.catch_up()
            except Exception:
                log.exception("stream_catch_up_failed")
                self._hole.set()
                await self._clock.sleep(1.0)

    async def catch_up(self) -> None:
        """Publish whatever the log holds beyond the tail, for events that somebody else wrote."""
        while True:
            page = await self._log.after(self._tail.end, REPLAY_PAGE)
            follows = page.envelopes[0].seq if page.envelopes else page.head.seq + 1
            if follows > self._tail.end + 1:
                self._begin_anew(follows - 1)
            before = self._tail.end
            self.publish(page.envelopes)
            if self._tail.end == before:
                return

    def _begin_anew(self, seq: int) -> None:
        """What follows was trimmed before we heard of it, up to `seq`; whoever stands before the hole must resync."""
        self._tail.start_at(seq)
        self._early = {early: envelope for early, envelope in self._early.items() if early > seq}
        self._announce()

    def subscribe(self, position: Position, *, run_id: int | None = None) -> Subscription:
        """Follow the stream from `position`; with `run_id` only that run's events (and a snapshot, if one is due)."""
        return Subscription(self, position, run_id)

    def join(self, subscription: Subscription) -> None:
        self._subscribers.add(subscription)

    def leave(self, subscription: Subscription) -> None:
        self._subscribers.discard(subscription)

    def close(self) -> None:
        """End every subscription; new ones end at once. Needed before the server waits for its connections."""
        self._closing = True
        self._announce()

    @property
    def closing(self) -> bool:
        return self._closing

    @property
    def tail(self) -> Tail:
        return self._tail

    @property
    def head_seq(self) -> int:
        return self._tail.end

    @property
    def subscriber_count(self) -> int:
        return len(self._subscribers)

    def deepest_backlog(self) -> int:
        """How many events the slowest live subscriber has still to take."""
        return max((self._tail.end - s.cursor for s in self._subscribers if s.live), default=0)

    async def read(self, seq: int, run_id: int | None) -> LogPage:
        return await self._log.after(seq, REPLAY_PAGE, run_id)

    async def continues(self, position: Position) -> bool:
        """Whether the log can give everything after `position` (design: otherwise the client gets a snapshot)."""
        if position.after is None or position.epoch not in (None, self.epoch):
            return False
        if self._tail.oldest <= position.after <= self._tail.end:
            return True
        head = await self._log.head()
        return head.oldest_seq - 1 <= position.after <= head.seq

    async def snapshot(self) -> Envelope:
        return await self._snapshots.at_least(self._tail.end)

    async def wait_for_news(self, wait_s: float | None) -> bool:
        """Sleep until something was published or the hub closes; False when `wait_s` passed first."""
        news = self._news
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await news.wait()
                return True
        return False

    def _announce(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Subscription:
    """One client's walk along the stream, for the length of an `async with`. Thousands of them wait: it is small."""

    __slots__ = ("_ahead", "_ahead_until", "_hub", "_position", "_run_id", "cursor", "live")

    def __init__(self, hub: EventHub, position: Position, run_id: int | None) -> None:
        self._hub = hub
        self._position: Position | None = position
        self._run_id = run_id
        self._ahead: Sequence[Envelope] = ()  # read of the log for the next frames of a replay
        self._ahead_until = 0
        self.cursor = 0
        self.live = False

    async def __aenter__(self) -> Self:
        self._hub.join(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hub.leave(self)

    async def next(self, wait_s: float | None = None) -> Batch | None:
        """The next events in log order, at least one; None when `wait_s` seconds brought none.

        Raises: SubscriberTooSlow, StreamClosing. Cancelling loses nothing: the position moves only on return.
        """
        deadline = None if wait_s is None else asyncio.get_running_loop().time() + wait_s
        while True:
            self.check()
            batch = self._selected(await self._read())
            if batch is not None:
                return batch
            if self._has_more():
                await asyncio.sleep(0)  # a filter may skip a long log; others must get their turn
                continue
            left = None if deadline is None else deadline - asyncio.get_running_loop().time()
            if (left is not None and left <= 0) or not await self._hub.wait_for_news(left):
                return None

    def check(self) -> None:
        """Raise if this subscription is over."""
        if self._hub.closing:
            raise StreamClosing
        if self.live and self.cursor < self._hub.tail.oldest:
            raise SubscriberTooSlow

    async def _read(self) -> Batch | None:
        if self._position is not None:
            if not await self._hub.continues(self._position):
                return await self._snapshot()
            self.cursor = self._position.after or 0
            self._position = None
        if not self.live and self.cursor < self._hub.tail.oldest:
            return await self._replay()
        self.live, self._ahead = True, ()
        batch = self._hub.tail.after(self.cursor)
        if batch is not None:
            self.cursor = batch.last_seq
        return batch

    async def _replay(self) -> Batch | None:
        if not self._ahead:
            page = await self._hub.read(self.cursor, self._run_id)
            if page.head.oldest_seq > self.cursor + 1:
                return await self._snapshot()  # trimmed while we were reading: a hole is answered by a snapshot
            self._ahead = page.envelopes
            # A short page is all that the log holds: behind it there was nothing of this run.
            whole = len(page.envelopes) < REPLAY_PAGE
            self._ahead_until = page.head.seq if whole else page.envelopes[-1].seq
        sent = fitting(self._ahead, self._hub.frame_chars)
        self._ahead = self._ahead[len(sent) :]
        self.cursor = sent[-1].seq if self._ahead else self._ahead_until
        return Batch(tuple(sent)) if sent else None

    async def _snapshot(self) -> Batch:
        envelope = await self._hub.snapshot()
        self.cursor = envelope.seq
        self._position = None
        return Batch((envelope,))

    def _has_more(self) -> bool:
        return self._position is None and self.cursor < self._hub.tail.end

    def _selected(self, batch: Batch | None) -> Batch | None:
        if batch is None or self._run_id is None:
            return batch
        chosen = tuple(e for e in batch.envelopes if e.type == SNAPSHOT or e.run_id == self._run_id)
        return Batch(chosen) if chosen else None
