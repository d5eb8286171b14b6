"""The laws of the stream: every event once and in order, however reading, publishing and reconnecting interleave."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.events import SNAPSHOT, Envelope, EventDraft, LogHead, LogPage, envelope
from app.services.stream import (
    REPLAY_PAGE,
    EventHub,
    Position,
    StreamClosing,
    StreamLimits,
    SubscriberTooSlow,
    Subscription,
)

AT = datetime(2026, 11, 1, tzinfo=UTC)
EPOCH = "life-1"


class ListLog:
    """A log in memory: what the store does, without the store."""

    def __init__(self, count: int = 0, *, oldest_seq: int = 1) -> None:
        self.items: list[Envelope] = []
        self.oldest_seq = oldest_seq
        self.reads = 0
        self.grow(count)

    def grow(self, count: int = 1, run_id: int | None = None) -> list[Envelope]:
        first = len(self.items) + 1
        new = [event(seq, run_id) for seq in range(first, first + count)]
        self.items += new
        return new

    async def head(self) -> LogHead:
        await asyncio.sleep(0)
        return LogHead(seq=len(self.items), epoch=EPOCH, oldest_seq=self.oldest_seq)

    async def after(self, seq: int, limit: int, run_id: int | None = None) -> LogPage:
        await asyncio.sleep(0)
        self.reads += 1
        kept = (e for e in self.items[seq:] if e.seq >= self.oldest_seq and run_id in (None, e.run_id))
        head = LogHead(seq=len(self.items), epoch=EPOCH, oldest_seq=self.oldest_seq)
        return LogPage(head, list(itertools.islice(kept, limit)))

    async def at_least(self, seq: int) -> Envelope:
        await asyncio.sleep(0)
        return envelope(seq=len(self.items), epoch=EPOCH, at=AT, draft=EventDraft(SNAPSHOT, {"runs": []}))


class QuickClock:
    def now(self) -> datetime:
        return AT

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def event(seq: int, run_id: int | None = None) -> Envelope:
    return envelope(seq=seq, epoch=EPOCH, at=AT, draft=EventDraft("databricks_job_progress", {"n": seq}, run_id))


async def started_hub(log: ListLog, **limits: int) -> EventHub:
    hub = EventHub(log, log, QuickClock(), StreamLimits(**limits))
    await hub.start()
    return hub


async def seqs(subscription: Subscription, *, until: int) -> list[int]:
    taken: list[int] = []
    while not taken or taken[-1] < until:
        batch = await subscription.next(5)
        assert batch is not None, f"nothing came after {taken[-1:]}"
        taken += [e.seq for e in batch.envelopes]
    return taken


@settings(max_examples=150, deadline=None)
@given(
    before=st.sampled_from([0, 3, 40]),
    order=st.permutations(range(12)),
    lost=st.sets(st.integers(0, 10), max_size=4),
    cuts=st.lists(st.integers(1, 5), max_size=8),
    frame_events=st.integers(1, 4),
)
def test_any_split_of_a_stream_resumes_to_the_same_stream(
    before: int, order: list[int], lost: set[int], cuts: list[int], frame_events: int
) -> None:
    """Publications come in any order and some never come; the reader reconnects whenever it likes."""

    async def scenario() -> list[int]:
        log = ListLog(before)
        hub = await started_hub(log, frame_events=frame_events)
        filler = asyncio.create_task(hub.run())
        new = log.grow(12)

        async def publisher() -> None:
            for index in order:
                if index not in lost:
                    hub.publish([new[index]])
                await asyncio.sleep(0)
            hub.publish([new[-1]])

        publishing = asyncio.create_task(publisher())
        received: list[int] = []
        pauses = iter(cuts)
        try:
            while len(received) < before + 12:
                last = received[-1] if received else 0
                async with hub.subscribe(Position(last, EPOCH)) as subscription:
                    for _ in range(next(pauses, 1000)):
                        batch = await subscription.next(5)
                        assert batch is not None
                        received += [e.seq for e in batch.envelopes]
                        if len(received) >= before + 12:
                            break
        finally:
            await publishing
            filler.cancel()
        return received

    assert asyncio.run(scenario()) == list(range(1, before + 13))


@settings(max_examples=60, deadline=None)
@given(after=st.integers(0, 60), oldest=st.integers(1, 31), count=st.integers(0, 30))
def test_a_position_is_continued_exactly_or_answered_by_a_snapshot(after: int, oldest: int, count: int) -> None:
    async def scenario() -> None:
        log = ListLog(count, oldest_seq=min(oldest, count + 1))
        hub = await started_hub(log)
        async with hub.subscribe(Position(after, EPOCH)) as subscription:
            batch = await subscription.next(0)
        if log.oldest_seq - 1 <= after < count:
            assert batch is not None
            assert [e.seq for e in batch.envelopes] == list(range(after + 1, count + 1))
        elif after == count:
            assert batch is None
        else:
            assert batch is not None
            assert [(e.type, e.seq) for e in batch.envelopes] == [(SNAPSHOT, count)]

    asyncio.run(scenario())


async def test_without_a_position_a_snapshot_comes_first_and_then_what_is_new() -> None:
    log = ListLog(3)
    hub = await started_hub(log)
    async with hub.subscribe(Position()) as subscription:
        first = await subscription.next(0)
        hub.publish(log.grow(2))
        second = await subscription.next(0)
    assert first is not None
    assert second is not None
    assert [(e.type, e.seq) for e in first.envelopes] == [(SNAPSHOT, 3)]
    assert [e.seq for e in second.envelopes] == [4, 5]


async def test_another_epoch_is_answered_by_a_snapshot() -> None:
    log = ListLog(3)
    hub = await started_hub(log)
    async with hub.subscribe(Position(2, "another life")) as subscription:
        batch = await subscription.next(0)
    assert batch is not None
    assert batch.envelopes[0].type == SNAPSHOT


async def test_a_live_subscriber_that_falls_behind_the_tail_is_told_to_resync() -> None:
    log = ListLog()
    hub = await started_hub(log, tail_events=10)
    async with hub.subscribe(Position(0, EPOCH)) as slow:
        hub.publish(log.grow(1))
        await slow.next(0)
        hub.publish(log.grow(11))
        with pytest.raises(SubscriberTooSlow):
            await slow.next(0)
        async with hub.subscribe(Position(slow.cursor, EPOCH)) as again:
            assert await seqs(again, until=12) == list(range(2, 13))


async def test_the_tail_is_bounded_by_characters_too() -> None:
    log = ListLog()
    hub = await started_hub(log, tail_chars=3 * len(event(1).text))
    async with hub.subscribe(Position(0, EPOCH)) as slow:
        hub.publish(log.grow(1))
        await slow.next(0)
        hub.publish(log.grow(9))
        with pytest.raises(SubscriberTooSlow):
            await slow.next(0)


async def test_a_reader_of_old_events_is_not_slow_however_much_is_published_meanwhile() -> None:
    log = ListLog(1200)
    hub = await started_hub(log, tail_events=10)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        first = await subscription.next(0)
        hub.publish(log.grow(50))
        rest = await seqs(subscription, until=1250)
    assert first is not None
    assert [e.seq for e in first.envelopes] + rest == list(range(1, 1251))


async def test_a_log_trimmed_under_a_reader_is_answered_by_a_snapshot_not_by_a_hole() -> None:
    log = ListLog(1200)
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        await subscription.next(0)
        log.oldest_seq = 900
        batch = await subscription.next(0)
    assert batch is not None
    assert [(e.type, e.seq) for e in batch.envelopes] == [(SNAPSHOT, 1200)]


async def test_clients_at_the_same_position_share_one_frame() -> None:
    log = ListLog()
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH)) as one, hub.subscribe(Position(0, EPOCH)) as other:
        hub.publish(log.grow(3))
        first, second = await one.next(0), await other.next(0)
    assert first is second
    assert first is not None
    assert first.text == "\n".join(e.text for e in log.items)


async def test_a_filter_gives_one_runs_events_and_the_snapshot() -> None:
    log = ListLog()
    hub = await started_hub(log)
    async with hub.subscribe(Position(), run_id=7) as subscription:
        snapshot = await subscription.next(0)
        hub.publish([*log.grow(2, run_id=8), *log.grow(1, run_id=7), *log.grow(1)])
        chosen = await subscription.next(0)
        nothing = await subscription.next(0)
    assert snapshot is not None
    assert chosen is not None
    assert [e.type for e in snapshot.envelopes] == [SNAPSHOT]
    assert [e.seq for e in chosen.envelopes] == [3]
    assert nothing is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([7, 8, None]), max_size=30), st.integers(0, 30), st.integers(1, 4))
def test_a_filtered_replay_meets_the_tail_without_hole_or_repetition(
    stored: list[int | None], after: int, rows: int
) -> None:
    async def scenario() -> None:
        log = ListLog()
        for run_id in stored:
            log.grow(1, run_id)
        hub = await started_hub(log, frame_chars=rows * len(event(1).text))
        start = min(after, len(stored))
        async with hub.subscribe(Position(start, EPOCH), run_id=7) as subscription:
            hub.publish(log.grow(2, run_id=7))
            expected = [e.seq for e in log.items[start:] if e.run_id == 7]
            assert await seqs(subscription, until=expected[-1]) == expected
            assert await subscription.next(0) is None

    asyncio.run(scenario())


async def test_a_replay_reads_every_event_once_however_small_the_frames() -> None:
    log = ListLog(5_000)
    hub = await started_hub(log, frame_chars=10 * len(event(1).text))
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        assert await seqs(subscription, until=5_000) == list(range(1, 5_001))
    assert log.reads <= 5_000 / REPLAY_PAGE + 1


async def test_a_filtered_replay_reads_that_runs_events_only() -> None:
    log = ListLog(5_000)
    log.grow(1, run_id=7)
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH), run_id=7) as subscription:
        assert await seqs(subscription, until=5_001) == [5_001]
    assert log.reads == 1


async def test_a_waiting_subscriber_is_woken_by_a_publication() -> None:
    log = ListLog()
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        hub.publish(log.grow(1))
        batch = await waiting
    assert batch is not None
    assert batch.last_seq == 1


async def test_a_cancelled_wait_loses_nothing() -> None:
    log = ListLog()
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        waiting.cancel()
        hub.publish(log.grow(2))
        assert await seqs(subscription, until=2) == [1, 2]


async def test_closing_the_hub_ends_those_who_wait_and_those_who_come() -> None:
    log = ListLog()
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        hub.close()
        with pytest.raises(StreamClosing):
            await waiting
    async with hub.subscribe(Position()) as late:
        with pytest.raises(StreamClosing):
            await late.next(0)


async def test_a_repeated_publication_is_harmless() -> None:
    log = ListLog()
    hub = await started_hub(log)
    new = log.grow(3)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        hub.publish(new)
        hub.publish(new)
        assert await seqs(subscription, until=3) == [1, 2, 3]
        assert await subscription.next(0) is None


async def test_the_backlog_is_that_of_the_slowest_live_subscriber() -> None:
    log = ListLog()
    hub = await started_hub(log)
    async with hub.subscribe(Position(0, EPOCH)) as fast, hub.subscribe(Position(0, EPOCH)) as slow:
        hub.publish(log.grow(1))
        await fast.next(0)
        await slow.next(0)
        hub.publish(log.grow(4))
        await fast.next(0)
        assert hub.deepest_backlog() == 4
        assert hub.subscriber_count == 2
    assert hub.deepest_backlog() == 0
    assert hub.subscriber_count == 0


async def test_an_event_whose_publication_never_came_is_read_from_the_log() -> None:
    log = ListLog()
    hub = await started_hub(log)
    filler = asyncio.create_task(hub.run())
    first, _lost, third = log.grow(3)
    async with hub.subscribe(Position(0, EPOCH)) as subscription:
        hub.publish([first])
        hub.publish([third])
        assert await seqs(subscription, until=3) == [1, 2, 3]
    filler.cancel()


@pytest.mark.parametrize("kept", [2, 0])
async def test_a_hub_that_was_cut_off_until_the_log_was_trimmed_goes_on_behind_the_hole(kept: int) -> None:
    log = ListLog(3)
    hub = await started_hub(log)
    async with hub.subscribe(Position(3, EPOCH)) as live:
        assert await live.next(0) is None
        log.grow(7)
        log.oldest_seq = 11 - kept
        await hub.catch_up()
        assert hub.head_seq == 10
        with pytest.raises(SubscriberTooSlow):
            await live.next(0)
    log.grow(1)
    await hub.catch_up()
    assert hub.head_seq == 11
