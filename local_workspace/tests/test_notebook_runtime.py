"""Notebooks run as they do on Databricks: real workers, real engine, real Delta tables."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from deltalake import DeltaTable

from local_workspace.tests.live_engine import HEADER, Bench, bench


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("runtime"), size=3) as made:
        made.catalog.create_schema("petinsure360", "silver")
        yield made


CELL = "\n# COMMAND ----------\n"


def test_cells_share_one_namespace_and_the_last_expression_is_shown(live: Bench) -> None:
    request = live.request("x = 20" + CELL + "y = 22\nx + y")
    assert live.run(request).status == "success"
    assert live.cells(request)[1]["outputs"] == [{"type": "text", "text": "42\n"}]


def test_an_exit_value_ends_the_notebook_at_once_even_inside_a_try(live: Bench) -> None:
    request = live.request("try:\n    dbutils.notebook.exit('early')\nexcept Exception:\n    pass" + CELL + "raise 1")
    outcome = live.run(request)
    assert (outcome.status, outcome.result) == ("success", "early")
    assert len(live.cells(request)) == 1


def test_a_failing_cell_stops_the_notebook_and_its_trace_points_into_the_notebook(live: Bench) -> None:
    live.write("/E/helper.py", "def check(x):\n    raise ValueError(f'bad {x}')\n")
    live.write(
        "/E/nb", HEADER + "import helper" + CELL + "\ndef run():\n    helper.check(1)\n\nrun()" + CELL + "print(1)"
    )
    request = live.request_of("/E/nb")
    outcome = live.run(request)
    assert (outcome.status, outcome.error) == ("failed", "ValueError: bad 1")
    trace = str(outcome.error_trace)
    assert 'File "/E/nb", line 8, in <module>\n    run()' in trace
    assert 'File "/E/nb", line 6, in run\n    helper.check(1)' in trace
    assert 'File "/Workspace/E/helper.py", line 2, in check' in trace
    assert "runner.py" not in trace
    assert [cell["status"] for cell in live.cells(request)] == ["success", "failed"]


def test_a_syntax_error_names_its_line(live: Bench) -> None:
    outcome = live.run("x = 1" + CELL + "y = = 2")
    assert str(outcome.error).startswith("SyntaxError")
    assert "line 4" in str(outcome.error_trace)


def test_parameters_win_over_widget_defaults(live: Bench) -> None:
    source = (
        "dbutils.widgets.text('a', 'default')\ndbutils.widgets.text('b', 'default')\n"
        "w = dbutils.widgets\ndbutils.notebook.exit('/'.join([w.get('a'), w.get('b'), w.get('undeclared')]))"
    )
    assert live.run(source, a="given", undeclared="too").result == "given/default/too"


def test_asking_for_an_unknown_widget_fails_by_its_name(live: Bench) -> None:
    assert str(live.run("dbutils.widgets.get('nope')").error).startswith(
        "InputWidgetNotDefined: No input widget named nope"
    )


def test_a_table_written_by_one_task_is_there_for_the_next_and_for_delta_rs(live: Bench) -> None:
    live.run(
        "spark.createDataFrame([(1, 'a'), (2, 'b')], 'id int, name string')"
        ".write.mode('overwrite').saveAsTable('petinsure360.silver.claims')"
    )
    merge = """
df = spark.createDataFrame([(2, 'B'), (3, 'c')], 'id int, name string')
df.createOrReplaceTempView('news')
spark.sql('''MERGE INTO petinsure360.silver.claims t USING news s ON t.id = s.id
             WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *''')
