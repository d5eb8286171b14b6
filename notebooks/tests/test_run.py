"""Parameters, progress and the exit value."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from medallion.run import ParameterError, from_notebook, from_parameters

GIVEN = {"batch_id": "1", "as_of": "2025-07-31"}
NOTEBOOKS = Path(__file__).parents[1]


class NoFiles:
    def head(self, path, max_bytes):
        return {"/ids.json": '["CLM-1", "CLM-2"]', "/text.json": "CLM-1", "/object.json": '{"a": 1}'}[path]


def _run(**given):
    return from_parameters(None, NoFiles(), GIVEN | given)


def test_an_empty_claim_list_means_everything():
    assert _run(claim_ids=" ").claim_ids is None


def test_claim_ids_come_inline_and_from_a_file():
    assert _run(claim_ids="CLM-3, CLM-1", claim_ids_path="/ids.json").claim_ids == {"CLM-1", "CLM-2", "CLM-3"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"claim_ids": "CLM-1,-bad"}, "claim_ids: '-bad'"),
        ({"claim_ids_path": "/text.json"}, "not JSON"),
        ({"claim_ids_path": "/object.json"}, "a JSON array"),
        ({"claim_ids": ",".join(f"C{n}" for n in range(10_001))}, "at most 10000"),
        ({"as_of": "yesterday"}, "as_of 'yesterday'"),
        ({"batch_id": ""}, "batch_id is empty"),
        ({"batch_id": "{{job.run_id}}"}, "batch_id is empty"),
        ({"max_reject_share": "1.5"}, "max_reject_share '1.5'"),
        ({"max_reject_share": "half"}, "max_reject_share 'half'"),
        ({"batch_id": "1' OR '1'='1"}, "a run id is expected"),
        ({"catalog": "a; DROP"}, "catalog 'a; DROP'"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(given, words):
    with pytest.raises(ParameterError, match=words.replace("(", r"\(")):
        _run(**given)


class Utils:
    """`dbutils` of a job that passes `given` and has a notebook context with `document`, or shows none."""

    def __init__(self, given, document=None, method="toJson"):
        texts = {}
        self.fs = NoFiles()
        self.widgets = SimpleNamespace(
            text=lambda name, default: texts.setdefault(name, given.get(name, default)), get=texts.__getitem__
        )
        self._context = SimpleNamespace(**{method: lambda: json.dumps(document)}) if document else None
        self.notebook = SimpleNamespace(entry_point=self, getContext=lambda: self._context)

    def getDbutils(self):
        return SimpleNamespace(notebook=lambda: self.notebook)


CONTEXTS = [
    ({"tags": {"multitaskParentRunId": "7", "runId": "8", "taskKey": "mine"}}, "toJson", ("7", "mine")),
    ({"tags": {"jobId": "1", "runId": "8"}}, "toJson", ("8", "bronze_ingestion")),
    ({"attributes": {"currentRunId": "9"}}, "safeToJson", ("9", "bronze_ingestion")),
]


@pytest.mark.parametrize("given", [{}, {"batch_id": "{{job.run_id}}", "as_of": "{{x}}", "task_key": "{{task.name}}"}])
@pytest.mark.parametrize(("document", "method", "wanted"), CONTEXTS)
def test_a_job_that_passes_nothing_is_named_by_the_notebooks_context(given, document, method, wanted):
    run = from_notebook(None, Utils(given, document, method), "bronze_ingestion")
    assert (run.batch_id, run.task_key) == wanted
    assert run.told_as_of is None


def test_what_the_job_passes_wins_over_the_context():
    context = {"tags": {"multitaskParentRunId": "7", "taskKey": "mine"}}
    run = from_notebook(None, Utils(GIVEN | {"task_key": "told"}, context), "bronze_ingestion")
    assert (run.batch_id, run.task_key, run.as_of.isoformat()) == ("1", "told", "2025-07-31")


def test_a_notebook_by_hand_without_any_run_is_told_to_pass_one():
    with pytest.raises(ParameterError, match="batch_id is empty"):
        from_notebook(None, Utils({}), "bronze_ingestion")


def test_figures_are_valued_at_the_newest_file_when_no_day_is_told(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(), make.claim("LATE", service_date="2025-03-13")])
    for n, file in enumerate(sorted(file for file in workspace.landing.rglob("*") if file.is_file())):
        os.utime(file, (1_741_737_600 - n, 1_741_737_600 - n))  # 2025-03-12
    workspace.run_all(as_of="{{job.start_time.iso_date}}")
    assert [row["claim_id"] for row in workspace.rows("gold.claims_analytics")] == ["CLM-1"]
    assert {row["as_of"].isoformat() for row in workspace.rows("gold.monthly_kpis")} == {"2025-03-12"}


@pytest.mark.parametrize("layer", ["bronze", "silver", "gold"])
def test_progress_grows_to_its_constant_total(workspace, make, layer):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim()])
    written = []
    put = workspace.files.put

    def recording_put(path, contents, overwrite):
        if "/progress/" in path:
            written.append((path, json.loads(contents)))
        return put(path, contents, overwrite)

    workspace.files.put = recording_put
    for name in ("bronze", "silver", "gold"):
        written.clear()
        workspace.run(name)
        if name == layer:
            break
    assert {path for path, _ in written} == {f"{workspace.root}/control/progress/run-{workspace.runs}/{layer}.json"}
    done = [step["done"] for _, step in written]
    assert done == sorted(done)
    assert done[0] == 0
    assert {step["total"] for _, step in written} == {done[-1]}
    assert written[-1][1] == {"done": done[-1], "total": done[-1], "step": "done", "at": "2025-08-01T00:00:00.000Z"}


def test_a_control_folder_that_cannot_be_written_is_a_warning(workspace):
    (workspace.root / "control").write_text("a file is in the way")
    result = workspace.run("bronze")
    assert result.warnings[0].startswith("progress could not be written")


def test_the_exit_value_names_tables_with_versions(workspace, make):
    workspace.land_book()
    workspace.land("claims/a.jsonl", [make.claim(), make.claim("CLM-2", claim_amount="x")])
    workspace.run("bronze")
    told = json.loads(workspace.run("silver").to_json())
    claims = next(t for t in told["tables"] if t["name"] == f"{workspace.catalog}.silver.claims")
    assert claims == {
        "name": f"{workspace.catalog}.silver.claims",
        "version_before": None,
        "version_after": 0,
        "rows_in": 2,
        "rows_out": 1,
        "rows_quarantined": 1,
        "rows": 1,
    }
    assert told["layer"] == "silver"
    assert {"rule": "claim_amount_is_money", "severity": "reject", "failed": 1} in told["quality"]
    assert [table["version_after"] for table in told["tables"]] == [
        workspace.version(table["name"]) for table in told["tables"]
    ]


@pytest.mark.parametrize("name", ["01_bronze_ingestion", "02_silver_transformations", "03_gold_aggregations"])
def test_notebooks_are_in_databricks_source_format_and_thin(name):
    source = (NOTEBOOKS / f"{name}.py").read_text()
    assert source.startswith("# Databricks notebook source\n# MAGIC %md\n")
    assert source.count("# COMMAND ----------") == 3
    assert len(source.splitlines()) < 30
    assert source.rstrip().endswith("dbutils.notebook.exit(result.to_json())")
