"""Every call of the OpenAPI document, asked in every way that the document allows and in some that it does not."""

from __future__ import annotations

import asyncio
import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.server import build_server
from app.main import WorkspaceConnection, create_app
from backend.tests.api.test_pipeline import JOB_ID
from backend.tests.support.backend import settings as configured
from backend.tests.support.recorded_workspace import TOKEN, RecordedWorkspace, load
from backend.tests.support.waiting import until

EXAMPLES = 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "/api/events"  # server-sent events end with the client; test_stream_document reads them
LONGEST_WAIT_S = 0.05

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


async def serve(data_dir: Path, ready: Any, stop: asyncio.Event) -> None:
    """The application on a port of its own, before a workspace that answers everything, until `stop`."""
    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.next_run_shows("run_of_somebody_else")
    generous = {"petinsure_trigger_rate": 1e4, "petinsure_trigger_burst": 1e4}
    async with workspace.serving():
        connection = WorkspaceConnection(kind="databricks", name="recorded", host=workspace.host, token=TOKEN)
        app = create_app(configured(data_dir, databricks_job_id=JOB_ID, **generous), workspace=connection)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            server = build_server(app, host="127.0.0.1", port=0)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await until(lambda: server.started)
            ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
            await stop.wait()
            server.should_exit = True
            await serving


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the application is served."""
    told: queue.Queue[str] = queue.Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    running = serve(tmp_path_factory.mktemp("served"), told.put, stop)
    thread = threading.Thread(target=lambda: loop.run_until_complete(running))
    thread.start()
    try:
        yield told.get(timeout=60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@SCHEMA.exclude(path=ENDLESS).parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_every_answer_is_of_the_document(case: schemathesis.Case, address: str) -> None:
    if "wait_s" in (case.query or {}):
        with suppress(TypeError, ValueError):  # what is no number stays as it is
            case.query["wait_s"] = min(float(case.query["wait_s"]), LONGEST_WAIT_S)
    response = case.call(base_url=address)
    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 400:
        assert set(response.json()) == {"code", "message", "details"}
