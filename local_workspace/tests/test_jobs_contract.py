"""Job definitions as a client of the Jobs API sees them."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, NotImplemented, ResourceDoesNotExist
from databricks.sdk.service import jobs as sdk_jobs

from local_workspace.tests.jobs_for_tests import Jobs, chain, task
from local_workspace.tests.serving_app import Served


@pytest.fixture
def api(staged: Served) -> Jobs:
    return Jobs(staged)


def settings_of(api: Jobs, job_id: int) -> dict[str, Any]:
    settings: dict[str, Any] = api.get("get", job_id=job_id)["settings"]
    return settings


def test_a_job_is_read_back_with_the_defaults_that_the_server_adds(api: Jobs) -> None:
    job_id = api.post("create", tasks=[task("silver", "bronze"), task("bronze")])["job_id"]
    settings = settings_of(api, job_id)
    assert settings["name"] == "Untitled"
    assert settings["format"] == "MULTI_TASK"
    assert settings["max_concurrent_runs"] == 1
    assert settings["timeout_seconds"] == 0
    assert settings["queue"] == {"enabled": True}
    silver = settings["tasks"][0]
    assert silver["run_if"] == "ALL_SUCCESS"
    assert silver["notebook_task"]["source"] == "WORKSPACE"
    assert silver["depends_on"] == [{"task_key": "bronze"}]


@pytest.mark.parametrize(("version", "queued"), [("2.0", None), ("2.1", None), ("2.2", {"enabled": True})])
def test_queueing_is_on_by_default_from_version_2_2(staged: Served, version: str, queued: object) -> None:
    api = Jobs(staged, version)
    assert settings_of(api, api.post("create", tasks=chain())["job_id"]).get("queue") == queued


def test_the_pipelines_job_survives_the_sdk(staged: Served) -> None:
    created = staged.sdk.jobs.create(
        name="PetInsure360 pipeline",
        tags={"petinsure360": "pipeline"},
        parameters=[sdk_jobs.JobParameterDefinition(name="batch_id", default="{{job.run_id}}")],
        tasks=[sdk_jobs.Task.from_dict(item) for item in chain()],
        max_concurrent_runs=1,
    )
    assert created.job_id is not None
    job = staged.sdk.jobs.get(created.job_id)
    assert job.settings is not None
    assert job.settings.tags == {"petinsure360": "pipeline"}
    assert job.settings.parameters == [sdk_jobs.JobParameterDefinition(name="batch_id", default="{{job.run_id}}")]
    assert [item.task_key for item in job.settings.tasks or []] == ["bronze", "silver", "gold"]


BAD_TASKS: list[tuple[str, dict[str, Any], str]] = [
    ("a circle", {"tasks": [task("a", "b"), task("b", "a")]}, "circle"),
    ("an unknown upstream", {"tasks": [task("a", "nix")]}, "nix"),
    ("the same key twice", {"tasks": [task("a"), task("a")]}, "unique"),
    ("no task type", {"tasks": [{"task_key": "a"}]}, "exactly one task type"),
    ("a relative path", {"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "x"}}]}, "absolute"),
    ("a bad key", {"tasks": [task("a b")]}, "letters"),
    ("two computes", {"tasks": [task("a", existing_cluster_id="x", environment_key="y")]}, "more than one compute"),
    ("an undeclared job cluster", {"tasks": [task("a", job_cluster_key="x")]}, "job_clusters"),
    ("an unknown run_if", {"tasks": [task("a", run_if="SOMETIMES")]}, "ALL_SUCCESS"),
    ("an unknown reference", {"tasks": [task("a", base_parameters={"x": "{{job.naem}}"})]}, "job.naem"),
    ("retries below -1", {"tasks": [task("a", max_retries=-2)]}, "max_retries"),
    ("too many concurrent runs", {"tasks": [task("a")], "max_concurrent_runs": 1001}, "max_concurrent_runs"),
    ("an odd parameter name", {"tasks": [task("a")], "parameters": [{"name": "a b", "default": ""}]}, "'a b'"),
    ("tasks that are no list", {"tasks": "a"}, "list"),
]


@pytest.mark.parametrize(("body", "told"), [pytest.param(body, told, id=name) for name, body, told in BAD_TASKS])
def test_a_bad_definition_is_refused_with_the_reason(api: Jobs, body: dict[str, Any], told: str) -> None:
    refused = api.post("create", 400, **body)
    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"
    assert told in refused["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"tasks": [{"task_key": "a", "spark_jar_task": {"main_class_name": "x"}}]},
        {"tasks": [task("a")], "schedule": {"quartz_cron_expression": "0 0 1 * * ?", "timezone_id": "UTC"}},
        {"tasks": [task("a")], "git_source": {"git_url": "https://example.org", "git_provider": "gitHub"}},
    ],
)
def test_what_is_not_served_is_said_and_not_kept(api: Jobs, body: dict[str, Any]) -> None:
    refused = api.post("create", 501, **body)
    assert "not supported by the local workspace" in refused["message"]
    assert "jobs" not in api.get("list")


def test_an_unserved_task_type_is_not_implemented_for_the_sdk(staged: Served) -> None:
    run_job = sdk_jobs.Task(task_key="a", run_job_task=sdk_jobs.RunJobTask(job_id=1))
    with pytest.raises(NotImplemented):
        staged.sdk.jobs.create(tasks=[run_job])


def test_jobs_are_listed_newest_first_and_paged(api: Jobs, staged: Served) -> None:
    made = [api.post("create", name=f"job {number}", tasks=chain())["job_id"] for number in range(5)]
    first = api.get("list", limit=2)
    assert [job["job_id"] for job in first["jobs"]] == made[:2:-1]
    assert "tasks" not in first["jobs"][0]["settings"]
    assert [job.job_id for job in staged.sdk.jobs.list(limit=2, expand_tasks=True)] == made[::-1]
    api.get("list", 400, limit=101)


def test_the_name_filter_is_exact_but_for_case(api: Jobs) -> None:
    job_id = api.post("create", name="Straße PIPELINE", tasks=chain())["job_id"]
    api.post("create", name="pipeline", tasks=chain())
    assert [job["job_id"] for job in api.get("list", name="straße pipeline")["jobs"]] == [job_id]
    assert "jobs" not in api.get("list", name="pipe")


def test_update_merges_tasks_by_key_and_removes_fields(api: Jobs) -> None:
    job_id = api.post("create", name="n", tags={"a": "b"}, tasks=chain())["job_id"]
    changed = task("gold", "silver", max_retries=3)
    remove = ["tags", "tasks/silver"]
    refused = api.post("update", 400, job_id=job_id, new_settings={"tasks": [changed]}, fields_to_remove=remove)
    assert "silver" in refused["message"]
    changed = task("gold", "bronze", max_retries=3)
    api.post("update", job_id=job_id, new_settings={"tasks": [changed]}, fields_to_remove=remove)
    settings = settings_of(api, job_id)
    assert [item["task_key"] for item in settings["tasks"]] == ["bronze", "gold"]
    assert settings["tasks"][1]["max_retries"] == 3
    assert "tags" not in settings
    assert settings["name"] == "n"


def test_reset_replaces_everything_but_run_as(api: Jobs) -> None:
    job_id = api.post("create", name="n", tags={"a": "b"}, run_as={"user_name": "me"}, tasks=chain())["job_id"]
    api.post("reset", job_id=job_id, new_settings={"name": "m", "tasks": [task("bronze")]})
    settings = settings_of(api, job_id)
    assert (settings["name"], settings["run_as"]) == ("m", {"user_name": "me"})
    assert "tags" not in settings
    assert len(settings["tasks"]) == 1


def test_a_deleted_job_is_gone_and_its_runs_stay(staged: Served, api: Jobs) -> None:
    job_id = api.create([task("bronze")])
    run_id = api.run(job_id)
    api.ended(run_id)
    staged.sdk.jobs.delete(job_id)
    with pytest.raises(ResourceDoesNotExist):
        staged.sdk.jobs.get(job_id)
    with pytest.raises(InvalidParameterValue):
        staged.sdk.jobs.delete(job_id)
    assert api.read(run_id)["run_id"] == run_id


def test_a_single_task_job_in_the_old_shape_is_kept_as_one_task(staged: Served) -> None:
    api = Jobs(staged, "2.0")
    job_id = api.post("create", name="old", notebook_task={"notebook_path": "/nb/one"})["job_id"]
    assert [item["task_key"] for item in settings_of(api, job_id)["tasks"]] == ["main"]


def test_more_than_a_hundred_tasks_are_paged(staged: Served, api: Jobs) -> None:
    job_id = api.post("create", tasks=[task(f"t{number}") for number in range(150)])["job_id"]
    assert len(settings_of(api, job_id)["tasks"]) == 100
    job = staged.sdk.jobs.get(job_id)
    assert job.settings is not None
    assert len(job.settings.tasks or []) == 150


def test_json_under_any_content_type_is_read(staged: Served) -> None:
    body = '{"name": "legacy", "tasks": []}'
    answer = staged.http.post("/api/2.1/jobs/create", content=body, headers={"Content-Type": "text/json"})
    assert answer.status_code == 200
    broken = staged.http.post("/api/2.1/jobs/create", content="{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["error_code"]) == (400, "MALFORMED_REQUEST")
