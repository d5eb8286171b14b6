"""The life of statements and of their warehouse, with a played engine and a played clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from local_workspace.api.http import ApiError
from local_workspace.engine.sql_executor import SqlError, SqlResult
from local_workspace.sql.statements import RESULT_LIFE_MS, SqlService, StatementRequest
from local_workspace.sql.warehouse import Warehouse

COLUMN = {"name": "n", "type_name": "INT", "type_text": "INT", "position": 0}


class PlayedEngine:
    """Stands where the SQL engine is: statements wait until the test lets them end."""

    def __init__(self) -> None:
        self.running = False
        self.starts = 0
        self.may_start, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_start.set()
        self.may_end.set()
        self.started: list[str] = []

    async def start(self) -> None:
        self.starts += 1
        await self.may_start.wait()
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def execute(
        self, statement: str, catalog: str | None, schema: str | None, parameters: list[Any], row_limit: int | None
    ) -> SqlResult:
        self.started.append(statement)
        await self.may_end.wait()
        if statement == "bad":
            raise SqlError("BAD_REQUEST", "no such table")
        return SqlResult([COLUMN], [["1"], ["2"]], False)


class PlayedClock:
    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Scene:
    """One service with its engine and clock."""

    def __init__(self, auto_stop_s: float) -> None:
        self.engine, self.clock = PlayedEngine(), PlayedClock()
        self.warehouse = Warehouse(self.engine, auto_stop_s=auto_stop_s)  # type: ignore[arg-type]
        self.sql = SqlService(self.warehouse, self.clock, warehouse_id="w", owner="me")


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene(auto_stop_s=600)
    async with made.sql:
        yield made


async def settled(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the condition belongs to the code under test
            await asyncio.sleep(0.001)


async def test_a_statement_is_pending_until_the_warehouse_runs(scene: Scene) -> None:
    scene.engine.may_start.clear()
    statement = await scene.sql.execute(StatementRequest("SELECT 1", wait_s=0))
    await settled(lambda: scene.warehouse.state == "STARTING")
    assert statement.state == "PENDING"
    scene.engine.may_start.set()
    await settled(lambda: statement.state == "SUCCEEDED")
    assert scene.warehouse.state == "RUNNING"


async def test_canceling_a_waiting_statement_does_not_stop_the_start_that_others_wait_for(scene: Scene) -> None:
    scene.engine.may_start.clear()
    first = await scene.sql.execute(StatementRequest("first", wait_s=0))
    second = await scene.sql.execute(StatementRequest("second", wait_s=0))
    await settled(lambda: scene.warehouse.state == "STARTING")
    await scene.sql.cancel(first.statement_id)
    scene.engine.may_start.set()
    await settled(lambda: second.state == "SUCCEEDED")
    assert first.state == "CANCELED"
    assert (scene.engine.started, scene.engine.starts) == (["second"], 1)


async def test_a_statement_canceled_before_it_began_is_canceled(scene: Scene) -> None:
    statement = await scene.sql.execute(StatementRequest("SELECT 1", wait_s=0))
    await scene.sql.cancel(statement.statement_id)
    assert (statement.state, scene.engine.started) == ("CANCELED", [])


async def test_canceling_what_has_ended_changes_nothing(scene: Scene) -> None:
    statement = await scene.sql.execute(StatementRequest("bad"))
    await scene.sql.cancel(statement.statement_id)
    assert (statement.state, statement.error_code, statement.message) == ("FAILED", "BAD_REQUEST", "no such table")


async def test_a_result_is_closed_after_an_hour(scene: Scene) -> None:
    statement = await scene.sql.execute(StatementRequest("SELECT 1"))
    scene.clock.ms += RESULT_LIFE_MS
    assert scene.sql.get(statement.statement_id).state == "SUCCEEDED"
    scene.clock.ms += 1
    closed = scene.sql.get(statement.statement_id)
    assert (closed.state, closed.result) == ("CLOSED", None)


async def test_a_running_statement_is_never_closed(scene: Scene) -> None:
    scene.engine.may_end.clear()
    statement = await scene.sql.execute(StatementRequest("SELECT 1", wait_s=0))
    scene.clock.ms += 10 * RESULT_LIFE_MS
    await settled(lambda: scene.engine.started)
    assert scene.sql.get(statement.statement_id).state == "RUNNING"


async def test_an_unknown_statement_is_not_found(scene: Scene) -> None:
    with pytest.raises(ApiError) as refused:
        scene.sql.get("none")
    assert refused.value.status == 404


async def test_stopping_the_warehouse_cancels_what_runs_on_it(scene: Scene) -> None:
    scene.engine.may_end.clear()
    statement = await scene.sql.execute(StatementRequest("SELECT 1", wait_s=0))
    await settled(lambda: scene.engine.started)
    scene.sql.stop_warehouse()
    await settled(lambda: scene.warehouse.state == "STOPPED")
    assert (statement.state, scene.engine.running) == ("CANCELED", False)


async def test_an_unused_warehouse_stops_by_itself_and_a_used_one_does_not() -> None:
    scene = Scene(auto_stop_s=0.02)
    async with scene.sql:
        scene.engine.may_end.clear()
        statement = await scene.sql.execute(StatementRequest("SELECT 1", wait_s=0))
        await settled(lambda: statement.state == "RUNNING")
        await scene.warehouse.stop(only_if_idle=True)
        assert scene.warehouse.state == "RUNNING"
        scene.engine.may_end.set()
        await settled(lambda: scene.warehouse.state == "STOPPED")
    assert (statement.state, scene.engine.running) == ("SUCCEEDED", False)


async def test_a_start_that_fails_fails_the_statement_and_leaves_the_warehouse_stopped(scene: Scene) -> None:
    async def start() -> None:
        raise SqlError("INTERNAL_ERROR", "The SQL engine was killed.")

    scene.engine.start = start  # type: ignore[method-assign]
    statement = await scene.sql.execute(StatementRequest("SELECT 1"))
    assert (statement.state, statement.message) == ("FAILED", "The SQL engine was killed.")
    assert scene.warehouse.state == "STOPPED"


async def test_leaving_the_service_cancels_what_still_runs() -> None:
    scene = Scene(auto_stop_s=600)
    async with scene.sql:
        scene.engine.may_end.clear()
        statement = await scene.sql.execute(StatementRequest("SELECT 1", wait_s=0))
        await settled(lambda: scene.engine.started)
    assert (statement.state, scene.engine.running) == ("CANCELED", False)
