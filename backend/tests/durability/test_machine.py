"""A machine that clicks, kills, breaks and repairs in any order, and a model that says what must be true all the while.

The application is the real one on a real SQLite file; the workspace is simulated behind the HTTP edge; time is given.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.domain.events import FAILED, RUN_EVENTS, STARTED, TERMINAL_EVENTS, Envelope
from app.domain.fold import fold
from app.domain.runs import RunRecord
from app.services.stream import Position
from app.store import events, runs
from app.store.schema import run_actions, submissions
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.clock import ManualClock
from backend.tests.support.driven_backend import CountingLoop, DrivenBackend
from backend.tests.support.simulated_workspace import (
    CANCEL,
    GET,
    LIST,
    ME,
    OUTPUT,
    REPAIR,
    RUN_NOW,
    Fault,
    SimulatedWorkspace,
)

ENDPOINTS = (RUN_NOW, REPAIR, CANCEL, LIST, GET, OUTPUT, ME)
LAYERS = ("bronze", "silver", "gold", "all")
HEALED_WITHIN_S = 400.0
REFUSALS = {400, 404, 409, 429, 502, 503}


class PipelineMachine(RuleBasedStateMachine):
    obeys_tokens = True

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=CountingLoop)
        self.dir = Path(tempfile.mkdtemp(prefix="machine"))
        self.clock = ManualClock()
        self.workspace = SimulatedWorkspace(
            lambda: round(self.clock.now().timestamp() * 1000), obeys_tokens=self.obeys_tokens
        )
        self.backend = DrivenBackend(self.dir, self.workspace, self.clock)
        self.keys: dict[str, tuple[dict[str, Any], str | None]] = {}
        self.clicked: set[str] = set()
        self.lived: list[Envelope] = []
        self.listener: asyncio.Task[None] | None = None
        self.set_back = False
        self.story: list[str] = []

    def do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.runner.run(coroutine)
        except Exception as fault:
            fault.add_note("\n".join(self.story))
            raise

    def tell(self, *words: object) -> None:
        self.story.append(" ".join(map(str, words)))

    # Rules ----------------------------------------------------------------------------------------------------------
    # What is drawn never depends on what happened before, so that a failure can be played again.

    @initialize()
    def begin(self) -> None:
        self.do(self._begin())

    @rule(layer=st.sampled_from(LAYERS), if_active=st.sampled_from(("reject", "queue", "join")))
    def click(self, layer: str, if_active: str) -> None:
        self.tell("click", layer, if_active)
        self.do(self._click({"layer": layer, "if_active": if_active}, None))

    @rule(
        layer=st.sampled_from(LAYERS[:2]),
        if_active=st.sampled_from(("queue", "join")),
        key=st.sampled_from(("a", "b")),
    )
    def click_with_a_key(self, layer: str, if_active: str, key: str) -> None:
        self.tell("click", layer, if_active, "with key", key)
        self.do(self._click({"layer": layer, "if_active": if_active}, key))

    @rule(after_work=st.booleans())
    def click_and_die_before_the_answer(self, after_work: bool) -> None:
        self.tell("click and die", "after" if after_work else "before", "the work")
        self.do(self._dies_while(after_work, TRIGGER, {"layer": "gold", "if_active": "queue"}))

    @rule(number=st.integers(0, 5), after_work=st.booleans())
    def repair_and_die_before_the_answer(self, number: int, after_work: bool) -> None:
        if (run_id := self._a_run(number)) is not None:
            self.tell("repair", run_id, "and die", "after" if after_work else "before", "the work")
            self.do(self._dies_while(after_work, f"{RUNS}/{run_id}/repair", {}))

    @rule(endpoint=st.sampled_from(ENDPOINTS), fault=st.sampled_from(Fault), times=st.sampled_from((1, 1, 2, 9)))
    def break_calls(self, endpoint: str, fault: Fault, times: int) -> None:
        self.tell("break", endpoint, fault.name, times)
        self.workspace.faults[endpoint].extend([fault] * times)

    @rule()
    def the_token_expires(self) -> None:
        self.tell("token expires")
        self.workspace.expired = True

    @rule()
    def everything_works_again(self) -> None:
        self.tell("heal")
        self.workspace.heal()

    @rule(number=st.integers(0, 5), fails=st.sampled_from((False, False, True)), steps=st.integers(1, 7))
    def a_run_moves(self, number: int, fails: bool, steps: int) -> None:
        if (run_id := self._a_run(number)) is not None:
            self.tell("run", run_id, "moves", steps, "and fails" if fails else "")
            for _ in range(steps):
                self.workspace.advance(run_id, fails=fails)

    @rule()
    def somebody_starts_a_run_elsewhere(self) -> None:
        self.tell("run elsewhere", self.workspace.start_elsewhere())

    @rule(number=st.integers(0, 5))
    def a_run_is_deleted(self, number: int) -> None:
        if (run_id := self._a_run(number)) is not None:
            self.tell("delete", run_id)
            self.workspace.delete(run_id)

    @rule(number=st.integers(0, 5), what=st.sampled_from(("cancel", "repair", "repair")))
    def act(self, number: int, what: str) -> None:
        if (run_id := self._a_run(number)) is not None:
            self.tell(what, run_id)
            self.do(self._act(run_id, what))

    @rule(times=st.integers(1, 4), body=st.sampled_from(({}, {"run": {"run_id": "1"}}, {"run": 7, "event_type": 9})))
    def notifications_arrive(self, times: int, body: dict[str, Any]) -> None:
        self.tell("notifications", times)
        self.do(self._notified(times, body))

    @rule(seconds=st.sampled_from((1.0, 5.0, 40.0, 130.0)))
    def time_passes(self, seconds: float) -> None:
        self.tell("time passes", seconds)
        self.do(self.backend.elapse(seconds, step_s=max(1.0, seconds / 8)))

    @rule(seconds=st.sampled_from((-86_400.0, -300.0, 300.0, 86_400.0)))
    def the_wall_clock_jumps(self, seconds: float) -> None:
        self.tell("wall clock jumps", seconds)
        self.set_back |= seconds < 0
        self.clock.jump(seconds)

    @rule()
    def the_process_dies_and_comes_back(self) -> None:
        self.tell("die")
        self.do(self._restart())

    @rule(part=st.floats(0, 1))
    def a_client_comes_back_from_anywhere(self, part: float) -> None:
        self.do(self._replayed(part))

    # What must be true all the while --------------------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        if self.backend.app is not None:
            self.do(self._check())

    def teardown(self) -> None:
        try:
            if self.backend.app is not None:
                self.do(self._heals())
        finally:
            self.do(self._stop())
            self.runner.close()
            shutil.rmtree(self.dir)

    # How ------------------------------------------------------------------------------------------------------------

    def _a_run(self, number: int) -> int | None:
        """One of the runs, the newest being 0; None while there are none."""
        ids = sorted(self.workspace.runs)
        return ids[-1 - number % len(ids)] if ids else None

    async def _begin(self) -> None:
        await self.backend.start()
        self._listen()
        await self.backend.settle()

    async def _click(self, body: dict[str, Any], key: str | None) -> None:
        self.clock.advance(0.001)  # no two clicks at the same instant, so that their order is the same in every play
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.backend.during(self.backend.http.post(TRIGGER, json=body, headers=headers))
        told = answer.json()
        if key in self.keys and self.keys[key][0] != body:
            assert (answer.status_code, told["code"]) == (409, "idempotency_key_reused")
            return
        if answer.status_code == 409:
            assert told["code"] == "run_active"
            assert body["if_active"] == "reject"
            return
        assert answer.status_code == 202, told
        if key is not None:
            known = self.keys.setdefault(key, (body, told["submission_id"]))
            assert told["submission_id"] == known[1]
        if told["submission_id"] is not None:
            self.clicked.add(told["submission_id"])

    async def _dies_while(self, after_work: bool, path: str, body: dict[str, Any]) -> None:
        self.workspace.held, self.workspace.held_after_work = asyncio.Event(), after_work
        request = asyncio.ensure_future(self.backend.http.post(path, json=body))
        await self.backend.settle()
        request.cancel()
        self.workspace.held = None
        await self._restart()

    async def _act(self, run_id: int, what: str) -> None:
        answer = await self.backend.during(self.backend.http.post(f"{RUNS}/{run_id}/{what}"))
        assert answer.status_code == 202 or answer.status_code in REFUSALS, answer.text
        assert answer.status_code == 202 or set(answer.json()) == {"code", "message", "details"}

    async def _notified(self, times: int, body: dict[str, Any]) -> None:
        for _ in range(times):
            answer = await self.backend.during(self.backend.http.post("/api/webhooks/databricks", json=body))
            assert answer.status_code == 202
        await self.backend.settle()

    async def _restart(self) -> None:
        await self.backend.kill()
        await self._begin()

    async def _stop(self) -> None:
        if self.backend.app is not None:
            await self.backend.kill()

    def _listen(self) -> None:
        """A client that follows the stream and resumes after every death where it stood."""
        hub = self.backend.app.state.hub if self.backend.app else None
        position = Position(self.lived[-1].seq, self.lived[-1].epoch) if self.lived else Position(0)

        async def follow() -> None:
            assert hub is not None
            async with hub.subscribe(position) as subscription:
                while batch := await subscription.next():
                    self.lived += batch.envelopes

        self.listener = asyncio.ensure_future(follow())

    async def _log(self) -> list[Envelope]:
        assert self.backend.app is not None
        async with self.backend.app.state.database.read() as db:
            return list((await events.after(db, 0, limit=1_000_000)).envelopes)

    async def _replayed(self, part: float) -> None:
        after = round(part * len(await self._log()))
        answer = await self.backend.during(
            self.backend.http.get("/api/events/poll", params={"after": after, "wait_s": 0})
        )
        told, log = answer.json()["events"], await self._log()
        assert [event["seq"] for event in told] == list(range(after + 1, after + 1 + len(told)))
        assert told == [json.loads(one.text) for one in log[after : after + len(told)]]
        assert told or after == len(log)

    async def _check(self) -> None:
        await self.backend.settle()
        log = await self._log()
        assert [one.seq for one in log] == list(range(1, len(log) + 1))
        assert [one.text for one in self.lived] == [one.text for one in log]
        self._check_runs_of_submissions()
        folded = _check_order(log)
        await self._check_rows(folded)

    def _check_runs_of_submissions(self) -> None:
        ours = [submission_id for _, submission_id in self.workspace.all_started if submission_id]
        assert len(ours) == len(set(ours)), "a submission has started two runs"

    async def _check_rows(self, folded: dict[int, RunRecord]) -> None:
        assert self.backend.app is not None
        async with self.backend.app.state.database.read() as db:
            rows = await runs.load_many(db, self.workspace.workspace_id, folded)
            actions = (await db.execute(select(run_actions))).all()
        assert rows == folded
        for run in self.workspace.runs.values():
            asked = [one for one in actions if one.run_id == run.run_id and one.kind == "repair"]
            assert len(run.repairs) <= len(asked), "a wish for a repair has made two"

    async def _heals(self) -> None:
        """When all works again, every click has its run or a reason, and every run is known as it is."""
        self.workspace.heal()
        await self.backend.elapse(HEALED_WITHIN_S, step_s=8.0)
        await self._check()
        assert self.backend.app is not None
        async with self.backend.app.state.database.read() as db:
            ledger = {row.submission_id: row for row in await db.execute(select(submissions))}
            known = {record.run_id: record for record in await runs.page(db, before=None, limit=10_000)}
            actions = (await db.execute(select(run_actions))).all()
        assert self.clicked <= ledger.keys(), "a click was lost"
        assert {row.state for row in ledger.values()} <= {"ACCEPTED", "REFUSED"}
        assert not [one for one in actions if one.state in ("RECORDED", "SENDING")]
        started = {submission_id: run_id for run_id, submission_id in self.workspace.all_started if submission_id}
        for submission_id, row in ledger.items():
            if row.state == "REFUSED":
                assert started.get(submission_id) in {None, *self.workspace.deleted}, "a run has no click"
            elif submission_id in started:
                assert row.run_id == started[submission_id]
        for run_id, run in self.workspace.runs.items():
            if run.submission_id or not self.set_back:
                record = known[run_id]
                assert (record.active, record.result) == (run.active, run.result)
                assert record.attempt <= len(run.repairs)
                assert bool(record.attempt) == bool(run.repairs)
        for run_id in self.workspace.deleted & known.keys():
            assert not known[run_id].active


def _check_order(log: list[Envelope]) -> dict[int, RunRecord]:
    """One start and at most one end for every attempt, nothing after an end; the records that the events fold into."""
    folded: dict[int, RunRecord] = {}
    refused: set[str] = set()
    for one in log:
        data = one.data
        run_id = data.get("run_id")
        if one.type not in RUN_EVENTS:
            continue
        if run_id is None:
            assert one.type == FAILED
            assert data["submission_id"] not in refused
            refused.add(data["submission_id"])
            continue
        before = folded.get(run_id)
        if one.type == STARTED:
            assert data["attempt"] == (0 if before is None else before.attempt + 1)
            assert before is None or not before.active
        else:
            assert before is None or before.active, f"{one.type} of run {run_id} after its end"
            assert one.type not in TERMINAL_EVENTS or (before is not None and before.progress_seen)
        after = fold(before, one.type, data)
        assert after is not None
        folded[run_id] = after.at(one.seq)
    accepted = {record.submission_id for record in folded.values() if record.submission_id}
    assert not accepted & refused
    return folded


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Thousands of faults are meant here; their log lines would drown everything."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


COMMON = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "print_blob": True,
    "database": None,
}


def test_whatever_happens_in_any_order_no_click_no_run_and_no_event_is_lost_or_doubled() -> None:
    few = settings(max_examples=10, stateful_step_count=18, derandomize=True, **COMMON)
    run_state_machine_as_test(PipelineMachine, settings=few)


@pytest.mark.long
def test_the_same_for_many_more_orders() -> None:
    many = settings(max_examples=300, stateful_step_count=50, **COMMON)
    run_state_machine_as_test(PipelineMachine, settings=many)


@pytest.mark.long  # it has to search; the chaos suite shows the same of one case in seconds
def test_without_the_idempotency_token_the_machine_finds_a_doubled_run() -> None:
    class WithoutTokens(PipelineMachine):
        obeys_tokens = False

    some = settings(max_examples=60, stateful_step_count=12, derandomize=True, report_multiple_bugs=False, **COMMON)
    with pytest.raises(AssertionError, match="two runs"):
        run_state_machine_as_test(WithoutTokens, settings=some)
