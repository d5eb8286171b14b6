"""The store: constraints by breaking them, migrations, and the event log's order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError, StatementError

from app.domain.events import EventDraft
from app.domain.runs import RunRecord, TaskRecord
from app.domain.submissions import ActionKind, ActionState, IfActive, RunAction, Submission, SubmissionState
from app.store import actions, events, runs, submissions
from app.store.engine import Database, StoreUnusable, probe
from app.store.lake_schema import metadata
from app.store.migrate import upgrade

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def submission(**changed: Any) -> Submission:
    plain = Submission(
        submission_id="s1",
        request_key="k1",
        request_hash="h",
        workspace_id="w",
        state=SubmissionState.RECORDED,
        layer="gold",
        tasks=("gold_aggregations",),
        claim_ids=("CLM-1",),
        reason=None,
        if_active=IfActive.REJECT,
        requested_by="me",
        requested_at=NOW,
        deadline_at=NOW + timedelta(minutes=15),
    )
    return replace(plain, **changed)


def run(run_id: int = 7, **changed: Any) -> RunRecord:
    plain = RunRecord(
        workspace_id="w",
        run_id=run_id,
        submission_id=None,
        job_id=5,
        layer="gold",
        task_keys=("gold_aggregations",),
        task_set="gold_aggregations",
        claim_ids=(),
        job_url=None,
        requested_by="me",
        requested_at=NOW,
        tasks=(TaskRecord(task_run_id=70, task_key="gold_aggregations", attempt_number=0, position=0, started_at=NOW),),
    )
    return replace(plain, **changed)


async def test_the_migrations_make_exactly_the_schema(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with database.read() as db:
        assert await db.run_sync(differences) == []


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    await upgrade(database.engine)
    async with database.read() as db:
        assert (await events.head(db)).epoch == "first"


async def test_a_naive_time_is_refused(database: Database) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="aware UTC"):
        async with database.write() as db:
            await submissions.record(db, submission(requested_at=naive))


async def test_a_submission_comes_back_as_it_went_in(database: Database) -> None:
    async with database.write() as db:
        await submissions.record(db, submission())
    async with database.read() as db:
        assert await submissions.get(db, "s1") == submission()
        assert await submissions.by_request_key(db, "k1") == submission()


@pytest.mark.parametrize(
    "broken",
    [
        {"submission_id": "s2"},  # the request_key is taken
        {"request_key": "k2"},  # the submission_id is taken
        {"submission_id": "s2", "request_key": "k2", "state": "DREAMT"},
        {"submission_id": "s2", "request_key": "k2", "if_active": "maybe"},
        {"submission_id": "s2", "request_key": "k2", "state": SubmissionState.ACCEPTED},  # without a run
        {"submission_id": "s2", "request_key": "k2", "run_id": 9},  # a run without acceptance
    ],
)
async def test_the_ledger_refuses_what_cannot_be(database: Database, broken: dict[str, Any]) -> None:
    async with database.write() as db:
        await submissions.record(db, submission())
    with pytest.raises(IntegrityError):
        async with database.write() as db:
            await submissions.record(db, submission(**broken))


async def test_two_submissions_may_go_without_a_request_key(database: Database) -> None:
    async with database.write() as db:
        await submissions.record(db, submission(request_key=None))
        await submissions.record(db, submission(submission_id="s2", request_key=None))


async def test_what_has_been_decided_is_not_changed_again(database: Database) -> None:
    async with database.write() as db:
        await submissions.record(db, submission())
        assert await submissions.change(db, "s1", state=SubmissionState.REFUSED)
        assert not await submissions.change(db, "s1", state=SubmissionState.ACCEPTED, run_id=7)


async def test_an_action_must_be_a_repair_or_a_cancellation(database: Database) -> None:
    action = RunAction("a", ActionKind.REPAIR, "w", 7, 0, ActionState.RECORDED, "me", NOW, NOW)
    async with database.write() as db:
        await actions.record(db, action)
        assert await actions.open_ones(db) == [action]
        assert await actions.change(db, "a", state=ActionState.DONE)
        assert not await actions.change(db, "a", state=ActionState.LOST)
    from app.store.schema import run_actions

    with pytest.raises(IntegrityError):
        async with database.write() as db:
            await db.execute(update(run_actions).values(kind="explode"))


async def test_a_run_comes_back_with_its_tasks(database: Database) -> None:
    async with database.write() as db:
        await runs.save(db, run(), before=None)
        later = replace(run(), active=False, result="SUCCESS", seq=3)
        await runs.save(db, later, before=run())
    async with database.read() as db:
        assert await runs.load(db, "w", 7) == later
        assert await runs.active(db) == []
        assert await runs.find(db, 7, workspace_id="other") == later
        assert await runs.load(db, "other", 7) is None


async def test_words_of_the_workspace_are_kept_whatever_their_length_and_characters(database: Database) -> None:
    told = replace(run(), state="X" * 300, task_set=",".join(["bronze_ingestion"] * 120), result="a\0b")
    async with database.write() as db:
        await runs.save(db, told, before=None)
    async with database.read() as db:
        assert await runs.load(db, "w", 7) == replace(told, result="a\N{REPLACEMENT CHARACTER}b")


async def test_a_submission_has_one_run_only(database: Database) -> None:
    async with database.write() as db:
        await submissions.record(db, submission())
        await runs.save(db, run(7, submission_id="s1"), before=None)
    with pytest.raises(IntegrityError):
        async with database.write() as db:
            await runs.save(db, run(8, submission_id="s1"), before=None)


async def test_a_run_of_an_unknown_submission_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as db:
            await runs.save(db, run(submission_id="nobody"), before=None)


async def test_pages_follow_each_other_without_gap_or_repeat(database: Database) -> None:
    async with database.write() as db:
        for n in range(25):
            await runs.save(db, run(n, requested_at=NOW + timedelta(seconds=n // 3), tasks=()), before=None)
    seen: list[int] = []
    before = None
    while True:
        async with database.read() as db:
            page = await runs.page(db, before=before, limit=4)
        if not page:
            break
        seen += [one.run_id for one in page]
        before = (page[-1].requested_at, page[-1].run_id)
    assert seen == list(range(24, -1, -1))


# The log ------------------------------------------------------------------------------------------------------------


async def test_concurrent_appends_leave_no_gap(database: Database) -> None:
    async def write(n: int) -> list[int]:
        async with database.write() as db:
            return [one.seq for one in await events.append(db, [EventDraft("t", {"n": n})] * 3, at=NOW)]

    taken = await asyncio.gather(*(write(n) for n in range(20)))
    assert sorted(seq for one in taken for seq in one) == list(range(1, 61))
    assert all(one == list(range(one[0], one[0] + 3)) for one in taken)
    async with database.read() as db:
        stored = (await events.after(db, 0, limit=100)).envelopes
    assert [one.seq for one in stored] == list(range(1, 61))
    assert stored[0].text.startswith('{"seq":1,"epoch":"first","type":"t","at":"2026-01-05T12:00:00.000Z","data":')


async def test_a_rollback_takes_its_numbers_back(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as db:
            await events.append(db, [EventDraft("t", {})], at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.write() as db:
        [placed] = await events.append(db, [EventDraft("t", {})], at=NOW)
    assert placed.seq == 1


async def test_trimming_keeps_the_newest_and_says_where_the_log_begins(database: Database) -> None:
    async with database.write() as db:
        for n in range(10):
            await events.append(db, [EventDraft("t", {})], at=NOW + timedelta(days=n))
        assert await events.trim(db, keep=8, at_most=100) == 2
        assert (await events.head(db)).oldest_seq == 3
        assert await events.trim(db, keep=100, at_most=100, older_than=NOW + timedelta(days=5)) == 3
        assert (await events.head(db)).oldest_seq == 6
        assert await events.trim(db, keep=100, at_most=3, older_than=NOW + timedelta(days=50)) == 3
        assert await events.trim(db, keep=1, at_most=100, older_than=NOW + timedelta(days=50)) == 2
        assert await events.trim(db, keep=1, at_most=100) == 0
        assert (await events.head(db)).oldest_seq == 11
        [following] = await events.append(db, [EventDraft("t", {})], at=NOW)
        assert following.seq == 11


async def test_there_is_one_head(database: Database) -> None:
    from app.store.schema import event_head

    async with database.write() as db:
        await events.begin_log(db, epoch="second")
        assert (await events.head(db)).epoch == "first"
    with pytest.raises(IntegrityError):
        async with database.write() as db:
            await db.execute(insert(event_head).values(one=2, seq=0, epoch="x", oldest_seq=1))


async def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    async with database.write() as db:
        await events.append(db, [EventDraft("t", {})], at=NOW)
        async with database.read() as other:
            assert (await events.head(other)).seq == 0


async def test_a_reader_sees_one_state_in_all_its_statements(database: Database) -> None:
    async with database.read() as db:
        assert (await events.head(db)).seq == 0
        async with database.write() as other:
            await events.append(other, [EventDraft("t", {})], at=NOW)
        assert (await events.head(db)).seq == 0


async def test_what_a_writer_has_read_is_still_true_when_it_commits(database: Database) -> None:
    async def take(n: int) -> bool:
        async with database.write() as db:
            if await submissions.open_ones(db):
                return False
            await submissions.record(db, submission(submission_id=f"s{n}", request_key=None))
            return True

    async with AsyncExitStack() as opened:  # so that all ten find a connection ready, and begin together
        for _ in range(10):
            await events.head(await opened.enter_async_context(database.read()))
    assert sorted(await asyncio.gather(*(take(n) for n in range(10)))) == [False] * 9 + [True]


async def test_a_store_that_does_not_answer_is_told_in_words_and_without_the_password() -> None:
    with pytest.raises(StoreUnusable) as told:
        await probe("postgresql://me:s3cr3t@127.0.0.1:1/x")
    assert "127.0.0.1:1/x" in str(told.value)
    assert "s3cr3t" not in str(told.value)
