"""SPARK_REMOTE: Apache Spark, whose one catalog is shared by all sessions and outlives them.

Collected with SPARK_REMOTE only (`make test-spark`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_workspace.engine.nursery import Nursery
from local_workspace.engine.pool import WorkerPool
from local_workspace.engine.sql_executor import SqlExecutor
from local_workspace.tests.live_engine import Bench
from local_workspace.tests.test_engine_remote import refusal

URL = os.environ["SPARK_REMOTE"]


@dataclass
class OnSpark:
    """A workspace whose workers use the server: notebooks each have a worker, statements share one."""

    bench: Bench
    executor: SqlExecutor

    def run(self, source: str) -> str | None:
        outcome = self.bench.run(source)
        assert outcome.status == "success", outcome.error
        return outcome.result

    def rows(self, statement: str) -> list[list[str | None]]:
        return self.bench.loop.call(self.executor.execute(statement)).rows

    def folder(self, schema: str, table: str) -> Path:
        return self.bench.storage.table_path("petinsure360", schema, table)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSpark]:
    """One for the module: a server keeps the tables of one data directory."""
    bench = Bench(tmp_path_factory.mktemp("spark"))
    nursery = Nursery(bench.storage, URL)
    bench.pool = WorkerPool(nursery=nursery, size=1)
    try:
        bench.loop.call(bench.pool.start())
        yield OnSpark(bench, SqlExecutor(nursery))
    finally:
        bench.loop.call(bench.pool.stop())
        bench.loop.call(nursery.stop())
        bench.loop.close()


def test_notebooks_and_statements_use_the_names_of_the_workspace(spark: OnSpark) -> None:
    counts = spark.run(
        "spark.sql('CREATE SCHEMA petinsure360.silver')\n"
        "spark.range(3).write.saveAsTable('petinsure360.silver.three')\n"
        "spark.sql('USE silver')\n"
        "spark.range(4).write.saveAsTable('silver.four')\n"
        "spark.range(5).write.saveAsTable('five')\n"
        "names = ('petinsure360.silver.three', 'silver.four', 'five')\n"
        "counts = [spark.table(name).count() for name in names]\n"
        "counts += [spark.sql(f'SELECT count(*) FROM {name}').first()[0] for name in names]\n"
        "dbutils.notebook.exit([*counts, spark.catalog.databaseExists('petinsure360.silver')])"
    )
    assert counts == "[3, 4, 5, 3, 4, 5, True]"
    assert (spark.folder("silver", "five") / "_delta_log").is_dir()
    spark.rows("CREATE TABLE petinsure360.silver.two AS SELECT * FROM petinsure360.silver.four f WHERE f.id > 1")
    spark.rows("CREATE VIEW petinsure360.silver.view_of_two AS SELECT id FROM petinsure360.silver.two")
    assert sorted(spark.rows("SELECT * FROM petinsure360.silver.view_of_two")) == [["2"], ["3"]]


def test_parameters_of_statements_and_notebooks_reach_the_server(spark: OnSpark) -> None:
    told = [{"name": "text", "value": "it's"}, {"name": "number", "value": "7", "type": "INT"}]
    answer = spark.bench.loop.call(spark.executor.execute("SELECT :text, :number + 1", parameters=told))
    assert answer.rows == [["it's", "8"]]
    assert spark.run("dbutils.notebook.exit(spark.sql('SELECT :n * 2', {'n': 21}).first()[0])") == "42"


def test_a_session_that_learns_of_anothers_table_leaves_its_files_alone(spark: OnSpark) -> None:
    spark.rows("CREATE SCHEMA petinsure360.shared")
    spark.run("spark.range(3).write.saveAsTable('petinsure360.shared.made_elsewhere')")
    assert spark.rows("SELECT count(*) FROM petinsure360.shared.made_elsewhere") == [["3"]]
    assert spark.run("dbutils.notebook.exit(spark.table('petinsure360.shared.made_elsewhere').count())") == "3"


def test_a_table_that_was_dropped_is_known_to_no_session(spark: OnSpark) -> None:
    spark.rows("CREATE SCHEMA petinsure360.dropped")
    spark.run("spark.range(3).write.saveAsTable('petinsure360.dropped.by_statement')")
    spark.run("spark.range(3).write.saveAsTable('petinsure360.dropped.by_hand')")
    spark.rows("DROP TABLE petinsure360.dropped.by_statement")
    shutil.rmtree(spark.folder("dropped", "by_hand"))
    shown = (
        "dbutils.notebook.exit([row.tableName for row in spark.sql('SHOW TABLES IN petinsure360.dropped').collect()])"
    )
    spark.run("pass")  # the worker that waits already was told before
    assert spark.run(shown) == "[]"
    assert spark.run("spark.range(2).write.saveAsTable('petinsure360.dropped.by_hand')") == ""


def test_a_table_that_is_just_being_made_stops_no_worker(spark: OnSpark) -> None:
    spark.rows("CREATE SCHEMA petinsure360.making")
    (spark.folder("making", "half") / "_delta_log").mkdir(parents=True)
    spark.run("pass")  # the worker that waits already was told before
    assert spark.run("dbutils.notebook.exit(spark.sql('SHOW TABLES IN petinsure360.making').count())") == "0"


def test_tables_that_are_made_at_the_same_time_do_not_get_in_each_others_way(spark: OnSpark) -> None:
    spark.rows("CREATE SCHEMA petinsure360.together")
    counts = spark.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def make(number):\n"
        "    name = f'petinsure360.together.t{number}'\n"
        "    spark.range(number).write.saveAsTable(name)\n"
        "    return spark.table(name).count()\n"
        "with ThreadPoolExecutor(4) as threads:\n"
        "    dbutils.notebook.exit(list(threads.map(make, range(1, 17))))"
    )
    assert counts == str(list(range(1, 17)))


def test_a_second_data_directory_is_refused(spark: OnSpark, tmp_path: Path) -> None:
    assert spark.rows("SELECT 1") == [["1"]]
    assert "another data directory uses this server" in refusal(tmp_path, URL)