rows = spark.table('petinsure360.silver.claims').orderBy('id').collect()
dbutils.notebook.exit(','.join(row.name for row in rows))
"""
    assert live.run(merge).result == "a,B,c"
    table = DeltaTable(str(live.storage.table_path("petinsure360", "silver", "claims")))
    assert (table.version(), table.to_pyarrow_table().num_rows) == (1, 3)


def test_a_dropped_table_is_gone_for_the_next_task(live: Bench) -> None:
    live.run("spark.range(3).write.saveAsTable('petinsure360.silver.gone')")
    assert live.run("spark.sql('DROP TABLE petinsure360.silver.gone')").status == "success"
    assert not live.storage.table_path("petinsure360", "silver", "gone").exists()
    source = "dbutils.notebook.exit(spark.catalog.tableExists('petinsure360.silver.gone'))"
    assert live.run(source).result == "False"


def test_history_comes_from_the_delta_log(live: Bench) -> None:
    source = """
name = 'petinsure360.silver.versions'
for _ in range(3):
    spark.range(2).write.mode('overwrite').saveAsTable(name)
newest = spark.sql(f'DESCRIBE HISTORY {name} LIMIT 1').collect()[0]
nested = spark.sql(f'SELECT max(version) AS v FROM (DESCRIBE HISTORY {name})').collect()[0]
dbutils.notebook.exit(f'{newest.version} {newest.operation} {nested.v}')
"""
    version, *operation, nested = str(live.run(source).result).split()
    assert (version, nested) == ("2", "2")
    assert operation


def test_rows_that_are_at_hand_are_those_that_the_engine_would_give(live: Bench) -> None:
    source = """
spark.range(2).write.mode('overwrite').saveAsTable('petinsure360.silver.answered')
same = []
for statement in ('DESCRIBE HISTORY petinsure360.silver.answered LIMIT 1', 'SHOW TABLES IN petinsure360.silver',
                  'DESCRIBE DETAIL petinsure360.silver.answered'):
    answer = spark.sql(statement)
    asked = answer.select('*')
    same.append(answer.collect() == asked.collect() and len(answer.collect()) > 0)
    same.append(answer.toArrow().equals(asked.toArrow()) and answer.schema == asked.schema)
dbutils.notebook.exit(str(same))
"""
    assert live.run(source).result == str([True] * 6)


def test_a_notebook_sees_what_it_has_set_by_either_way(live: Bench) -> None:
    source = """
def noon():
    return spark.sql("SELECT date_format(timestamp'2025-07-01 12:00:00Z', 'HH')").collect()[0][0]
seen = [spark.conf.get('spark.sql.session.timeZone'), noon()]
spark.conf.set('spark.sql.session.timeZone', 'Asia/Tokyo')
seen += [spark.conf.get('spark.sql.session.timeZone'), noon()]
spark.sql('SET spark.sql.session.timeZone = America/New_York')
seen += [spark.conf.get('spark.sql.session.timeZone'), noon()]
spark.conf.unset('spark.sql.session.timeZone')
dbutils.notebook.exit(str(seen))
"""
    assert live.run(source).result == str(["UTC", "12", "Asia/Tokyo", "21", "America/New_York", "08"])


def test_cloud_paths_are_folders_of_the_workspace(live: Bench) -> None:
    source = """
path = 'abfss://raw@lake.dfs.core.windows.net/claims'
spark.range(5).write.format('delta').mode('overwrite').save(path)
a = spark.read.load(path).count()
b = spark.sql(f'SELECT count(*) AS n FROM delta.`{path}`').collect()[0].n
dbutils.notebook.exit(f'{a} {b} {dbutils.fs.ls("abfss://raw@lake.dfs.core.windows.net/")[0].name}')
"""
    assert live.run(source).result == "5 5 claims/"
    assert (live.storage.root / "abfss/lake/raw/claims/_delta_log").is_dir()


def test_pythons_own_files_work_on_volumes(live: Bench) -> None:
    source = """
import glob, os, pathlib, shutil
os.makedirs('/Volumes/c/s/v/in', exist_ok=True)
with open('/Volumes/c/s/v/in/a.csv', 'w') as f:
    f.write('id,name\\n1,x\\n')
