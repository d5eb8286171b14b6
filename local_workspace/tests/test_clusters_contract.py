"""Clusters as a client of the Clusters API sees them; their pools are played by the test."""

from __future__ import annotations

import threading
import time

import pytest
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.compute import State

from local_workspace.engine.tasks import NoWorker
from local_workspace.tests.jobs_for_tests import Jobs, final, task, tasks_of
from local_workspace.tests.serving_app import Served, workspace
from local_workspace.tests.stages import Stage, held
from local_workspace.tests.waiting import until


def make(served: Served, **spec: object) -> str:
    body = {"cluster_name": "warm", "spark_version": "17.3.x-scala2.13", "num_workers": 0} | spec
    return str(served.http.post("/api/2.1/clusters/create", json=body).json()["cluster_id"])


def state(served: Served, cluster_id: str) -> str:
    return str(served.http.get("/api/2.1/clusters/get", params={"cluster_id": cluster_id}).json()["state"])


def reach(served: Served, cluster_id: str, wanted: str) -> None:
    until(lambda: state(served, cluster_id) == wanted)


def events(served: Served, cluster_id: str) -> list[str]:
    told = served.http.post("/api/2.1/clusters/events", json={"cluster_id": cluster_id, "order": "ASC"}).json()
    return [item["type"] for item in told["events"]]


def test_a_new_cluster_starts_at_once(staged: Served, stage: Stage) -> None:
    stage.start_gate = threading.Event()
    cluster_id = make(staged)
    assert state(staged, cluster_id) == "PENDING"
    stage.start_gate.set()
    cluster = staged.sdk.clusters.wait_get_cluster_running(cluster_id)
    assert (cluster.cluster_name, cluster.state) == ("warm", State.RUNNING)
    assert cluster.autotermination_minutes == 10
    assert events(staged, cluster_id) == ["CREATING", "RUNNING", "DRIVER_HEALTHY"]


def test_a_cluster_is_terminated_started_again_and_deleted(staged: Served, stage: Stage) -> None:
    cluster_id = make(staged)
    reach(staged, cluster_id, "RUNNING")
    stopped = staged.sdk.clusters.delete(cluster_id).result()
    assert stopped.state == State.TERMINATED
    assert stopped.termination_reason is not None
    assert stopped.termination_reason.code is not None
    assert stopped.termination_reason.code.value == "USER_REQUEST"
    assert stage.pools_stopped == 1
    assert staged.sdk.clusters.start(cluster_id).result().state == State.RUNNING
    assert stage.pools_started == 2
    staged.sdk.clusters.permanent_delete(cluster_id)
    with pytest.raises(ResourceDoesNotExist):
        staged.sdk.clusters.get(cluster_id)


def test_starting_a_running_cluster_is_an_invalid_state(staged: Served) -> None:
    cluster_id = make(staged)
    reach(staged, cluster_id, "RUNNING")
    refused = staged.http.post("/api/2.1/clusters/start", json={"cluster_id": cluster_id})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_STATE")
    assert "unexpected state Running" in refused.json()["message"]


def test_a_restart_replaces_the_pool(staged: Served, stage: Stage) -> None:
    cluster_id = make(staged)
    reach(staged, cluster_id, "RUNNING")
    staged.http.post("/api/2.1/clusters/restart", json={"cluster_id": cluster_id})
    until(lambda: stage.pools_started == 2)
    reach(staged, cluster_id, "RUNNING")
    assert stage.pools_stopped == 1


def test_terminating_during_the_start_stops_the_start(staged: Served, stage: Stage) -> None:
    stage.start_gate = threading.Event()
    cluster_id = make(staged)
    staged.http.post("/api/2.1/clusters/delete", json={"cluster_id": cluster_id})
    reach(staged, cluster_id, "TERMINATED")
    assert (stage.pools_started, stage.pools_stopped) == (0, 1)
    stage.start_gate.set()
    reach(staged, make(staged), "RUNNING")
    assert (stage.pools_started, state(staged, cluster_id)) == (1, "TERMINATED")


