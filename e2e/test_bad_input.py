"""What is refused says what is allowed, always as {code, message, details}."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.server import Server

TRIGGER = "/api/pipeline/databricks/trigger"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"layer": "platinum"}, 422),
        ({"layer": ""}, 422),
        ({}, 422),
        ({"layer": "bronze", "claim_ids": ["../etc/passwd"]}, 422),
        ({"layer": "bronze", "claim_ids": [""]}, 422),
        ({"layer": "bronze", "claim_ids": ["x" * 65]}, 422),
        ({"layer": "bronze", "claim_ids": [f"CLM-{n}" for n in range(10_001)]}, 422),
        ({"layer": "bronze", "if_active": "perhaps"}, 422),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused_in_words(server: Server, body: dict[str, Any], status: int) -> None:
    answer = server.post(TRIGGER, body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"code", "message", "details"}


def test_broken_json_is_400_and_an_unknown_run_or_path_is_404(server: Server) -> None:
    broken = server.http.post(TRIGGER, content=b"{", headers={"Content-Type": "application/json"})
    unknown_run = server.http.get("/api/pipeline/databricks/runs/1")
    unknown_path = server.http.get("/api/nothing/here")
    assert [a.status_code for a in (broken, unknown_run, unknown_path)] == [400, 404, 404]
    for answer in (broken, unknown_run, unknown_path):
        assert set(answer.json()) == {"code", "message", "details"}


def test_a_foreign_origin_may_not_change_anything(server: Server) -> None:
    assert server.post(TRIGGER, {"layer": "gold"}, Origin="https://evil.example").status_code == 403


def test_the_same_key_is_the_same_run_and_another_body_is_refused(server: Server) -> None:
    body = {"layer": "gold", "if_active": "queue"}
    first = server.post(TRIGGER, body, **{"Idempotency-Key": "e2e-key-1"}).json()
    again = server.post(TRIGGER, body, **{"Idempotency-Key": "e2e-key-1"}).json()
    other = server.post(TRIGGER, {"layer": "all"}, **{"Idempotency-Key": "e2e-key-1"})
    assert again["run_id"] == first["run_id"]
    assert other.status_code == 409
    server.ended(first["run_id"])
