"""SQL statements of the warehouse: one long-lived worker with an engine, statements one after the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from local_workspace.engine.nursery import Nursery, Worker, WorkerDied
from local_workspace.engine.sql_values import text_rows


class SqlError(Exception):
    """A statement that failed, with the error code of the Statement Execution API."""

    def __init__(self, error_code: str, message: str) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message


@dataclass(frozen=True, slots=True)
class SqlResult:
    """`columns` as in a manifest's schema; `rows` as JSON_ARRAY holds them: strings and None."""

    columns: list[dict[str, Any]]
    rows: list[list[str | None]]
    truncated: bool


class SqlExecutor:
    """Starts with `start` or with the first statement; `stop` frees its memory, and it can be started again."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._worker: Worker | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Return when the engine is warm. Raises: SqlError."""
        async with self._turn:
            await self._ready_worker()

    async def stop(self) -> None:
        """Kill the worker, the running statement with it."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.kill()

    async def execute(
        self,
        statement: str,
        catalog: str | None = None,
        schema: str | None = None,
        parameters: list[dict[str, Any]] | None = None,
        row_limit: int | None = None,
    ) -> SqlResult:
        """Execute one statement. Cancelling kills the engine, which is the sure way; the next statement starts another.

        Raises: SqlError.
        """
        message = {
            "do": "execute",
            "statement": statement,
            "catalog": catalog,
            "schema": schema,
            "parameters": parameters or [],
            "row_limit": row_limit,
        }
        async with self._turn:
            answer = await self._ask(await self._ready_worker(), message)
        if "error_code" in answer:
            raise SqlError(answer["error_code"], answer["message"])
        rows = await asyncio.to_thread(_rows, answer["payload"])
        return SqlResult(answer["columns"], rows, answer["truncated"])

    async def _ask(self, worker: Worker, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return await worker.ask(message)
        except asyncio.CancelledError:
            self._worker = None
            await worker.kill()
            raise
        except WorkerDied as death:
            self._worker = None
            raise SqlError("INTERNAL_ERROR", f"The engine that ran the statement {death}.") from death

    async def _ready_worker(self) -> Worker:
        if self._worker is not None and not self._worker.ended.done():
            return self._worker
        try:
            worker = self._worker = await self._nursery.new_worker()
            await worker.warm()
        except WorkerDied as death:
            raise SqlError("INTERNAL_ERROR", f"The SQL engine {death}.") from death
        except asyncio.CancelledError:
            await self.stop()
            raise
        return worker


def _rows(payload: bytes) -> list[list[str | None]]:
    with pa.ipc.open_stream(payload) as stream:
        return text_rows(stream.read_all())
