"""Spans for OpenTelemetry, where it is installed (`pip install petinsure360[otel]`) and an endpoint is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE = "petinsure360"
# The library would try for ten: so long would every stop take while the collector is away.
EXPORT_WITHIN_S = 3.0


class Tracing(Protocol):
    """What the services say of what they do; attributes are ids and names, never what a user typed or stored."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        """A span for the length of the block; log lines within carry its attributes, and its `trace_id` if traced."""
        ...

    def past(self, name: str, began_at: datetime, ended_at: datetime, **attributes: str | int) -> None:
        """A span of something that happened elsewhere."""
        ...


class NoTracing:
    """Nobody listens; log lines within a span carry its attributes all the same."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        return structlog.contextvars.bound_contextvars(**attributes)

    def past(self, name: str, began_at: datetime, ended_at: datetime, **attributes: str | int) -> None:
        return None


NO_TRACING = NoTracing()


class OpenTelemetryTracing:
    """Spans of one provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[str]:
        """The block gets the trace's id. An exception is noted by its class: its text may quote what was stored."""
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            trace_id = f"{span.get_span_context().trace_id:032x}"
            try:
                with structlog.contextvars.bound_contextvars(trace_id=trace_id, **attributes):
                    yield trace_id
            except BaseException as fault:
                span.set_attribute("error.type", type(fault).__name__)
                raise

    def past(self, name: str, began_at: datetime, ended_at: datetime, **attributes: str | int) -> None:
        span = self._tracer.start_span(name, attributes=attributes, start_time=_nanoseconds(began_at))
        span.end(end_time=_nanoseconds(ended_at))

    def close(self) -> None:
        """Send what was not sent yet. Blocking, a few seconds at most."""
        self._provider.shutdown()


def opentelemetry_to(endpoint: str) -> OpenTelemetryTracing:
    """Spans sent to an OTLP collector over HTTP. Raises ImportError where the extra is not installed."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_WITHIN_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetryTracing(provider)


def present_trace_id() -> str | None:
    """The id of the trace that this is part of, if any."""
    found: Any = structlog.contextvars.get_contextvars().get("trace_id")
    return None if found is None else str(found)


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1_000
