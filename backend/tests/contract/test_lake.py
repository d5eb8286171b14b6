"""What we say of the lake, against the tables as delta-rs reads them. Local workspace and notebooks are real."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.api.event_models import EVENT_MODELS
from backend.tests.support.book import claim
from backend.tests.support.lake import Lake, running_lake
from backend.tests.support.waiting import until

SECOND_DOG = {"policy_id": "PO-2", "pet_id": "PE-2", "customer_id": "CU-2"}


@pytest.fixture
async def lake(tmp_path: Path) -> AsyncIterator[Lake]:
    async with running_lake(tmp_path / "data") as lake:
        yield lake


def ids(bucket: dict[str, Any]) -> list[str]:
    found: list[str] = bucket["claim_ids"]
    assert bucket["count"] == len(found)
    return found


async def test_claims_are_followed_from_landing_to_gold(lake: Lake) -> None:
    before = await lake.get("/api/insights/overview")
    assert (before["as_of"], before["months"], before["latest"]) == (None, [], None)

    await lake.land(claim("C-GOOD"))
    await lake.land(claim("C-EURO", claim_amount="EUR 1.200,50", **SECOND_DOG))
    await lake.land(claim("C-LOST", policy_id="PO-9"))
    pending = await lake.pending()
    assert ids(pending["bronze"]) == ["C-EURO", "C-GOOD", "C-LOST"]
    await until_files(lake, 4)
    place = await lake.get("/api/claims/C-GOOD")
    assert place["layers"]["bronze"] | {"landed_at": None} == {
        "present": False, "run_id": None, "at": None, "landed_at": None, "waiting": True,
    }  # fmt: skip

    first = await lake.run("bronze")
    pending = await lake.pending()
    assert ids(pending["bronze"]) == []
    assert pending["bronze"]["files"] == 0
    assert ids(pending["silver"]) == ["C-EURO", "C-GOOD", "C-LOST"]

    second = await lake.run("silver")
    pending = await lake.pending()
    quarantined = sorted(row["key"] for row in lake.rows("silver.quarantine") if row["table_name"] == "claims")
    assert ids(pending["silver"]) == []
    assert ids(pending["gold"]) == [row["claim_id"] for row in lake.rows("silver.claims")] == ["C-GOOD"]
    assert ids(pending["quarantined"]) == quarantined == ["C-EURO", "C-LOST"]
    euro = await lake.get("/api/claims/C-EURO")
    assert [layer["present"] for layer in euro["layers"].values()] == [True, False, False]
    (reason,) = euro["quarantine"]
    (row,) = [row for row in lake.rows("silver.quarantine") if row["key"] == "C-EURO"]
    assert (reason["rule"], reason["message"]) == (row["rule"], row["message"])
    assert reason["run_id"] == second["run_id"]

    third = await lake.run("gold")
    assert ids((await lake.pending())["gold"]) == []
    layers = (await lake.get("/api/claims/C-GOOD"))["layers"]
    assert [layers[name]["run_id"] for name in ("bronze", "silver", "gold")] == [
        first["run_id"], second["run_id"], third["run_id"],
    ]  # fmt: skip
    await the_status_is_what_the_tables_hold(lake)
    await the_figures_are_those_of_gold(lake, third["run_id"])
    await a_correction_goes_the_same_way_again(lake)
    await what_was_sent_is_what_is_described(lake)


async def until_files(lake: Lake, count: int) -> None:
    """The listing of the landing zone follows a look at the page, at most every two seconds."""

    async def listed() -> bool:
        return bool((await lake.pending())["bronze"]["files"] == count)

    await until(listed)


async def the_status_is_what_the_tables_hold(lake: Lake) -> None:
    layers = (await lake.get("/api/pipeline/status"))["layers"]
    shown = {table["name"]: table for layer in layers.values() for table in layer["tables"]}
    assert "petinsure360.gold.monthly_kpis" in shown
    for name, table in shown.items():
        short = name.removeprefix("petinsure360.")
        assert (table["rows"], table["version"]) == (len(lake.rows(short)), lake.version(short)), name
    assert {layer: (told["state"], told["result"]) for layer, told in layers.items()} == dict.fromkeys(
        ("bronze", "silver", "gold"), ("TERMINATED", "SUCCESS")
    )


async def the_figures_are_those_of_gold(lake: Lake, run_id: int) -> None:
    overview = await lake.get("/api/insights/overview")
    months = sorted(lake.rows("gold.monthly_kpis"), key=lambda row: row["year_month"])
    assert overview["as_of"]["run_id"] == run_id
    assert overview["as_of"]["tables"][0] == {
        "name": "petinsure360.gold.monthly_kpis",
        "version": lake.version("gold.monthly_kpis"),
    }
    assert [month["year_month"] for month in overview["months"]] == [row["year_month"] for row in months]
    march = next(month for month in overview["months"] if month["year_month"] == "2026-03")
    assert (march["claims"], march["paid_amount"], march["approval_rate"]) == (1, 160.0, 1.0)
    assert march["earned_premium"] == pytest.approx((60.80 + 30.40) * 31 / 30.4, abs=0.01)
    trailing = overview["trailing_12m"]
    premium = sum(float(row["earned_premium"]) for row in months[-12:])
    assert trailing["earned_premium"] == pytest.approx(premium, abs=0.01)
    assert trailing["paid_loss_ratio"] == pytest.approx(160.0 / premium, abs=1e-6)
    assert trailing["cycle_time_p50_days"] == 2.0
    monthly = await lake.get("/api/insights/monthly")
    assert set(months[0]) - {name for name in months[0] if name.startswith("_")} == set(monthly["months"][0])
    claims = await lake.get("/api/insights/claims")
    assert claims["totals"]["claims"] == 1
    assert claims["by_status"] == [claims["totals"] | {"status": "Paid"}]
    assert [row["claim_id"] for row in claims["top"]] == ["C-GOOD"]
    customers = await lake.get("/api/insights/customers")
    assert customers["totals"]["customers"] == len(lake.rows("gold.customer_360")) == 2
    providers = await lake.get("/api/insights/providers")
    assert [(row["provider_id"], row["claims"]) for row in providers["top"]] == [("VP-1", 1)]
    risk = await lake.get("/api/insights/risk")
    assert risk["totals"]["cells"] == len(lake.rows("gold.risk_scoring"))


async def a_correction_goes_the_same_way_again(lake: Lake) -> None:
    """The landing zone never changes a file; a corrected claim is a second file, and heals the quarantine."""
    await lake.land(claim("C-EURO", claim_amount="1200.50", updated_at="2026-03-20T00:00:00Z", **SECOND_DOG))
    assert ids((await lake.pending())["bronze"]) == ["C-EURO"]
    assert (await lake.get("/api/claims/C-EURO"))["layers"]["bronze"]["waiting"] is True
    await lake.run("bronze", claim_ids=["C-EURO"])
    assert ids((await lake.pending())["silver"]) == ["C-EURO"]
    await lake.run("silver")
    pending = await lake.pending()
    assert ids(pending["quarantined"]) == ["C-LOST"]
    assert ids(pending["gold"]) == ["C-EURO"]
    assert (await lake.get("/api/claims/C-EURO"))["quarantine"] == []


async def what_was_sent_is_what_is_described(lake: Lake) -> None:
    models = {model.model_fields["type"].annotation.__args__[0]: model for model in EVENT_MODELS}
    events = await lake.backend.events()
    for event in events:
        models[event["type"]].model_validate(event)
    assert {"databricks_job_started", "databricks_job_completed", "lake_updated"} <= {e["type"] for e in events}
    (snapshot,) = (await lake.get("/api/events/poll", wait_s=0))["events"]
    models["snapshot"].model_validate(snapshot)
    assert snapshot["data"]["layers"] == (await lake.get("/api/pipeline/status"))["layers"]
