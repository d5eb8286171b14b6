"""SQL API 2.0: the warehouse, and statement execution with INLINE results."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import answer, arguments, integer, invalid, missing, text, unsupported
from local_workspace.sql.results import Chunk
from local_workspace.sql.statements import SqlService, Statement, StatementRequest
from local_workspace.sql.warehouse import WAREHOUSE_NAME

_STATEMENTS = "/api/2.0/sql/statements"
_WAREHOUSES = "/api/2.0/sql/warehouses"


def routes(sql: SqlService) -> list[Route]:
    """The routes of this family."""
    warehouses, statements = _WarehousesApi(sql), _StatementsApi(sql)
    return [
        Route(_WAREHOUSES, warehouses.list, methods=["GET"]),
        Route(_WAREHOUSES + "/{warehouse_id}", warehouses.get, methods=["GET"]),
        Route(_WAREHOUSES + "/{warehouse_id}/start", warehouses.start, methods=["POST"]),
        Route(_WAREHOUSES + "/{warehouse_id}/stop", warehouses.stop, methods=["POST"]),
        Route(_STATEMENTS, statements.execute, methods=["POST"]),
        Route(_STATEMENTS + "/{statement_id}", statements.get, methods=["GET"]),
        Route(_STATEMENTS + "/{statement_id}/cancel", statements.cancel, methods=["POST"]),
        Route(_STATEMENTS + "/{statement_id}/result/chunks/{chunk_index}", statements.chunk, methods=["GET"]),
    ]


class _WarehousesApi:
    def __init__(self, sql: SqlService) -> None:
        self._sql = sql

    async def list(self, _request: Request) -> Response:
        return answer({"warehouses": [self._info()]})

    async def get(self, request: Request) -> Response:
        self._checked(request)
        return answer(self._info())

    async def start(self, request: Request) -> Response:
        """Answers at once; the warehouse is STARTING until its engine is there."""
        self._checked(request)
        self._sql.start_warehouse()
        return answer()

    async def stop(self, request: Request) -> Response:
        self._checked(request)
        self._sql.stop_warehouse()
        return answer()

    def _checked(self, request: Request) -> None:
        _check_warehouse(self._sql, request.path_params["warehouse_id"])

    def _info(self) -> dict[str, Any]:
        warehouse = self._sql.warehouse
        return {
            "id": self._sql.warehouse_id,
            "name": WAREHOUSE_NAME,
            "state": warehouse.state,
            "cluster_size": "2X-Small",
            "min_num_clusters": 1,
            "max_num_clusters": 1,
            "num_clusters": 1 if warehouse.state == "RUNNING" else 0,
            "num_active_sessions": warehouse.active,
            "auto_stop_mins": max(1, round(warehouse.auto_stop_s / 60)),
            "creator_name": self._sql.owner,
            "warehouse_type": "PRO",
            "enable_photon": False,
            "enable_serverless_compute": False,
            "channel": {"name": "CHANNEL_NAME_CURRENT"},
            "tags": {},
        }


class _StatementsApi:
    def __init__(self, sql: SqlService) -> None:
        self._sql = sql

    async def execute(self, request: Request) -> Response:
        values = await arguments(request)
        _check_warehouse(self._sql, text(values, "warehouse_id"))
        return _statement_answer(await self._sql.execute(_request(values)))

    async def get(self, request: Request) -> Response:
        return _statement_answer(self._sql.get(request.path_params["statement_id"]))

    async def cancel(self, request: Request) -> Response:
        await self._sql.cancel(request.path_params["statement_id"])
        return answer()

    async def chunk(self, request: Request) -> Response:
        statement = self._sql.get(request.path_params["statement_id"])
        index = integer(dict(request.path_params), "chunk_index")
        chunks = statement.result.chunks if statement.result else []
        if not 0 <= index < len(chunks):
            raise missing(f"The statement {statement.statement_id} has no result chunk {index}.")
        return Response(_chunk_json(statement, chunks[index]), media_type="application/json")


def _check_warehouse(sql: SqlService, wanted: str) -> None:
    if wanted != sql.warehouse_id:
        raise missing(f"SQL warehouse {wanted} does not exist.")


def _request(values: dict[str, Any]) -> StatementRequest:
    statement = text(values, "statement")
    if not statement.strip():
        raise invalid("statement must not be empty.")
    _check_delivery(values)
    return StatementRequest(
        statement,
        text(values, "catalog", "") or None,
        text(values, "schema", "") or None,
        _parameters(values.get("parameters") or []),
        _positive(values, "row_limit"),
        _positive(values, "byte_limit"),
        _wait_s(text(values, "wait_timeout", "10s")),
        _one_of(values, "on_wait_timeout", ("CONTINUE", "CANCEL")) == "CANCEL",
    )


def _check_delivery(values: dict[str, Any]) -> None:
    if _one_of(values, "disposition", ("INLINE", "EXTERNAL_LINKS")) == "EXTERNAL_LINKS":
        raise unsupported("The disposition EXTERNAL_LINKS (use INLINE)")
    if _one_of(values, "format", ("JSON_ARRAY", "ARROW_STREAM", "CSV")) != "JSON_ARRAY":
        raise invalid("The format field must be JSON_ARRAY when the disposition field is INLINE.")


def _one_of(values: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """The first allowed value is the default."""
    given = text(values, name, allowed[0]) or allowed[0]
    if given not in allowed:
        raise invalid(f"{name} must be one of {', '.join(allowed)}, got {given!r}.")
    return given


def _positive(values: dict[str, Any], name: str) -> int | None:
    if values.get(name) is None:
        return None
    number = integer(values, name)
    if number < 1:
        raise invalid(f"{name} must be positive.")
    return number


def _wait_s(given: str) -> float:
    matched = re.fullmatch(r"(\d{1,3})s", given)
    seconds = int(matched[1]) if matched else -1
    if seconds != 0 and not 5 <= seconds <= 50:
        raise invalid(f"wait_timeout must be 0s or between 5s and 50s, got {given!r}.")
    return float(seconds)


def _parameters(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid("parameters must be a list of objects with name, value and type.")
    checked = [_parameter(item) for item in given]
    if len({item["name"] for item in checked}) != len(checked):
        raise invalid("parameters must have different names.")
    return checked


def _parameter(item: dict[str, Any]) -> dict[str, Any]:
    value = item.get("value")
    if value is not None and not isinstance(value, str | int | float | bool):
        raise invalid("The value of a parameter must be a string or null.")
    as_text = json.dumps(value) if isinstance(value, bool) else value if value is None else str(value)
    return {"name": text(item, "name"), "value": as_text, "type": text(item, "type", "STRING") or "STRING"}


def _statement_answer(statement: Statement) -> Response:
    status: dict[str, Any] = {"state": statement.state}
    if statement.state == "FAILED":
        status["error"] = {"error_code": statement.error_code, "message": statement.message}
    body: dict[str, Any] = {"statement_id": statement.statement_id, "status": status}
    if statement.result is None:
        return answer(body)
    body["manifest"] = _manifest(statement)
    chunks = statement.result.chunks
    first = _chunk_json(statement, chunks[0]) if chunks else b'{"row_count":0,"data_array":[]}'
    head = json.dumps(body, separators=(",", ":")).encode()[:-1]
    return Response(head + b',"result":' + first + b"}", media_type="application/json")


def _manifest(statement: Statement) -> dict[str, Any]:
    assert statement.result is not None
    chunks = statement.result.chunks
    return {
        "format": "JSON_ARRAY",
        "schema": {"column_count": len(statement.columns), "columns": statement.columns},
        "total_chunk_count": len(chunks),
        "chunks": [
            {"chunk_index": chunk.index, "row_offset": chunk.row_offset, "row_count": chunk.row_count}
            for chunk in chunks
        ],
        "total_row_count": statement.result.row_count,
        "total_byte_count": statement.result.byte_count,
        "truncated": statement.truncated,
    }


def _chunk_json(statement: Statement, chunk: Chunk) -> bytes:
    """The chunk as ResultData; the rows are copied in as the JSON they already are."""
    assert statement.result is not None
    head: dict[str, Any] = {
        "chunk_index": chunk.index,
        "row_offset": chunk.row_offset,
        "row_count": chunk.row_count,
        "byte_count": len(chunk.data_array),
    }
    following = chunk.index + 1
    if following < len(statement.result.chunks):
        link = f"{_STATEMENTS}/{statement.statement_id}/result/chunks/{following}"
        head |= {"next_chunk_index": following, "next_chunk_internal_link": link}
    return json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"data_array":' + chunk.data_array + b"}"
