"""What is counted, for Prometheus. One object, made in main and handed to whoever counts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LAG_BUCKETS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 30, 60)


class Metrics:
    """The counters of one backend, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._workspace_calls = Counter(
            "petinsure_workspace_calls", "Calls to the workspace", ["endpoint", "outcome"], registry=self.registry
        )
        self._refused_calls = Counter(
            "petinsure_workspace_calls_held_back",
            "Calls that were not made: a budget, a Retry-After or an open breaker forbade them",
            ["endpoint", "why"],
            registry=self.registry,
        )
        self._polls = Counter("petinsure_polls", "Ticks of the poller", ["outcome"], registry=self.registry)
        self._events = Counter("petinsure_events", "Events published", ["type"], registry=self.registry)
        self._event_lag = Histogram(
            "petinsure_event_lag_seconds",
            "From a change in the workspace to its event",
            buckets=LAG_BUCKETS_S,
            registry=self.registry,
        )
        self._clients = Gauge(
            "petinsure_stream_clients", "Clients of the event stream", ["transport"], registry=self.registry
        )
        self._closed = Counter(
            "petinsure_stream_closed", "Streams closed by the server", ["reason"], registry=self.registry
        )
        self._backlog = Gauge(
            "petinsure_stream_backlog_events", "Events the slowest live client has to take", registry=self.registry
        )
        self._loop_faults = Counter(
            "petinsure_loop_faults", "Rounds of background loops that failed", ["loop"], registry=self.registry
        )
        self._in_doubt = Gauge(
            "petinsure_submissions_in_doubt", "Submissions sent, answer unknown", registry=self.registry
        )
        self._open = Gauge(
            "petinsure_submissions_open", "Submissions not decided yet, by state", ["state"], registry=self.registry
        )
        self._decided = Counter(
            "petinsure_submissions_decided",
            "Submissions that reached their end: ACCEPTED, REFUSED, LOST",
            ["state"],
            registry=self.registry,
        )
        self._unpublished = Gauge(
            "petinsure_events_unpublished", "Events in the log that clients were not handed yet", registry=self.registry
        )
        self.last_lag_s: float | None = None

    def workspace_called(self, endpoint: str, outcome: str) -> None:
        """`outcome` is ok, an HTTP status, or the kind of failure."""
        self._workspace_calls.labels(endpoint, outcome).inc()

    def workspace_call_refused(self, endpoint: str, why: str) -> None:
        """`why` is budget, retry_after or breaker."""
        self._refused_calls.labels(endpoint, why).inc()

    def polled(self, outcome: str) -> None:
        self._polls.labels(outcome).inc()

    def loop_failed(self, loop: str) -> None:
        self._loop_faults.labels(loop).inc()

    def event_published(self, event_type: str) -> None:
        self._events.labels(event_type).inc()

    def event_lagged(self, lag_s: float) -> None:
        self.last_lag_s = max(lag_s, 0.0)
        self._event_lag.observe(self.last_lag_s)

    def client(self, transport: str) -> AbstractContextManager[None]:
        """Count a client of the stream for the length of the block."""
        return self._clients.labels(transport).track_inprogress()

    def stream_closed(self, reason: str) -> None:
        self._closed.labels(reason).inc()

    def submission_decided(self, state: str) -> None:
        self._decided.labels(state).inc()

    def sample(self, *, backlog_events: int, unpublished: int, in_doubt: int, waiting: Mapping[str, int]) -> None:
        """Set what is read at the moment of a scrape rather than counted. `waiting`: open submissions by state."""
        self._backlog.set(backlog_events)
        self._unpublished.set(unpublished)
        self._in_doubt.set(in_doubt)
        for state, count in waiting.items():
            self._open.labels(state).set(count)

    def render(self) -> bytes:
        """All of it in the Prometheus text format."""
        return generate_latest(self.registry)
