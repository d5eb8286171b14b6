"""Counters of a server, read from its `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from e2e.server import Server


def total(server: Server, name: str, **labels: str) -> float:
    """The sum of the counter's samples that have these labels."""
    return sum(value for found, value in samples(server, name) if labels.items() <= found.items())


def samples(server: Server, name: str) -> Iterator[tuple[dict[str, str], float]]:
    """Labels and value of every sample of the name."""
    for family in text_string_to_metric_families(server.http.get("/metrics").text):
        for sample in family.samples:
            if sample.name == name:
                yield sample.labels, sample.value
