"""The one SQL warehouse: it starts with its first statement and stops when nobody has used it for a while."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as upsert

from local_workspace.engine.sql_executor import SqlExecutor
from local_workspace.store import tables
from local_workspace.store.database import Database

log = structlog.get_logger(__name__)

WAREHOUSE_NAME = "Local warehouse"
AUTO_STOP_S = 600.0

State = Literal["STOPPED", "STARTING", "RUNNING", "STOPPING"]


def warehouse_id(database: Database) -> str:
    """The id of the data directory's warehouse, minted once."""
    with database.write() as db:
        db.execute(upsert(tables.meta).values(key="warehouse_id", value=secrets.token_hex(8)).on_conflict_do_nothing())
        found = db.execute(select(tables.meta.c.value).where(tables.meta.c.key == "warehouse_id")).scalar_one()
    return str(found)


class Warehouse:
    """The executor's life. `state` is what the executor really does, never a wish."""

    def __init__(self, executor: SqlExecutor, *, auto_stop_s: float = AUTO_STOP_S) -> None:
        self.executor = executor
        self.auto_stop_s = auto_stop_s
        self.state: State = "STOPPED"
        self.active = 0
        self._changing = asyncio.Lock()
        self._work = asyncio.Event()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SqlExecutor]:
        """A running executor; while a session is open the warehouse does not stop by itself."""
        self.active += 1
        try:
            await self._started_whatever_happens()
            yield self.executor
        finally:
            self.active -= 1
            self._work.set()

    async def _started_whatever_happens(self) -> None:
        """A canceled statement must not tear down a start that others wait for."""
        starting = asyncio.ensure_future(self.start())
        starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(starting)

    async def start(self) -> None:
        """Return when the executor runs; starting a running warehouse does nothing."""
        async with self._changing:
            if self.state == "RUNNING":
                return
            self.state = "STARTING"
            try:
                await self.executor.start()
            except BaseException:
                self.state = "STOPPED"
                raise
            self.state = "RUNNING"
            self._work.set()
            log.info("warehouse_started")

    async def stop(self, *, only_if_idle: bool = False) -> None:
        """Return when the executor is gone; stopping a stopped warehouse does nothing."""
        async with self._changing:
            if self.state == "STOPPED" or (only_if_idle and self.active > 0):
                return
            self.state = "STOPPING"
            try:
                await self.executor.stop()
            finally:
                self.state = "STOPPED"
            log.info("warehouse_stopped")

    async def stop_when_idle(self) -> None:
        """Stop the warehouse whenever it was not used for `auto_stop_s`; runs until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                async with asyncio.timeout(self.auto_stop_s):
                    await self._work.wait()
            except TimeoutError:
                await self._stop_if_idle()

    async def _stop_if_idle(self) -> None:
        try:
            await self.stop(only_if_idle=True)
        except Exception:  # the watch goes on: the next statement starts a new engine
            log.exception("warehouse_not_stopped")
