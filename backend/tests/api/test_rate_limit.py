"""Requests that start something are limited; reading is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.tests.api.test_pipeline import pipeline
from backend.tests.support.backend import RUNS, TRIGGER
from backend.tests.support.recorded_workspace import RUN_NOW

SLOW = {"petinsure_trigger_rate": 0.001, "petinsure_trigger_burst": 2}


@pytest.mark.parametrize(
    "path", [TRIGGER, "/process/bronze-to-silver", "/process/silver-to-gold", f"{RUNS}/7/cancel", f"{RUNS}/7/repair"]
)
async def test_beyond_the_burst_a_click_is_told_when_to_come_again(tmp_path: Path, path: str) -> None:
    async with pipeline(tmp_path, **SLOW) as (backend, workspace):
        for _ in range(2):
            assert (await backend.http.post(f"{RUNS}/4711/cancel")).status_code == 404
        refused = await backend.http.post(path, json={})
        body = refused.json()
        if path == TRIGGER:
            refused = await backend.http.post(path, json={"layer": "gold"})
            body = refused.json()
        assert (refused.status_code, body["code"]) == (429, "rate_limited")
        assert set(body) == {"code", "message", "details"}
        assert body["details"]["burst"] == 2
        assert 900 < int(refused.headers["retry-after"]) <= 1000
        assert not workspace.sent(RUN_NOW)
        for _ in range(5):
            assert (await backend.http.get(RUNS)).status_code == 200


async def test_claims_may_be_landed_ten_times_as_often(tmp_path: Path) -> None:
    async with pipeline(tmp_path, **SLOW) as (backend, _):
        landed = [await backend.http.post("/api/claims", json={"claim_id": f"CLM-{n}"}) for n in range(21)]
        assert {answer.status_code for answer in landed[:20]} == {201}
        assert landed[20].status_code == 429
        assert (await backend.http.post(f"{RUNS}/4711/cancel")).status_code == 404  # clicks have tokens of their own