pathlib.Path('/dbfs/tmp/p').mkdir(parents=True)
shutil.copy('/Volumes/c/s/v/in/a.csv', '/dbfs/tmp/p/b.csv')
rows = spark.read.option('header', 'true').csv('/Volumes/c/s/v/in').collect()
found = [os.listdir('/Volumes/c/s/v/in'), os.path.exists('/Volumes/c/s/v/no'), rows[0].name,
         pathlib.Path('/dbfs/tmp/p/b.csv').read_text()[:2], [f.path for f in dbutils.fs.ls('dbfs:/tmp/p')]]
shutil.rmtree('/dbfs/tmp/p')
dbutils.notebook.exit(str(found))
"""
    assert live.run(source).result == "[['a.csv'], False, 'x', 'id', ['dbfs:/tmp/p/b.csv']]"


def test_a_path_outside_of_the_workspace_is_refused_in_words(live: Bench) -> None:
    outcome = live.run("spark.read.load('/Volumes/c/s/v/../../../../../etc').count()")
    assert "must not contain '..'" in str(outcome.error)


def test_sql_cells_take_widgets_and_leave_their_result(live: Bench) -> None:
    source = (
        "dbutils.widgets.text('low', '3')"
        + CELL
        + "# MAGIC %sql\n# MAGIC CREATE OR REPLACE TEMP VIEW numbers AS SELECT id FROM range(10);\n"
        + "# MAGIC SELECT count(*) AS n, ';' AS s FROM numbers WHERE id >= CAST(:low AS INT) AND '${low}' = '3'"
        + CELL
        + "dbutils.notebook.exit(_sqldf.collect()[0].n)"
    )
    request = live.request(source)
    assert live.run(request).result == "7"
    shown = live.cells(request)[1]
    assert shown["language"] == "sql"
    assert shown["outputs"] == [{"type": "table", "columns": ["n", "s"], "rows": [["7", ";"]], "truncated": False}]


def test_run_shares_the_namespace_and_finds_notebooks_beside(live: Bench) -> None:
    live.write(
        "/R/lib/setup",
        HEADER + "dbutils.widgets.text('who', 'nobody')\ngreeting = 'hello ' + dbutils.widgets.get('who')",
    )
    live.write("/R/nb", HEADER + '# MAGIC %run ./lib/setup $who="world"' + CELL + "dbutils.notebook.exit(greeting)")
    assert live.run(live.request_of("/R/nb")).result == "hello world"


def test_a_child_notebook_has_its_own_namespace_and_gives_its_exit_value(live: Bench) -> None:
    live.write(
        "/C/child", HEADER + "assert 'secret' not in globals()\ndbutils.notebook.exit(dbutils.widgets.get('x') * 2)"
    )
    live.write("/C/bad", HEADER + "raise KeyError('no')")
    live.write(
        "/C/nb",
        HEADER + "secret = 1\na = dbutils.notebook.run('./child', 60, {'x': 'ab'})\n"
        "try:\n    dbutils.notebook.run('bad', 60)\nexcept Exception as e:\n    b = type(e).__name__\n"
        "dbutils.notebook.exit(a + b)",
    )
    assert live.run(live.request_of("/C/nb")).result == "ababWorkflowException"


def test_task_values_go_out_and_come_in(live: Bench) -> None:
    outcome = live.run(
        "values = dbutils.jobs.taskValues\nvalues.set('rows', {'in': 5})\n"
        "dbutils.notebook.exit(values.get('first', 'rows') + values.get('first', 'none', default=1))"
    )
    assert (outcome.result, outcome.task_values) == ("4", {"rows": {"in": 5}})


def test_the_context_tells_job_run_and_user_but_no_token(live: Bench) -> None:
    outcome = live.run(
        "c = dbutils.notebook.entry_point.getDbutils().notebook().getContext()\n"
        "assert not c.apiToken().isDefined()\ndbutils.notebook.exit(c.toJson())"
    )
    tags = json.loads(str(outcome.result))["tags"]
    assert (tags["jobId"], tags["multitaskParentRunId"], tags["user"]) == ("7", "70", "me@example.com")


def test_secrets_are_readable_but_never_printed(live: Bench) -> None:
    (live.storage.root / "secrets.json").write_text('{"vault": {"key": "s3cr3t"}}')
    request = live.request("s = dbutils.secrets.get('vault', 'key')\nprint('it is', s)\ndbutils.notebook.exit(len(s))")
    assert live.run(request).result == "6"
    assert live.printed(request).startswith("it is [REDACTED]\n")
    assert "s3cr3t" not in (request.output_dir / "stdout.txt").read_text()


def test_shell_cells_run_and_pip_accepts_what_is_installed_only(live: Bench) -> None:
    request = live.request(
        "# MAGIC %sh echo hello; false"
        + CELL
        + "# MAGIC %pip install pandas>=2"
        + CELL
        + "# MAGIC %pip install nope==1"
    )
    outcome = live.run(request)
    assert [cell["status"] for cell in live.cells(request)] == ["success", "success", "failed"]
    assert live.cells(request)[0]["outputs"] == [{"type": "text", "text": "hello\n"}]
    assert "lock file" in str(outcome.error)


def test_display_keeps_a_thousand_rows(live: Bench) -> None:
    request = live.request("display(spark.range(2000))" + CELL + "displayHTML('<b>x</b>')")
    live.run(request)
    table, html = (cell["outputs"][0] for cell in live.cells(request))
    assert (len(table["rows"]), table["truncated"]) == (1000, True)
    assert html == {"type": "html", "html": "<b>x</b>"}


def test_a_missing_notebook_is_told_as_such(live: Bench) -> None:
    assert live.run(live.request_of("/nowhere/nb")).error == "NotebookFailed: Notebook not found: /nowhere/nb"


def test_sc_says_that_there_is_none(live: Bench) -> None:
    assert "there is no SparkContext" in str(live.run("sc.parallelize([1])").error)


def test_the_session_is_a_spark_session_that_libraries_find(live: Bench) -> None:
    source = (
        "from pyspark.sql import SparkSession\n"
        "dbutils.notebook.exit(isinstance(spark, SparkSession) and SparkSession.builder.getOrCreate() is spark)"
    )
    assert live.run(source).result == "True"


def test_arrow_rows_are_fetched_without_asking_for_their_schema_first(live: Bench) -> None:
    source = """
