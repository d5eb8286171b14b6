"""The plan's demo flow through the real backend and the real local workspace, watched on a plain WebSocket."""

from __future__ import annotations

import httpx

from e2e.server import Server
from e2e.stream_client import StreamClient


def test_the_first_start_ended_its_full_pipeline_with_success(server: Server) -> None:
    run = server.get("/api/pipeline/databricks/runs")["runs"][-1]
    told = server.workspace().jobs.get_run(run["run_id"])
    assert told.state is not None
    assert told.state.result_state is not None
    assert (run["result"], told.state.result_state.value) == ("SUCCESS", "SUCCESS")
    assert [task["task_key"] for task in run["tasks"]] == [task.task_key for task in told.tasks or []]


def test_status_counts_are_what_delta_rs_reads_from_the_tables(server: Server) -> None:
    layers = server.get("/api/pipeline/status")["layers"]
    shown = {table["name"]: table["rows"] for layer in layers.values() for table in layer["tables"]}
    short = {name.removeprefix("petinsure360."): rows for name, rows in shown.items()}
    for name in ("bronze.claims", "silver.claims", "silver.policies", "gold.claims_analytics", "gold.monthly_kpis"):
        assert short[name] == server.rows(name), name
    assert server.rows("bronze.claims") >= 15_000


def test_every_claim_row_of_silver_is_a_claim_of_bronze(server: Server) -> None:
    bronze = server.table("bronze.claims").to_pyarrow_table(columns=["claim_id"])["claim_id"].to_pylist()
    silver = server.table("silver.claims").to_pyarrow_table(columns=["claim_id"])["claim_id"].to_pylist()
    assert len(silver) == len(set(silver))
    assert set(silver) <= set(bronze)


def test_one_click_is_told_from_started_to_completed(server: Server) -> None:
    with StreamClient(server.url) as stream:
        first = stream.next()
        assert first["type"] == "snapshot"
        answer = server.post("/api/pipeline/process/bronze-to-silver", {"reason": "demo"}).json()
        events = stream.run_to_its_end(answer["run_id"])
    types = [event["type"] for event in events]
    assert types[0] == "databricks_job_started"
    assert "databricks_job_progress" in types[1:-1]
    assert types[-1] == "databricks_job_completed"
    started, completed = events[0]["data"], events[-1]["data"]
    assert started["tasks"] == ["bronze_ingestion", "silver_transformations"]
    assert str(answer["run_id"]) in started["job_url"]
    assert completed["result"] == "SUCCESS"
    assert completed["duration"] > 0
    assert set(completed["records"]) == {"in", "out", "quarantined"}
    assert [event["seq"] for event in stream.seen[1:]] == list(range(first["seq"] + 1, first["seq"] + len(stream.seen)))


def test_a_landed_claim_reaches_gold_with_the_run_that_took_it_there(server: Server) -> None:
    known = server.table("silver.claims").to_pyarrow_table().slice(0, 1).to_pylist()[0]
    claim = {
        "policy_id": known["policy_id"], "pet_id": known["pet_id"], "customer_id": known["customer_id"],
        "provider_id": known["provider_id"], "service_date": known["service_date"].isoformat(),
        "submitted_date": known["submitted_date"].isoformat(), "claim_amount": "321.00", "status": "Submitted",
        "claim_type": known["claim_type"], "claim_category": known["claim_category"],
        "diagnosis_code": known["diagnosis_code"], "diagnosis": known["diagnosis"],
    }  # fmt: skip
    claim_id = server.post("/api/claims", claim).json()["claim_id"]
    assert claim_id in server.get("/api/pipeline/pending")["bronze"]["claim_ids"]
    run = server.ended(server.trigger("all", claim_ids=[claim_id])["run_id"])
    assert run["result"] == "SUCCESS", run
    rows = server.table("gold.claims_analytics").to_pyarrow_table(filters=[("claim_id", "=", claim_id)]).to_pylist()
    assert [str(row["_run_id"]) for row in rows] == [str(run["run_id"])]


def test_the_job_link_opens_one_run_page_and_nothing_else(server: Server) -> None:
    run = server.get("/api/pipeline/databricks/runs")["runs"][0]
    page, _, key = run["job_url"].partition("#key=")
    assert key
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(page).status_code == 200
        view = f"{server.workspace_url}/api/local/runs/{run['run_id']}/view"
        assert browser.get(view, headers={"X-View-Key": key}).is_success
        assert browser.get(view).status_code in (401, 403)
        assert browser.get(view, headers={"X-View-Key": key[:-2] + "zz"}).status_code in (401, 403)
        elsewhere = f"{server.workspace_url}/api/2.2/jobs/runs/list"
        assert browser.get(elsewhere, headers={"X-View-Key": key}).status_code in (401, 403)
        assert browser.get(elsewhere, headers={"Authorization": f"Bearer {key}"}).status_code in (401, 403)
        assert browser.get(page, headers={"Host": "evil.example"}).status_code == 403