def test_a_job_starts_the_terminated_cluster_that_it_names(staged: Served, stage: Stage) -> None:
    cluster_id = make(staged)
    reach(staged, cluster_id, "RUNNING")
    staged.http.post("/api/2.1/clusters/delete", json={"cluster_id": cluster_id})
    reach(staged, cluster_id, "TERMINATED")
    stage.start_gate = threading.Event()
    api = Jobs(staged)
    run_id = api.run(api.create([task("bronze", existing_cluster_id=cluster_id)]))
    waiting = api.until_task(run_id, "bronze", "PENDING")
    assert waiting["state"]["state_message"] == "Waiting for cluster"
    assert state(staged, cluster_id) == "PENDING"
    stage.start_gate.set()
    run = api.ended(run_id)
    assert final(run) == ("TERMINATED", "SUCCESS")
    assert tasks_of(run)["bronze"]["cluster_instance"] == {"cluster_id": cluster_id}
    assert state(staged, cluster_id) == "RUNNING"
    assert stage.requests[0].context.cluster_id == cluster_id


def test_a_cluster_that_cannot_start_ends_with_its_reason_and_the_workspace_goes_on(
    staged: Served, stage: Stage
) -> None:
    """Its pool fails to start and then to stop as well, which is no reason for anything else to end."""
    stage.start_fault, stage.stop_fault = OSError("no more processes"), OSError("not even that")
    cluster_id, api = make(staged), Jobs(staged)
    reach(staged, cluster_id, "TERMINATED")
    run = api.ended(api.run(api.create([task("bronze", existing_cluster_id=cluster_id)])))
    cluster = staged.http.get("/api/2.1/clusters/get", params={"cluster_id": cluster_id}).json()
    assert cluster["termination_reason"]["code"] == "SPARK_STARTUP_FAILURE"
    assert cluster["state_message"] == "OSError: no more processes"
    assert events(staged, cluster_id) == ["CREATING", "TERMINATING", "STARTING", "TERMINATING"]
    assert final(run) == ("INTERNAL_ERROR", "FAILED")
    details = tasks_of(run)["bronze"]["status"]["termination_details"]
    assert (details["code"], details["type"]) == ("CLUSTER_ERROR", "INTERNAL_ERROR")
    assert details["message"] == f"Cluster {cluster_id} could not be started: OSError: no more processes"
    stage.start_fault = stage.stop_fault = None
    again = api.ended(api.run(api.create([task("bronze", existing_cluster_id=cluster_id)])))
    assert final(again) == ("TERMINATED", "SUCCESS")


def test_a_task_is_pending_until_it_has_a_worker(staged: Served, stage: Stage) -> None:
    stage.worker_gate = threading.Event()
    cluster_id, api = make(staged), Jobs(staged)
    reach(staged, cluster_id, "RUNNING")
    run_id = api.run(api.create([task("bronze", existing_cluster_id=cluster_id)]))
    waiting = api.until_task(run_id, "bronze", "PENDING")
    assert waiting["state"]["state_message"] == "Waiting for cluster"
    assert api.read(run_id)["state"]["life_cycle_state"] == "PENDING"
    until(lambda: time.time() * 1000 > waiting["start_time"] + 20)
    stage.worker_gate.set()
    assert tasks_of(api.ended(run_id))["bronze"]["setup_duration"] >= 20


def test_a_cluster_without_a_worker_for_a_task_is_a_cluster_error(staged: Served, stage: Stage) -> None:
    stage.worker_fault = NoWorker("A worker process was killed by SIGKILL (9).")
    cluster_id, api = make(staged), Jobs(staged)
    run = api.ended(api.run(api.create([task("bronze", existing_cluster_id=cluster_id)])))
    details = tasks_of(run)["bronze"]["status"]["termination_details"]
    assert details["code"] == "CLUSTER_ERROR"
    assert details["message"].endswith("has no worker for the task: A worker process was killed by SIGKILL (9).")


