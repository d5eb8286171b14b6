"""SQL warehouse and statement execution through the official SDK, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service.sql import (
    ExecuteStatementRequestOnWaitTimeout,
    State,
    StatementParameterListItem,
    StatementResponse,
    StatementState,
)

from local_workspace.tests.serving_app import Served, workspace
from local_workspace.tests.waiting import until

SLOW = """
SELECT count(*) FROM range(1000000) a CROSS JOIN range(1000000) b WHERE (a.id * b.id) % 7 = 8
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with workspace(tmp_path_factory.mktemp("sql")) as running:
        yield running


@pytest.fixture(scope="module")
def warehouse_id(served: Served) -> str:
    (warehouse,) = served.sdk.warehouses.list()
    assert warehouse.id is not None
    return warehouse.id


@pytest.fixture
def query(served: Served, warehouse_id: str):
    def run(statement: str, **more: object) -> StatementResponse:
        more = {"wait_timeout": "50s"} | more
        return served.sdk.statement_execution.execute_statement(statement, warehouse_id, **more)

    return run


def rows(response: StatementResponse) -> list[list[str]]:
    assert response.status is not None
    assert response.status.state is StatementState.SUCCEEDED, response.status
    assert response.result is not None
    return response.result.data_array or []


def test_an_unused_warehouse_is_stopped_and_says_so(served: Served, warehouse_id: str) -> None:
    found = served.sdk.warehouses.get(warehouse_id)
    assert (found.name, found.state, found.auto_stop_mins) == ("Local warehouse", State.STOPPED, 10)


def test_a_statement_starts_the_warehouse_and_answers_strings(served: Served, warehouse_id: str, query) -> None:
    response = query("SELECT 1 AS n, 'a' AS s, CAST('12.50' AS DECIMAL(12,2)) AS d, true AS b, CAST(NULL AS INT) AS z")
    assert rows(response) == [["1", "a", "12.50", "true", None]]
    assert response.manifest is not None
    assert response.manifest.schema is not None
    columns = response.manifest.schema.columns or []
    assert [(column.name, column.type_text, column.position) for column in columns[:3]] == [
        ("n", "INT", 0),
        ("s", "STRING", 1),
        ("d", "DECIMAL(12,2)", 2),
    ]
    assert served.sdk.warehouses.get(warehouse_id).state is State.RUNNING


def test_parameters_are_values_and_never_become_sql(query) -> None:
    nasty = "x'; DROP TABLE t; --"
    given = [
        StatementParameterListItem(name="text", value=nasty),
        StatementParameterListItem(name="n", value="41", type="INT"),
        StatementParameterListItem(name="none"),
    ]
    response = query("SELECT :text AS a, :n + 1 AS b, :none IS NULL AS c", parameters=given)
    assert rows(response) == [[nasty, "42", "true"]]


def test_a_failed_statement_is_an_answer_not_an_http_error(query) -> None:
    status = query("SELECT * FROM petinsure360.nowhere.nothing").status
    assert status.state is StatementState.FAILED
    assert status.error is not None
    assert status.error.message


def test_a_row_limit_truncates_and_says_so(query) -> None:
    response = query("SELECT * FROM range(100)", row_limit=3)
    assert len(rows(response)) == 3
    assert response.manifest.truncated


def test_a_byte_limit_truncates_between_rows(query) -> None:
    response = query("SELECT id FROM range(100)", byte_limit=10)
    assert 0 < len(rows(response)) < 10
    assert response.manifest.truncated


def test_a_large_result_comes_in_chunks_that_follow_each_other(served: Served, query) -> None:
    response = query("SELECT id, repeat('x', 40) AS pad FROM range(200000)")
    collected = rows(response)
    result = response.result
    while result.next_chunk_index is not None:
        result = served.sdk.statement_execution.get_statement_result_chunk_n(
            response.statement_id, result.next_chunk_index
        )
        collected += result.data_array or []
    assert response.manifest.total_chunk_count > 1
    assert response.manifest.total_row_count == len(collected) == 200_000
    assert {int(row[0]) for row in collected} == set(range(200_000))


def test_more_than_the_inline_limit_fails_and_tells_the_way_out(query) -> None:
    status = query("SELECT repeat('x', 1000) FROM range(30000)").status
    assert status.state is StatementState.FAILED
    assert "row_limit" in status.error.message


def test_without_waiting_a_statement_is_polled_to_its_end(served: Served, query) -> None:
    response = query("SELECT 7", wait_timeout="0s")
    assert response.status.state in (StatementState.PENDING, StatementState.RUNNING)
    read = served.sdk.statement_execution.get_statement
    until(lambda: read(response.statement_id).status.state is StatementState.SUCCEEDED)
    assert rows(read(response.statement_id)) == [["7"]]


def test_a_canceled_statement_is_canceled_and_the_warehouse_goes_on(served: Served, query) -> None:
    response = query(SLOW, wait_timeout="0s")
    read = served.sdk.statement_execution.get_statement
    until(lambda: read(response.statement_id).status.state is StatementState.RUNNING)
    served.sdk.statement_execution.cancel_execution(response.statement_id)
    until(lambda: read(response.statement_id).status.state is StatementState.CANCELED)
    assert rows(query("SELECT 1")) == [["1"]]


def test_a_statement_that_outlives_its_wait_is_canceled_when_asked(query) -> None:
    response = query(SLOW, wait_timeout="5s", on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL)
    assert response.status.state is StatementState.CANCELED


def test_tables_written_by_sql_are_in_unity_catalog(served: Served, query) -> None:
    rows(query("CREATE SCHEMA IF NOT EXISTS petinsure360.s"))
    rows(query("CREATE TABLE petinsure360.s.t AS SELECT 1 AS n"))
    assert served.sdk.tables.get("petinsure360.s.t").columns[0].name == "n"
    assert rows(query("SELECT n FROM t", catalog="petinsure360", schema="s")) == [["1"]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"wait_timeout": "3s"}, "wait_timeout"),
        ({"wait_timeout": "1m"}, "wait_timeout"),
        ({"row_limit": 0}, "row_limit"),
        ({"format": "CSV"}, "JSON_ARRAY"),
        ({"statement": " "}, "statement"),
        ({"parameters": [{"name": "a"}, {"name": "a"}]}, "different names"),
    ],
)
def test_a_wrong_request_is_refused_before_it_runs(
    served: Served, warehouse_id: str, more: dict[str, object], message: str
) -> None:
    body = {"warehouse_id": warehouse_id, "statement": "SELECT 1"} | more
    with pytest.raises(BadRequest, match=message):
        served.sdk.api_client.do("POST", "/api/2.0/sql/statements", body=body)


def test_external_links_are_said_to_be_unsupported(served: Served, warehouse_id: str) -> None:
    body = {"warehouse_id": warehouse_id, "statement": "SELECT 1", "disposition": "EXTERNAL_LINKS"}
    assert served.http.post("/api/2.0/sql/statements", json=body).status_code == 501


def test_unknown_statements_and_warehouses_are_not_found(served: Served) -> None:
    with pytest.raises(NotFound):
        served.sdk.statement_execution.get_statement("none")
    with pytest.raises(NotFound):
        served.sdk.warehouses.get("none")


def test_the_warehouse_stops_and_starts_on_demand(served: Served, warehouse_id: str, query) -> None:
    served.sdk.warehouses.start(warehouse_id).result()
    assert served.sdk.warehouses.stop(warehouse_id).result().state is State.STOPPED
    assert rows(query("SELECT 1")) == [["1"]]