import json
asked, analyze = [], spark.client._analyze
spark.client._analyze = lambda method, **more: asked.append(method) or analyze(method, **more)
frame = spark.sql("SELECT 1 AS id, TIMESTAMP '2025-01-02 03:04:05' AS at, ARRAY('a', NULL) AS words, NULL AS none")
rows, none = frame.toArrow(), frame.limit(0).toArrow()
kinds = [[str(field.type) for field in each.schema] for each in (rows, none)]
told = [[row["id"], row["at"].isoformat(), row["words"], row["none"]] for row in rows.to_pylist()]
dbutils.notebook.exit(json.dumps([asked, kinds, told, none.num_rows]))
"""
    asked, kinds, rows, none = json.loads(str(live.run(source).result))
    assert (asked, none) == ([], 0)
    assert kinds == [["int32", "timestamp[us, tz=UTC]", "list<element: string>", "null"]] * 2
    assert rows == [[1, "2025-01-02T03:04:05+00:00", ["a", None], None]]


def test_sql_notebooks_run(live: Bench) -> None:
    source = "-- Databricks notebook source\nSELECT 1 AS one\n-- COMMAND ----------\n-- MAGIC %python\n"
    live.write("/S/nb", source + "-- MAGIC dbutils.notebook.exit(_sqldf.collect()[0].one)")
    assert live.run(live.request_of("/S/nb")).result == "1"
