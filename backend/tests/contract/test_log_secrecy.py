"""Nothing secret is ever logged: the server as a process, driven through failing calls, and its whole output read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from backend.tests.support.recorded_workspace import RUN_NOW, TOKEN, Fault, RecordedWorkspace, load
from backend.tests.support.waiting import until

JOB_ID = "591500457291311"
VISITOR = "visitor-token-that-nobody-may-read"
CUSTOMER = "jane.roe@customer.example"
LISTING = "/api/2.2/jobs/runs/list"


async def test_no_token_customer_field_or_raw_body_is_ever_logged(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    # A server that repeats what it was sent, as some proxies do in their error pages.
    echo = {"error_code": "BAD_REQUEST", "message": f"Bearer {TOKEN} may not do this"}
    workspace.faults[RUN_NOW].append(Fault(400, body=echo))
    workspace.faults[LISTING].extend([Fault(500, body=echo), Fault(429, body=echo), Fault(401, body=echo)])
    log = tmp_path / "server.log"
    async with workspace.serving():
        port = free_port()
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "PETINSURE_"))
        }
        told = {
            "DATABRICKS_HOST": workspace.host,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_JOB_ID": JOB_ID,
            "PETINSURE_API_TOKENS": f"dana:operator:{VISITOR}",
            "PIPELINE_POLL_INTERVAL_S": "0.05",
        }
        program = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--data-dir", str(tmp_path / "data")]
        server = started(program, clean | told, log)
        try:
            headers = {"Authorization": f"Bearer {VISITOR}"}
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False
            ) as http:
                await until(lambda: answers(http), within_s=60)
                await drive(http)
                await until(lambda: all(word in log.read_text() for word in ("poll_unanswered", "submission_ended")))
        finally:
            server.terminate()
            server.wait(30)
    written = log.read_text()
    assert "submission_recorded" in written
    for secret in (TOKEN, VISITOR, CUSTOMER, "Bearer"):
        assert secret not in written.replace("Bearer ***", ""), secret


async def answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/api/health/live")).is_success
    except httpx.TransportError:
        return False


async def drive(http: httpx.AsyncClient) -> None:
    """A refused click, a claim that cannot be landed, broken bodies, a wrong token."""
    await http.post("/api/pipeline/databricks/trigger", json={"layer": "all", "reason": CUSTOMER})
    await http.post("/api/claims", json={"claim_id": "CLM-1", "email": CUSTOMER})
    await http.post("/api/claims", json={"claim_id": f"bad id {CUSTOMER}"})
    await http.post("/api/pipeline/databricks/trigger", content=f'{{"layer": "{CUSTOMER}')
    await http.post("/api/webhooks/databricks", json={"event_type": "jobs.on_success", "run": {"run_id": CUSTOMER}})
    await http.get("/api/claims/CLM-404", headers={"Authorization": f"Bearer {TOKEN}"})


def started(program: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(program, env=environment, stdout=output, stderr=output, cwd=log.parent)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
