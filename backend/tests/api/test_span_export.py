"""Spans reach an OTLP collector: a real exporter, a real socket, and what the collector was sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from backend.tests.api.test_pipeline import finish, pipeline
from backend.tests.support.backend import RUNS


class Collector:
    """What was posted to it, read as the protocol says."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.requests: list[ExportTraceServiceRequest] = []

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def services(self) -> set[str]:
        return {
            attribute.value.string_value
            for request in self.requests
            for resource in request.resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """A collector and its address."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
            collector.paths.append(self.path)
            collector.requests.append(ExportTraceServiceRequest.FromString(content))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests say what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield collector, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def told(span: Any) -> dict[str, Any]:
    return {one.key: one.value.int_value or one.value.string_value for one in span.attributes}


async def test_spans_arrive_at_the_collector_that_the_settings_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with collecting() as (collector, address):
        async with pipeline(tmp_path, otel_exporter_otlp_endpoint=f"{address}/") as (backend, workspace):
            run_id = (await backend.trigger("all", claim_ids=["CLM-SECRET"]))["run_id"]
            await finish(backend, workspace, run_id)
            missing = (await backend.http.get(f"{RUNS}/1")).json()
        # The application has ended, and with it everything that was not sent yet has gone out.
        spans = collector.spans()
    assert set(collector.paths) == {"/v1/traces"}
    assert collector.services() == {"petinsure360"}
    assert {"request", "submission", "poll", "task"} <= {span.name for span in spans}
    tasks = [span for span in spans if span.name == "task"]
    assert [told(span)["task_key"] for span in tasks] == ["ingest_raw", "clean", "report"]
    assert {told(span)["run_id"] for span in tasks} == {run_id}
    assert missing["details"]["trace_id"] in {span.trace_id.hex() for span in spans if span.name == "request"}
    assert "CLM-SECRET" not in "".join(str(request) for request in collector.requests)


@pytest.mark.long  # for as long as the exporter tries
async def test_a_collector_that_is_away_costs_spans_and_nothing_else(tmp_path: Path) -> None:
    with collecting() as (_, address):
        pass
    async with pipeline(tmp_path, otel_exporter_otlp_endpoint=address) as (backend, workspace):
        run_id = (await backend.trigger("all"))["run_id"]
        assert (await finish(backend, workspace, run_id))["result"] == "SUCCESS"
