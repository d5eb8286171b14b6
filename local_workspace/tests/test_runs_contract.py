"""Runs as a client of the Jobs API sees them; the notebooks are played by the test."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from databricks.sdk.errors import InvalidParameterValue, OperationFailed, ResourceDoesNotExist
from databricks.sdk.service import jobs as sdk_jobs

from local_workspace.engine.tasks import TaskOutcome, TaskRequest
from local_workspace.tests.jobs_for_tests import Jobs, chain, final, put_notebook, results, task, tasks_of
from local_workspace.tests.serving_app import Served, workspace
from local_workspace.tests.stages import Stage, fail, held, in_turn
from local_workspace.tests.waiting import until


@pytest.fixture
def api(staged: Served) -> Jobs:
    return Jobs(staged)


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


def test_a_run_of_three_tasks_succeeds_in_order(api: Jobs, stage: Stage) -> None:
    run = api.ended(api.run(api.create(chain())))
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert run["status"]["termination_details"]["code"] == "SUCCESS"
    assert [request.context.task_key for request in stage.requests] == ["bronze", "silver", "gold"]
    assert set(results(run).values()) == {"SUCCESS"}
    assert run["run_duration"] == run["end_time"] - run["start_time"]
    for item in run["tasks"]:
        assert item["end_time"] - item["start_time"] == item["setup_duration"] + item["execution_duration"]


def test_ids_are_json_numbers_that_javascript_keeps(api: Jobs) -> None:
    run = api.ended(api.run(api.create(chain())))
    for number in (run["job_id"], run["run_id"], *(item["run_id"] for item in run["tasks"])):
        assert isinstance(number, int)
        assert 0 < number < 2**53


def test_a_failed_task_makes_the_run_internal_error_and_skips_what_depends_on_it(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/silver"] = fail
    run = api.ended(api.run(api.create(chain())))
    assert final(run) == ("INTERNAL_ERROR", "FAILED")
    assert run["status"] == {
        "state": "TERMINATED",
        "termination_details": {
            "code": "RUN_EXECUTION_ERROR",
            "type": "CLIENT_ERROR",
            "message": "Task silver failed with message: Workload failed, see run output for details.",
        },
    }
    tasks = tasks_of(run)
    assert tasks["silver"]["state"]["life_cycle_state"] == "TERMINATED"
    assert tasks["gold"]["state"]["life_cycle_state"] == "SKIPPED"
    assert tasks["gold"]["start_time"] == 0
    assert results(run) == {"bronze": "SUCCESS", "silver": "FAILED", "gold": "UPSTREAM_FAILED"}


def test_the_sdk_waiter_raises_on_a_failed_run(staged: Served, api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = fail
    job_id = api.create(chain())
    with pytest.raises(OperationFailed):
        staged.sdk.jobs.run_now(job_id).result()


def test_the_output_tells_the_result_or_the_error(api: Jobs, staged: Served, stage: Stage) -> None:
    stage.parts["/nb/silver"] = fail
    run = api.ended(api.run(api.create(chain())))
    bronze = staged.sdk.jobs.get_run_output(tasks_of(run)["bronze"]["run_id"])
    assert bronze.notebook_output is not None
    assert bronze.notebook_output.result == '{"task": "bronze"}'
    silver = api.get("runs/get-output", run_id=tasks_of(run)["silver"]["run_id"])
    assert silver["error"] == "ValueError: no such claim"
    assert silver["error_trace"].startswith("Traceback")
    assert silver["notebook_output"] == {}
    assert silver["metadata"]["parent_run_id"] == run["run_id"]


def test_the_output_of_a_whole_run_is_refused_in_databricks_words(api: Jobs) -> None:
    run = api.ended(api.run(api.create([task("bronze")])))
    refused = api.get("runs/get-output", 400, run_id=run["run_id"])
    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"
    assert refused["message"].startswith("Retrieving the output of runs with multiple tasks is not supported.")


def test_a_running_task_shows_running_and_its_successor_blocked(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    run_id = api.run(api.create(chain()))
    api.until_task(run_id, "bronze", "RUNNING")
    run = api.read(run_id)
    assert run["state"]["life_cycle_state"] == "RUNNING"
    assert run["end_time"] == 0
    assert tasks_of(run)["silver"]["status"]["state"] == "BLOCKED"
    assert "notebook_output" not in api.get("runs/get-output", run_id=tasks_of(run)["bronze"]["run_id"])
    gate.set()
    assert final(api.ended(run_id)) == ("TERMINATED", "SUCCESS")


def test_the_start_of_compute_is_shown_as_waiting_for_cluster(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.start_gate = gate
    run_id = api.run(api.create(chain()))
    bronze = api.until_task(run_id, "bronze", "PENDING")
    assert bronze["state"]["state_message"] == "Waiting for cluster"
    assert api.read(run_id)["state"]["life_cycle_state"] == "PENDING"
    gate.set()
    assert final(api.ended(run_id)) == ("TERMINATED", "SUCCESS")


def test_only_picks_tasks_and_leaves_the_others_out(api: Jobs, stage: Stage) -> None:
    job_id = api.create(chain())
    run = api.ended(api.run(job_id, only=["silver"]))
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert results(run) == {"bronze": "DISABLED", "silver": "SUCCESS", "gold": "DISABLED"}
    api.ended(api.run(job_id, only=["+silver"]))
    api.ended(api.run(job_id, only=["silver+"]))
    ran = [request.context.task_key for request in stage.requests]
    assert ran == ["silver", "bronze", "silver", "silver", "gold"]
    assert "'nix'" in api.post("run-now", 400, job_id=job_id, only=["nix"])["message"]


def test_the_same_token_is_the_same_run_also_after_its_end(api: Jobs, stage: Stage) -> None:
    job_id = api.create(chain())
    first = api.run(job_id, idempotency_token="click-1")
    assert api.run(job_id, idempotency_token="click-1") == first
    api.ended(first)
    assert api.run(job_id, idempotency_token="click-1") == first
    assert api.run(job_id, idempotency_token="click-2") != first
    api.post("run-now", 400, job_id=job_id, idempotency_token="x" * 65)


def test_the_token_of_a_deleted_run_is_an_error(api: Jobs) -> None:
    job_id = api.create([task("bronze")])
    run_id = api.run(job_id, idempotency_token="click-1")
    api.ended(run_id)
    api.post("runs/delete", run_id=run_id)
    assert "deleted" in api.post("run-now", 400, job_id=job_id, idempotency_token="click-1")["message"]


def test_job_parameters_win_over_base_parameters_and_references_are_resolved(api: Jobs, stage: Stage) -> None:
    base = {"task_key": "{{task.name}}", "shared": "from the task", "mine": "{{job.parameters.catalog}}"}
    parameters = [
        {"name": "catalog", "default": "petinsure360"},
        {"name": "batch_id", "default": "{{job.run_id}}"},
        {"name": "as_of", "default": "{{job.start_time.iso_date}}"},
        {"name": "shared", "default": "from the job"},
    ]
    job_id = api.create([task("bronze", base_parameters=base)], parameters=parameters)
    run = api.ended(api.run(job_id, job_parameters={"catalog": "other", "claim_ids": "CLM-1"}))
    given = stage.requests[0].parameters
    assert given["task_key"] == "bronze"
    assert given["catalog"] == given["mine"] == "other"
    assert given["batch_id"] == str(run["run_id"])
    assert len(given["as_of"]) == 10
    assert given["shared"] == "from the job"
    assert given["claim_ids"] == "CLM-1"
    shown = {item["name"]: item for item in run["job_parameters"]}
    assert shown["catalog"] == {"name": "catalog", "default": "petinsure360", "value": "other"}
    assert shown["batch_id"]["value"] == str(run["run_id"])


def test_notebook_params_win_over_base_parameters(api: Jobs, stage: Stage) -> None:
    job_id = api.create([task("bronze", base_parameters={"a": "1", "b": "2"})])
    run = api.ended(api.run(job_id, notebook_params={"b": "3"}))
    assert stage.requests[0].parameters == {"a": "1", "b": "3"}
    assert run["overriding_parameters"] == {"notebook_params": {"b": "3"}}


def test_references_in_notebook_params_are_resolved_also_for_a_job_without_parameters(api: Jobs, stage: Stage) -> None:
    given = {"batch_id": "{{job.run_id}}", "as_of": "{{job.start_time.iso_date}}", "task": "{{task.name}}"}
    run = api.ended(api.run(api.create([task("bronze")]), notebook_params=given))
    started = datetime.fromtimestamp(run["start_time"] / 1000, UTC)
    told = {"batch_id": str(run["run_id"]), "as_of": started.date().isoformat(), "task": "bronze"}
    assert stage.requests[0].parameters == told


def test_task_values_reach_later_tasks_and_their_parameters(api: Jobs, stage: Stage) -> None:
    async def sets(_request: TaskRequest) -> TaskOutcome:
        return TaskOutcome("success", task_values={"rows": 3})

    stage.parts["/nb/bronze"] = sets
    base = {"rows": "{{tasks.bronze.values.rows}}", "was": "{{tasks.bronze.result_state}}"}
    api.ended(api.run(api.create([task("bronze"), task("silver", "bronze", base_parameters=base)])))
    silver = stage.seen("/nb/silver")[0]
    assert silver.parameters == {"rows": "3", "was": "success"}
    assert silver.task_values == {"bronze": {"rows": 3}}


def test_a_missing_notebook_fails_its_task_before_any_code_ran(api: Jobs, stage: Stage) -> None:
    job_id = api.post("create", tasks=[task("nowhere")])["job_id"]
    run = api.ended(api.run(job_id))
    nowhere = tasks_of(run)["nowhere"]
    assert nowhere["state"]["life_cycle_state"] == "INTERNAL_ERROR"
    assert nowhere["status"]["termination_details"]["code"] == "RESOURCE_NOT_FOUND"
    assert not stage.requests


def test_an_unknown_cluster_fails_the_task_with_its_reason(api: Jobs) -> None:
    run = api.ended(api.run(api.create([task("bronze", existing_cluster_id="0101-nope")])))
    details = tasks_of(run)["bronze"]["status"]["termination_details"]
    assert details["code"] == "INVALID_CLUSTER_REQUEST"
    assert "0101-nope does not exist" in details["message"]


def test_cancel_ends_as_canceled_only_after_the_worker_is_dead(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    run_id = api.run(api.create(chain()))
    api.until_task(run_id, "bronze", "RUNNING")
    api.post("runs/cancel", run_id=run_id)
    run = api.ended(run_id)
    assert stage.killed == ["bronze"]
    assert final(run) == ("TERMINATED", "CANCELED")
    assert run["state"]["user_cancelled_or_timedout"] is True
    assert run["status"]["termination_details"]["code"] == "USER_CANCELED"
    assert results(run) == {"bronze": "CANCELED", "silver": "UPSTREAM_CANCELED", "gold": "UPSTREAM_CANCELED"}
    api.post("runs/cancel", run_id=run_id)
    assert final(api.read(run_id)) == ("TERMINATED", "CANCELED")


def test_a_finished_run_keeps_its_outcome_when_it_is_canceled(api: Jobs) -> None:
    run_id = api.run(api.create([task("bronze")]))
    before = api.ended(run_id)
    api.post("runs/cancel", run_id=run_id)
    assert api.read(run_id) == before


def test_a_task_that_handles_failure_still_runs_after_a_cancel(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    run_id = api.run(api.create([task("bronze"), task("clean_up", "bronze", run_if="ALL_DONE")]))
    api.until_task(run_id, "bronze", "RUNNING")
    api.post("runs/cancel", run_id=run_id)
    run = api.ended(run_id)
    assert results(run) == {"bronze": "CANCELED", "clean_up": "SUCCESS"}
    assert final(run) == ("TERMINATED", "CANCELED")


def test_a_second_run_of_a_job_waits_in_the_queue_and_then_runs(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    job_id = api.create([task("bronze")])
    first = api.run(job_id)
    api.until_task(first, "bronze", "RUNNING")
    second = api.run(job_id)
    waiting = api.read(second)
    assert waiting["state"]["life_cycle_state"] == "QUEUED"
    assert waiting["state"]["queue_reason"] == "Queued due to reaching maximum concurrent runs of 1."
    assert waiting["status"]["queue_details"]["code"] == "MAX_CONCURRENT_RUNS_REACHED"
    assert len(api.get("runs/list", active_only="true", job_id=job_id)["runs"]) == 2
    gate.set()
    assert final(api.ended(second)) == ("TERMINATED", "SUCCESS")


def test_without_a_queue_a_run_too_many_is_skipped(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    job_id = api.create([task("bronze")], queue={"enabled": False})
    first = api.run(job_id)
    skipped = api.read(api.run(job_id))
    gate.set()
    assert skipped["state"]["life_cycle_state"] == "SKIPPED"
    assert (
        skipped["state"]["state_message"]
        == "Skipping this run because the limit of 1 maximum concurrent runs has been reached."
    )
    assert final(api.ended(first)) == ("TERMINATED", "SUCCESS")


def test_a_queued_run_can_be_canceled(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    job_id = api.create([task("bronze")])
    first, second = api.run(job_id), api.run(job_id)
    api.post("runs/cancel", run_id=second)
    assert final(api.read(second)) == ("TERMINATED", "CANCELED")
    gate.set()
    api.ended(first)
    assert len(stage.requests) == 1


def test_cancel_all_cancels_running_and_queued_runs(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    job_id = api.create([task("bronze")])
    runs = [api.run(job_id) for _ in range(3)]
    api.post("runs/cancel-all", job_id=job_id)
    assert {final(api.ended(run_id)) for run_id in runs} == {("TERMINATED", "CANCELED")}


def test_retries_are_attempts_with_run_ids_of_their_own(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = in_turn(fail, fail, held(_open()))
    run = api.ended(api.run(api.create([task("bronze", max_retries=2)])))
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert [item["attempt_number"] for item in run["tasks"]] == [0, 1, 2]
    assert len({item["run_id"] for item in run["tasks"]}) == 3
    latest = api.read(run["run_id"], only_latest="true")
    assert [item["attempt_number"] for item in latest["tasks"]] == [2]


def test_retries_end_when_they_are_used_up(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = fail
    run = api.ended(api.run(api.create([task("bronze", max_retries=1)])))
    assert final(run) == ("INTERNAL_ERROR", "FAILED")
    assert len(run["tasks"]) == 2


def test_a_task_waits_for_its_retry_and_can_be_canceled_there(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = fail
    run_id = api.run(api.create([task("bronze", max_retries=1, min_retry_interval_millis=3_600_000)]))
    waiting = api.until_task(run_id, "bronze", "WAITING_FOR_RETRY")
    assert waiting["status"]["state"] == "WAITING"
    api.post("runs/cancel", run_id=run_id)
    assert final(api.ended(run_id)) == ("TERMINATED", "CANCELED")


def test_a_task_that_takes_too_long_is_timed_out(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    run = api.ended(api.run(api.create([task("bronze", timeout_seconds=1), task("silver", "bronze")])))
    assert stage.killed == ["bronze"]
    assert results(run) == {"bronze": "TIMEDOUT", "silver": "UPSTREAM_FAILED"}


def test_a_run_that_takes_too_long_is_timed_out(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    run = api.ended(api.run(api.create(chain(), timeout_seconds=1)))
    assert final(run) == ("TERMINATED", "TIMEDOUT")
    assert stage.killed == ["bronze"]


def test_run_if_decides_and_the_leaves_give_the_result(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = fail
    tasks = [
        task("bronze"),
        task("on_failure", "bronze", run_if="AT_LEAST_ONE_FAILED"),
        task("always", "on_failure", run_if="ALL_DONE"),
    ]
    run = api.ended(api.run(api.create(tasks)))
    assert results(run) == {"bronze": "FAILED", "on_failure": "SUCCESS", "always": "SUCCESS"}
    assert final(run) == ("TERMINATED", "SUCCESS_WITH_FAILURES")


def test_a_failure_handler_is_excluded_when_nothing_failed(api: Jobs) -> None:
    tasks = [task("bronze"), task("on_failure", "bronze", run_if="AT_LEAST_ONE_FAILED")]
    run = api.ended(api.run(api.create(tasks)))
    assert results(run) == {"bronze": "SUCCESS", "on_failure": "EXCLUDED"}
    assert final(run) == ("TERMINATED", "SUCCESS")


def test_repair_reruns_what_failed_under_the_same_run_id(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/silver"] = in_turn(fail, held(_open()))
    run_id = api.run(api.create(chain()))
    assert api.ended(run_id)["state"]["result_state"] == "FAILED"
    repair_id = api.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)["repair_id"]
    run = api.ended(run_id)
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert [request.context.task_key for request in stage.requests] == ["bronze", "silver", "silver", "gold"]
    assert [item["attempt_number"] for item in run["tasks"] if item["task_key"] == "silver"] == [0, 1]
    history = api.read(run_id, include_history="true")["repair_history"]
    assert [item["type"] for item in history] == ["ORIGINAL", "REPAIR"]
    assert "id" not in history[0]
    assert history[1]["id"] == repair_id
    assert history[0]["state"]["result_state"] == "FAILED"
    assert history[1]["state"]["result_state"] == "SUCCESS"


def test_a_repaired_run_is_active_as_soon_as_the_repair_is_answered(
    api: Jobs, stage: Stage, gate: threading.Event
) -> None:
    stage.parts["/nb/bronze"] = in_turn(fail, held(gate))
    run_id = api.run(api.create([task("bronze")]))
    api.ended(run_id)
    api.post("runs/repair", run_id=run_id, rerun_tasks=["bronze"])
    run = api.read(run_id)
    assert run["state"]["life_cycle_state"] in ("PENDING", "RUNNING")
    assert run["end_time"] == 0
    assert "INVALID_STATE" in api.post("runs/repair", 400, run_id=run_id, rerun_tasks=["bronze"])["error_code"]
    gate.set()
    assert final(api.ended(run_id)) == ("TERMINATED", "SUCCESS")


def test_the_second_repair_must_name_the_first(api: Jobs, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = fail
    run_id = api.run(api.create([task("bronze")]))
    api.ended(run_id)
    first = api.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)["repair_id"]
    api.ended(run_id)
    api.post("runs/repair", 400, run_id=run_id, rerun_all_failed_tasks=True)
    api.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True, latest_repair_id=first)
    assert len(api.ended(run_id)["tasks"]) == 3


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_a_single_task_submit_in_the_old_shape_runs(staged: Served, stage: Stage, version: str) -> None:
    put_notebook(staged.sdk, "/nb/one")
    api = Jobs(staged, version)
    notebook = {"notebook_path": "/nb/one", "base_parameters": {"run": "{{job.run_id}}"}}
    run_id = api.post("runs/submit", run_name="old", notebook_task=notebook, idempotency_token="t")["run_id"]
    run = api.ended(run_id)
    assert (run["run_type"], run["run_name"], len(run["tasks"])) == ("SUBMIT_RUN", "old", 1)
    assert api.get("runs/get-output", run_id=run_id)["notebook_output"]["result"] == '{"task": "main"}'
    assert stage.requests[0].parameters == {"run": str(run_id)}
    assert api.post("runs/submit", run_name="old", notebook_task=notebook, idempotency_token="t")["run_id"] == run_id


def test_submitted_tasks_run_without_a_job(staged: Served, api: Jobs) -> None:
    for key in ("bronze", "silver"):
        put_notebook(staged.sdk, f"/nb/{key}")
    submitted = staged.sdk.jobs.submit(
        run_name="notebooks",
        tasks=[sdk_jobs.SubmitTask.from_dict(task("bronze")), sdk_jobs.SubmitTask.from_dict(task("silver", "bronze"))],
    ).result()
    assert submitted.state is not None
    assert submitted.state.result_state == sdk_jobs.RunResultState.SUCCESS
    assert submitted.run_type == sdk_jobs.RunType.SUBMIT_RUN
    assert "jobs" not in api.get("list")


def test_runs_are_listed_newest_first_and_paged_both_ways(api: Jobs, staged: Served) -> None:
    job_id = api.create([task("bronze")], max_concurrent_runs=10)
    runs = [api.run(job_id) for _ in range(5)]
    for run_id in runs:
        api.ended(run_id)
    first = api.get("runs/list", job_id=job_id, limit=2)
    second = api.get("runs/list", job_id=job_id, limit=2, page_token=first["next_page_token"])
    third = api.get("runs/list", job_id=job_id, limit=2, page_token=second["next_page_token"])
    shown = [item["run_id"] for page in (first, second, third) for item in page["runs"]]
    assert shown == runs[::-1]
    assert "next_page_token" not in third
    assert "prev_page_token" not in first
    assert "tasks" not in first["runs"][0]
    back = api.get("runs/list", job_id=job_id, limit=2, page_token=second["prev_page_token"])
    assert [item["run_id"] for item in back["runs"]] == [item["run_id"] for item in first["runs"]]
    listed = list(staged.sdk.jobs.list_runs(job_id=job_id, expand_tasks=True, limit=2))
    assert [run.run_id for run in listed] == runs[::-1]
    assert all(run.tasks and len(run.tasks) == 1 for run in listed)


def test_runs_are_filtered(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/slow"] = held(gate)
    quick, slow = api.create([task("quick")]), api.create([task("slow")])
    done, running = api.run(quick), api.run(slow)
    api.ended(done)
    assert [item["run_id"] for item in api.get("runs/list", active_only="true")["runs"]] == [running]
    assert [item["run_id"] for item in api.get("runs/list", completed_only="true")["runs"]] == [done]
    start = api.read(running)["start_time"]
    assert "runs" not in api.get("runs/list", start_time_to=start - 3_600_000)
    assert [item["run_id"] for item in api.get("runs/list", job_id=slow, start_time_from=start)["runs"]] == [running]
    api.get("runs/list", 400, active_only="true", completed_only="true")
    api.get("runs/list", 400, limit=26)
    api.get("runs/list", 400, page_token="nonsense")
    gate.set()
    api.ended(running)


def test_more_than_a_hundred_tasks_are_paged_and_the_sdk_reads_them_all(api: Jobs, staged: Served) -> None:
    put_notebook(staged.sdk, "/nb/same")
    many = [task("same") | {"task_key": f"t{number}"} for number in range(103)]
    run_id = api.run(int(api.post("create", tasks=many)["job_id"]))
    api.ended(run_id)
    assert len(api.read(run_id)["tasks"]) == 100
    run = staged.sdk.jobs.get_run(run_id)
    assert run.tasks is not None
    assert len({item.task_key for item in run.tasks}) == 103


def test_a_task_run_can_be_read_by_its_own_id(api: Jobs) -> None:
    run = api.ended(api.run(api.create(chain())))
    silver = tasks_of(run)["silver"]
    alone = api.read(silver["run_id"])
    assert (alone["parent_run_id"], alone["task_key"], alone["job_run_id"]) == (run["run_id"], "silver", run["run_id"])
    assert [item["run_id"] for item in alone["tasks"]] == [silver["run_id"]]


def test_unknown_runs_and_jobs_are_not_found_for_the_sdk(staged: Served) -> None:
    with pytest.raises(ResourceDoesNotExist):
        staged.sdk.jobs.get_run(1)
    with pytest.raises(ResourceDoesNotExist):
        staged.sdk.jobs.get(1)
    with pytest.raises(InvalidParameterValue):
        staged.sdk.jobs.run_now(1)


def test_an_active_run_cannot_be_deleted_a_finished_one_can(api: Jobs, stage: Stage, gate: threading.Event) -> None:
    stage.parts["/nb/bronze"] = held(gate)
    run_id = api.run(api.create([task("bronze")]))
    api.post("runs/delete", 400, run_id=run_id)
    gate.set()
    api.ended(run_id)
    api.post("runs/delete", run_id=run_id)
    api.get("runs/get", 400, run_id=run_id)


def test_ids_may_come_as_strings_and_parameters_in_the_body_of_a_get(api: Jobs, staged: Served) -> None:
    run_id = api.run(str(api.create([task("bronze")])))  # type: ignore[arg-type]
    api.ended(run_id)
    answer = staged.http.request("GET", "/api/2.1/jobs/runs/get", json={"run_id": str(run_id)})
    assert answer.json()["run_id"] == run_id


def test_a_crashed_worker_fails_the_task_honestly(api: Jobs, stage: Stage) -> None:
    async def crash(_request: TaskRequest) -> TaskOutcome:
        return TaskOutcome("crashed", error="The worker was killed by signal SIGKILL.")

    stage.parts["/nb/bronze"] = crash
    run = api.ended(api.run(api.create([task("bronze")])))
    bronze = tasks_of(run)["bronze"]
    assert (bronze["state"]["life_cycle_state"], bronze["state"]["result_state"]) == ("INTERNAL_ERROR", "FAILED")
    assert "SIGKILL" in bronze["state"]["state_message"]


def test_active_runs_end_honestly_over_a_restart_and_queued_ones_go_on(
    tmp_path_factory: pytest.TempPathFactory, gate: threading.Event
) -> None:
    data_dir, stage = tmp_path_factory.mktemp("restart"), Stage()
    stage.parts["/nb/bronze"] = held(gate)
    with workspace(data_dir, new_pool=stage.new_pool) as before:
        api = Jobs(before)
        job_id = api.create([task("bronze"), task("silver", "bronze")])
        active, queued = api.run(job_id), api.run(job_id)
        api.until_task(active, "bronze", "RUNNING")
    gate.set()
    with workspace(data_dir, new_pool=stage.new_pool) as after:
        api = Jobs(after)
        run = api.read(active)
        assert final(run) == ("INTERNAL_ERROR", "FAILED")
        assert run["state"]["state_message"] == "The local workspace stopped while this run was active."
        assert tasks_of(run)["bronze"]["state"]["life_cycle_state"] == "INTERNAL_ERROR"
        assert final(api.ended(queued)) == ("TERMINATED", "SUCCESS")
        assert api.run(job_id) > queued


def test_the_run_page_link_opens_with_its_key_only(api: Jobs, staged: Served) -> None:
    run_id = api.run(api.create([task("bronze")]))
    run = api.ended(run_id)
    assert run["run_page_url"].endswith(f"#job/{run['job_id']}/run/{run_id}")
    address, _, key = run["run_view_url"].partition("#key=")
    assert address == f"{staged.host}/runs/{run_id}"
    view = f"/api/local/runs/{run_id}/view"
    anonymous = {"Authorization": ""}
    assert staged.http.get(view, headers=anonymous | {"X-View-Key": key}).status_code == 200
    assert staged.http.get(view, headers=anonymous | {"X-View-Key": key + "x"}).status_code == 403
    assert staged.http.get("/api/2.2/jobs/list", headers={"Authorization": f"Bearer {key}"}).status_code == 403


def test_a_job_cluster_lives_for_its_run_and_is_shared_by_its_tasks(api: Jobs, stage: Stage) -> None:
    tasks = [task("bronze", job_cluster_key="main"), task("silver", "bronze", job_cluster_key="main")]
    clusters = [{"job_cluster_key": "main", "new_cluster": {"spark_version": "17.3.x-scala2.13", "num_workers": 0}}]
    run = api.ended(api.run(api.create(tasks, job_clusters=clusters)))
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert (stage.pools_started, stage.pools_stopped) == (1, 1)
    assert run["job_clusters"] == clusters


def test_compute_that_cannot_start_fails_the_task_with_the_reason(api: Jobs, stage: Stage) -> None:
    stage.start_fault = OSError("no memory")
    run = api.ended(api.run(api.create([task("bronze")])))
    details = tasks_of(run)["bronze"]["status"]["termination_details"]
    assert details["code"] == "CLUSTER_ERROR"
    assert "no memory" in details["message"]
    until(lambda: stage.pools_stopped == 1)


def _open() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate
