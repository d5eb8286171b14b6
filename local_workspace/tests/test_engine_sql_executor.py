"""The warehouse's engine: statements, refusals, and what delta-rs answers in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from local_workspace.engine.catalog import Catalog
from local_workspace.engine.nursery import Nursery
from local_workspace.engine.sql_executor import SqlError, SqlExecutor, SqlResult
from local_workspace.storage import Storage
from local_workspace.tests.live_engine import LoopThread


class Warehouse:
    def __init__(self, data_dir: Path) -> None:
        self.storage = Storage(data_dir)
        self.catalog = Catalog(self.storage)
        self.loop = LoopThread()
        self.nursery = Nursery(self.storage)
        self.executor = SqlExecutor(self.nursery)

    def sql(self, statement: str, **named: Any) -> SqlResult:
        return self.loop.call(self.executor.execute(statement, **named))

    def rows(self, statement: str, **named: Any) -> list[list[str | None]]:
        return self.sql(statement, **named).rows


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    made = Warehouse(tmp_path_factory.mktemp("sql"))
    made.loop.call(made.executor.start())
    yield made
    made.loop.call(made.executor.stop())
    made.loop.call(made.nursery.stop())
    made.loop.close()


def test_a_result_has_described_columns_and_text_rows(live: Warehouse) -> None:
    result = live.sql("SELECT id, CAST(id AS DECIMAL(12,2)) AS amount, id = 1 AS one FROM range(2)")
    assert result.rows == [["0", "0.00", "false"], ["1", "1.00", "true"]]
    assert [(column["name"], column["type_name"], column["type_text"]) for column in result.columns] == [
        ("id", "LONG", "BIGINT"),
        ("amount", "DECIMAL", "DECIMAL(12,2)"),
        ("one", "BOOLEAN", "BOOLEAN"),
    ]


def test_a_row_limit_cuts_and_says_so(live: Warehouse) -> None:
    result = live.sql("SELECT id FROM range(5)", row_limit=5)
    assert (len(result.rows), result.truncated) == (5, False)
    result = live.sql("SELECT id FROM range(6)", row_limit=5)
    assert (len(result.rows), result.truncated) == (5, True)


def test_parameters_are_values_and_never_text(live: Warehouse) -> None:
    parameter = {"name": "x", "value": "'; DROP TABLE t", "type": "STRING"}
    assert live.rows("SELECT :x AS x", parameters=[parameter]) == [["'; DROP TABLE t"]]


def test_a_table_written_by_somebody_else_is_seen_at_once_and_a_dropped_one_not_any_more(live: Warehouse) -> None:
    folder = live.storage.table_path("main", "default", "elsewhere")
    write_deltalake(str(folder), pa.table({"id": [1, 2]}))
    assert live.rows("SELECT count(*) FROM main.default.elsewhere") == [["2"]]
    write_deltalake(str(folder), pa.table({"id": [3], "more": ["x"]}), mode="append", schema_mode="merge")
    assert live.rows("SELECT id, more FROM main.default.elsewhere WHERE more IS NOT NULL") == [["3", "x"]]
    live.catalog.delete_table("main", "default", "elsewhere")
    with pytest.raises(SqlError, match="TABLE_OR_VIEW_NOT_FOUND"):
        live.sql("SELECT * FROM main.default.elsewhere")


def test_catalog_and_schema_of_a_statement_complete_its_names(live: Warehouse) -> None:
    live.catalog.create_schema("main", "silver")
    live.sql("CREATE TABLE t AS SELECT 1 AS a", catalog="main", schema="silver")
    assert live.rows("SELECT a FROM t", catalog="main", schema="silver") == [["1"]]
    with pytest.raises(SqlError):
        live.sql("SELECT a FROM t")


def test_a_failed_statement_tells_why_and_the_next_one_runs(live: Warehouse) -> None:
    with pytest.raises(SqlError) as caught:
        live.sql("SELEC 1")
    assert caught.value.error_code
    assert live.rows("SELECT 1") == [["1"]]


def test_a_cancelled_statement_frees_the_engine(live: Warehouse) -> None:
    endless = "SELECT count(*) FROM range(10000000000) a CROSS JOIN range(100000) b WHERE a.id * b.id % 7 = 3"
    with pytest.raises(TimeoutError):
        live.loop.call(asyncio.wait_for(live.executor.execute(endless), 0.5))
    assert live.rows("SELECT 2") == [["2"]]


def test_statements_at_the_same_time_all_get_their_own_answer(live: Warehouse) -> None:
    async def several() -> list[SqlResult]:
        return await asyncio.gather(*(live.executor.execute(f"SELECT {number}") for number in range(5)))

    assert [result.rows for result in live.loop.call(several())] == [[[str(number)]] for number in range(5)]


def test_schemas_catalogs_and_volumes_made_in_sql_are_the_catalogs(live: Warehouse) -> None:
    live.sql("CREATE CATALOG IF NOT EXISTS lab COMMENT 'x'")
    live.sql("CREATE SCHEMA lab.raw")
    live.sql("CREATE VOLUME IF NOT EXISTS lab.raw.files")
    assert live.catalog.get_volume("lab", "raw", "files").full_name == "lab.raw.files"
    assert ["raw"] in live.rows("SHOW SCHEMAS IN lab")
    assert live.rows("SHOW VOLUMES IN lab.raw") == [["raw", "files"]]
    live.sql("DROP CATALOG lab CASCADE")
    assert ["lab"] not in live.rows("SHOW CATALOGS")


def test_history_detail_and_restore_come_from_the_log(live: Warehouse) -> None:
    live.sql("CREATE TABLE main.default.h (id INT)")
    live.sql("INSERT INTO main.default.h VALUES (1), (2)")
    live.sql("CREATE OR REPLACE TABLE main.default.h AS SELECT 'x' AS other")
    folder = live.storage.table_path("main", "default", "h")
    assert len(live.rows("DESCRIBE HISTORY main.default.h")) == DeltaTable(str(folder)).version() + 1
    assert live.sql(f"DESCRIBE DETAIL delta.`{folder}`").columns[0]["name"] == "format"
    live.sql("RESTORE TABLE main.default.h TO VERSION AS OF 1")
    assert live.rows("SELECT id FROM main.default.h ORDER BY id") == [["1"], ["2"]]


def test_describe_and_show_columns_are_never_silently_empty(live: Warehouse) -> None:
    write_deltalake(str(live.storage.table_path("main", "default", "d")), pa.table({"id": [1], "name": ["x"]}))
    expected = [["id", "bigint", None], ["name", "string", None]]
    assert live.rows("DESCRIBE main.default.d") == expected
    assert live.rows("DESC TABLE main.default.d") == expected
    assert live.rows("SHOW COLUMNS IN main.default.d") == [["id"], ["name"]]


def test_maintenance_statements_do_what_they_say(live: Warehouse) -> None:
    live.sql("CREATE TABLE main.default.m AS SELECT id FROM range(3)")
    live.sql("INSERT INTO main.default.m VALUES (7)")
    assert live.sql("OPTIMIZE main.default.m").columns[0]["name"] == "path"
    assert len(DeltaTable(str(live.storage.table_path("main", "default", "m"))).file_uris()) == 1
    with pytest.raises(SqlError, match="retention"):
        live.sql("VACUUM main.default.m RETAIN 0 HOURS")
    live.sql("ALTER TABLE main.default.m ADD COLUMNS (note STRING)")
    assert live.rows("SELECT note FROM main.default.m WHERE id = 7") == [[None]]
    live.sql("ALTER TABLE main.default.m SET TBLPROPERTIES ('team' = 'claims')")
    assert live.rows("SHOW TBLPROPERTIES main.default.m") == [["team", "claims"]]
    live.sql("TRUNCATE TABLE main.default.m")
    assert live.rows("SELECT count(*) FROM main.default.m") == [["0"]]


def test_a_view_is_kept_for_every_session(live: Warehouse) -> None:
    live.sql("CREATE TABLE main.default.base AS SELECT 1 AS a")
    live.sql("CREATE VIEW main.default.seen AS SELECT a + 1 AS b FROM main.default.base")
    live.loop.call(live.executor.stop())
    assert live.rows("SELECT b FROM main.default.seen") == [["2"]]
    assert live.catalog.get_table("main", "default", "seen").table_type == "VIEW"
    live.sql("DROP VIEW main.default.seen")
    with pytest.raises(SqlError):
        live.sql("SELECT b FROM main.default.seen")


def test_new_columns_are_nullable_so_that_a_wide_merge_stays_quick(live: Warehouse) -> None:
    columns = ", ".join(f"1 AS c{number}" for number in range(40))
    live.sql(f"CREATE TABLE main.default.wide AS SELECT {columns}")
    assert all(column.nullable for column in live.catalog.get_table("main", "default", "wide").columns)
    live.sql(
        f"MERGE INTO main.default.wide t USING (SELECT {columns.replace('1 AS c5,', '9 AS c5,')}) s ON t.c0 = s.c0 "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    assert live.rows("SELECT c5 FROM main.default.wide") == [["9"]]


def test_what_cannot_be_done_names_the_statement_and_the_way_out(live: Warehouse) -> None:
    with pytest.raises(SqlError, match="COPY INTO is not supported by the local workspace: read the files with"):
        live.sql("COPY INTO main.default.t FROM '/Volumes/c/s/v'")