def test_serverless_compute_is_in_no_list_and_in_no_answer(staged: Served) -> None:
    api = Jobs(staged)
    run = api.ended(api.run(api.create([task("bronze")])))
    assert "cluster_instance" not in tasks_of(run)["bronze"]
    assert staged.http.get("/api/2.1/clusters/list").json() == {}


def test_a_task_on_a_cluster_that_is_terminated_fails_with_that_reason(staged: Served, stage: Stage) -> None:
    stage.parts["/nb/bronze"] = held(threading.Event())
    cluster_id = make(staged)
    api = Jobs(staged)
    run_id = api.run(api.create([task("bronze", existing_cluster_id=cluster_id)]))
    api.until_task(run_id, "bronze", "RUNNING")
    staged.http.post("/api/2.1/clusters/delete", json={"cluster_id": cluster_id})
    run = api.ended(run_id)
    details = tasks_of(run)["bronze"]["status"]["termination_details"]
    assert details["code"] == "CLUSTER_ERROR"
    assert "was terminated" in details["message"]


def test_a_negative_time_of_inactivity_is_refused_and_zero_means_never(staged: Served) -> None:
    cluster_id = make(staged, autotermination_minutes=0)
    told = staged.http.get("/api/2.1/clusters/get", params={"cluster_id": cluster_id}).json()
    assert told["autotermination_minutes"] == 0
    refused = staged.http.post("/api/2.1/clusters/create", json={"autotermination_minutes": -1})
    assert refused.status_code == 400


def test_unknown_clusters_are_refused_in_the_words_that_the_sdk_knows(staged: Served) -> None:
    with pytest.raises(ResourceDoesNotExist):
        staged.sdk.clusters.get("nope")
    with pytest.raises(InvalidParameterValue):
        staged.sdk.clusters.start("nope")


def test_an_edited_cluster_keeps_its_id(staged: Served, stage: Stage) -> None:
    cluster_id = make(staged)
    reach(staged, cluster_id, "RUNNING")
    body = {"cluster_id": cluster_id, "cluster_name": "renamed", "spark_version": "x", "autotermination_minutes": 30}
    assert staged.http.post("/api/2.1/clusters/edit", json=body).json() == {}
    until(lambda: stage.pools_started == 2)
    told = staged.http.get("/api/2.0/clusters/get", params={"cluster_id": cluster_id}).json()
    assert (told["cluster_name"], told["autotermination_minutes"]) == ("renamed", 30)
    assert "EDITED" in events(staged, cluster_id)


def test_clusters_survive_a_restart_of_the_workspace_as_terminated(tmp_path_factory: pytest.TempPathFactory) -> None:
    data_dir, stage = tmp_path_factory.mktemp("restart"), Stage()
    with workspace(data_dir, new_pool=stage.new_pool) as before:
        cluster_id = make(before)
        reach(before, cluster_id, "RUNNING")
    assert stage.pools_stopped == 1
    with workspace(data_dir, new_pool=stage.new_pool) as after:
        assert state(after, cluster_id) == "TERMINATED"
        assert [item["cluster_id"] for item in after.http.get("/api/2.1/clusters/list").json()["clusters"]] == [
            cluster_id
        ]


def test_events_are_paged(staged: Served) -> None:
    cluster_id = make(staged)
    reach(staged, cluster_id, "RUNNING")
    until(lambda: len(events(staged, cluster_id)) == 3)
    listed = list(staged.sdk.clusters.events(cluster_id, limit=2))
    assert [item.type.value for item in listed if item.type] == ["DRIVER_HEALTHY", "RUNNING", "CREATING"]


def test_what_a_client_asks_before_it_creates_a_cluster_is_answered(staged: Served) -> None:
    assert staged.sdk.clusters.select_spark_version(long_term_support=True)
    assert [node.node_type_id for node in staged.sdk.clusters.list_node_types().node_types or []] == ["local"]
    assert staged.sdk.clusters.list_zones().default_zone == "local"
