"""SQL statements: each runs in a task of its own, its result is kept for an hour."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import structlog

from local_workspace.api.http import missing
from local_workspace.clock import Clock
from local_workspace.engine.sql_executor import SqlError, SqlExecutor, SqlResult
from local_workspace.sql.results import CHUNK_BYTES, INLINE_BYTES, CutResult, InlineLimitExceeded, cut
from local_workspace.sql.warehouse import Warehouse

log = structlog.get_logger(__name__)

RESULT_LIFE_MS = 60 * 60 * 1000
KEPT_BYTES = 256 * 1024 * 1024
_KEPT_STATEMENTS = 10_000

State = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "CLOSED"]


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """What a client wants executed, checked."""

    statement: str
    catalog: str | None = None
    schema: str | None = None
    parameters: list[dict[str, Any]] = field(default_factory=list)
    row_limit: int | None = None
    byte_limit: int | None = None
    wait_s: float = 10.0
    cancel_on_timeout: bool = False


@dataclass(slots=True)
class Statement:
    """One statement's life."""

    statement_id: str
    request: StatementRequest
    state: State = "PENDING"
    error_code: str | None = None
    message: str | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    result: CutResult | None = None
    truncated: bool = False
    ended_at_ms: int | None = None
    task: asyncio.Task[None] | None = None


class SqlService:
    """Executes statements on the warehouse. Used as an async context: leaving it cancels what still runs."""

    def __init__(
        self,
        warehouse: Warehouse,
        clock: Clock,
        *,
        warehouse_id: str,
        owner: str,
        inline_bytes: int = INLINE_BYTES,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.warehouse = warehouse
        self.warehouse_id = warehouse_id
        self.owner = owner
        self._clock = clock
        self._limits = {"inline_bytes": inline_bytes, "chunk_bytes": chunk_bytes}
        self._statements: dict[str, Statement] = {}
        self._tasks = asyncio.TaskGroup()
        self._idle_watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> SqlService:
        await self._tasks.__aenter__()
        self._idle_watch = self._tasks.create_task(self.warehouse.stop_when_idle())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in [self._idle_watch, *(statement.task for statement in self._statements.values())]:
            if task is not None:
                task.cancel()
        await self._tasks.__aexit__(kind, error, trace)
        await self.warehouse.stop()

    def start_warehouse(self) -> None:
        """Start the warehouse in the background."""
        self._tasks.create_task(self._logged(self.warehouse.start()))

    def stop_warehouse(self) -> None:
        """Stop the warehouse in the background; statements that run are canceled first."""
        self._tasks.create_task(self._logged(self._drain()))

    async def _drain(self) -> None:
        for statement in list(self._statements.values()):
            await self._cancel(statement)
        await self.warehouse.stop()

    async def _logged(self, change: Coroutine[Any, Any, None]) -> None:
        try:
            await change
        except Exception:
            log.exception("warehouse_change_failed", state=self.warehouse.state)

    async def execute(self, request: StatementRequest) -> Statement:
        """Start a statement and wait for its end at most `wait_s`; then it goes on, or is canceled if so asked."""
        self._forget_old()
        statement = Statement(str(uuid.uuid4()), request)
        self._statements[statement.statement_id] = statement
        statement.task = self._tasks.create_task(self._run(statement))
        if request.wait_s > 0:
            await asyncio.wait({statement.task}, timeout=request.wait_s)
        if request.wait_s > 0 and request.cancel_on_timeout and not statement.task.done():
            await self._cancel(statement)
        return statement

    def get(self, statement_id: str) -> Statement:
        """A statement by id. Raises ApiError 404."""
        self._forget_old()
        try:
            return self._statements[statement_id]
        except KeyError as fault:
            raise missing(f"The statement {statement_id} was not found.") from fault

    async def cancel(self, statement_id: str) -> None:
        """Stop a statement; one that has ended keeps its outcome."""
        await self._cancel(self.get(statement_id))

    async def _cancel(self, statement: Statement) -> None:
        if statement.task is None or statement.task.done():
            return
        statement.task.cancel()
        await asyncio.wait({statement.task})
        if statement.ended_at_ms is None:  # its task had not begun
            self._end(statement, "CANCELED")

    async def _run(self, statement: Statement) -> None:
        try:
            async with self.warehouse.session() as executor:
                statement.state = "RUNNING"
                await self._complete(statement, await _execute(executor, statement.request))
        except SqlError as fault:
            self._fail(statement, fault.error_code, fault.message)
        except InlineLimitExceeded as fault:
            self._fail(statement, "BAD_REQUEST", _inline_message(fault))
        except asyncio.CancelledError:
            self._end(statement, "CANCELED")
            raise
        except Exception as fault:
            log.exception("statement_failed", statement_id=statement.statement_id)
            self._fail(statement, "INTERNAL_ERROR", f"The local warehouse failed: {type(fault).__name__}: {fault}")

    async def _complete(self, statement: Statement, result: SqlResult) -> None:
        limit = statement.request.byte_limit
        statement.columns = [dict(column) for column in result.columns]
        statement.result = await asyncio.to_thread(cut, result.rows, byte_limit=limit, **self._limits)
        statement.truncated = result.truncated or statement.result.truncated
        self._end(statement, "SUCCEEDED")

    def _fail(self, statement: Statement, error_code: str, message: str) -> None:
        statement.error_code, statement.message = error_code, message
        self._end(statement, "FAILED")

    def _end(self, statement: Statement, state: State) -> None:
        statement.state = state
        statement.ended_at_ms = self._clock.now_ms()

    def _forget_old(self) -> None:
        """Close results after their hour, the oldest sooner when memory for results is used up."""
        ended = [statement for statement in self._statements.values() if statement.ended_at_ms is not None]
        oldest_kept_ms = self._clock.now_ms() - RESULT_LIFE_MS
        kept_bytes = 0
        for statement in sorted(ended, key=lambda each: each.ended_at_ms or 0, reverse=True):
            kept_bytes += statement.result.byte_count if statement.result else 0
            if (statement.ended_at_ms or 0) < oldest_kept_ms or kept_bytes > KEPT_BYTES:
                statement.state, statement.result = "CLOSED", None
        for statement in ended[: max(0, len(self._statements) - _KEPT_STATEMENTS)]:
            del self._statements[statement.statement_id]


async def _execute(executor: SqlExecutor, request: StatementRequest) -> SqlResult:
    return await executor.execute(
        request.statement, request.catalog, request.schema, request.parameters, request.row_limit
    )


def _inline_message(fault: InlineLimitExceeded) -> str:
    return (
        f"Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at most "
        f"{fault.args[0]} bytes. Select fewer rows or columns, or pass row_limit or byte_limit."
    )
