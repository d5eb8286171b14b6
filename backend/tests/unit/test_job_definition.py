"""The one job definition, as the settings that jobs/create gets."""

from __future__ import annotations

from app.checkout import CHECKOUT
from app.domain.layers import NOTEBOOKS, TASK_KEYS
from app.services.job_definition import job_settings
from app.services.targets import JOB_TAG, Parameters

DEFINITION = CHECKOUT / "resources" / "medallion.job.yml"


def test_the_job_has_our_tasks_in_order_each_with_its_notebook_and_cluster() -> None:
    settings = job_settings(DEFINITION, notebook_root="/Root", cluster_id="c-1", parameters={})
    assert [task["task_key"] for task in settings["tasks"]] == list(TASK_KEYS)
    paths = {task["task_key"]: task["notebook_task"]["notebook_path"] for task in settings["tasks"]}
    assert paths == {key: f"/Root/{NOTEBOOKS[key]}" for key in TASK_KEYS}
    assert {task["existing_cluster_id"] for task in settings["tasks"]} == {"c-1"}
    assert settings["max_concurrent_runs"] == 1
    assert settings["queue"] == {"enabled": True}
    assert JOB_TAG in settings["tags"].items()


def test_without_a_cluster_the_tasks_are_serverless() -> None:
    settings = job_settings(DEFINITION, notebook_root="/Root", cluster_id=None, parameters={})
    assert not any("existing_cluster_id" in task for task in settings["tasks"])


def test_the_job_declares_every_parameter_that_a_click_sends() -> None:
    settings = job_settings(DEFINITION, notebook_root="/Root", cluster_id=None, parameters={"catalog": "other"})
    declared = {one["name"]: one["default"] for one in settings["parameters"]}
    sent = Parameters(catalog="c", landing_path="/l", control_path="/k").of("id", claim_ids="", claim_ids_path="")
    assert set(sent) <= set(declared)
    assert declared["catalog"] == "other"
    assert declared["batch_id"] == "{{job.run_id}}"
