"""Every figure of the insight pages against the gold tables as delta-rs reads them, over a generated book."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backend.tests.support.lake import Lake, running_lake

Row = dict[str, Any]
CATALOG = "petinsure360"
TABLES = {
    "claims": ["gold.claims_analytics"],
    "customers": ["gold.customer_360", "gold.cross_sell"],
    "providers": ["gold.provider_performance"],
    "risk": ["gold.risk_scoring"],
}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with a generated book in the landing zone."""
    landing = tmp_path / "workspace/volumes/petinsure360/landing/raw/generated"
    generator = [sys.executable, "-m", "data_generator", "--claims", "900", "--seed", "3", "--out", landing]
    subprocess.run([*generator, "--as-of", "2026-06-30"], check=True, capture_output=True)
    return tmp_path


@pytest.fixture
async def lake(data_dir: Path) -> AsyncIterator[Lake]:
    async with running_lake(data_dir) as lake:
        yield lake


async def test_the_pages_show_what_the_gold_tables_hold(lake: Lake) -> None:
    run_id = (await lake.run("all"))["run_id"]
    for page, tables in TABLES.items():
        as_of = (await lake.get(f"/api/insights/{page}"))["as_of"]
        told = [{"name": f"{CATALOG}.{name}", "version": lake.version(name)} for name in tables]
        assert as_of == {"run_id": run_id, "tables": told}, page
    await claims_are_those_of_the_table(lake)
    await customers_are_those_of_the_table(lake)
    await providers_are_those_of_the_table(lake)
    await risk_is_that_of_the_table(lake)
    await months_are_those_of_the_table(lake)
    await lists_are_paged_and_sorted(lake)
    await a_later_run_tells_what_stood_there_before(lake, run_id)


def total(rows: Iterable[Row], name: str) -> float:
    return float(sum((Decimal(row[name] or 0) for row in rows), Decimal(0)))


def by(rows: Iterable[Row], name: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return groups


def the_same(shown: list[Row], rows: list[Row], key: str, sums: list[str], count: str) -> None:
    """Each value of the column with its sums, exact to the cent."""
    groups = by(rows, key)
    expected = {value: {count: len(group)} | {n: total(group, n) for n in sums} for value, group in groups.items()}
    assert {row[key]: {name: row[name] for name in (count, *sums)} for row in shown} == expected


AMOUNTS = ["claim_amount", "approved_amount", "paid_amount", "case_reserve", "leakage_amount"]


async def claims_are_those_of_the_table(lake: Lake) -> None:
    rows = lake.rows("gold.claims_analytics")
    narrowings: list[tuple[dict[str, Any], Callable[[Row], bool]]] = [
        ({}, lambda row: True),
        ({"species": ["Cat"]}, lambda row: row["species"] == "Cat"),
        ({"species": ["Cat", "Other"], "status": "Paid"}, lambda r: r["species"] != "Dog" and r["status"] == "Paid"),
        ({"from": "2025-08", "to": "2026-01"}, lambda row: "2025-08" <= row["service_month"] <= "2026-01"),
        (
            {"category": "Orthopedic", "from": "2026-01"},
            lambda row: row["claim_category"] == "Orthopedic" and row["service_month"] >= "2026-01",
        ),
        ({"status": "Denied", "reason": "Waiting Period"}, lambda row: row["denial_reason"] == "Waiting Period"),
        ({"diagnosis": "Otitis externa"}, lambda row: row["diagnosis"] == "Otitis externa"),
        ({"species": "Fish"}, lambda row: False),
    ]
    for query, wanted in narrowings:
        shown = await lake.get("/api/insights/claims", **query)
        some = [row for row in rows if wanted(row)]
        assert {name: shown["totals"][name] for name in AMOUNTS} == {name: total(some, name) for name in AMOUNTS}, query
        decided = [row for row in some if row["is_decided"]]
        approved = [row for row in decided if row["status"] != "Denied"]
        assert shown["totals"]["claims"] == len(some)
        assert shown["totals"]["approval_rate"] == (round(len(approved) / len(decided), 6) if decided else None)
        assert shown["totals"]["straight_through_claims"] == sum(row["decision_days"] == 0 for row in some)
        assert shown["totals"]["decision_days"] == sum(row["decision_days"] for row in decided)
        assert shown["totals"]["flagged_claims"] == sum(bool(row["review_flags"]) for row in some)
        the_same(shown["by_month"], some, "service_month", AMOUNTS, "claims")
        the_same(shown["by_status"], some, "status", AMOUNTS, "claims")
        the_same(shown["by_category"], some, "claim_category", AMOUNTS, "claims")
        the_same(shown["by_species"], some, "species", AMOUNTS, "claims")
        the_same(shown["by_diagnosis"], some, "diagnosis", AMOUNTS, "claims")
        denied = [row for row in some if row["status"] == "Denied"]
        the_same(shown["by_denial_reason"], denied, "denial_reason", AMOUNTS, "claims")
        largest = sorted(some, key=lambda row: (-row["claim_amount"], row["claim_id"]))[:200]
        assert [row["claim_id"] for row in shown["top"]] == [row["claim_id"] for row in largest]
        assert [row["paid_amount"] for row in shown["top"]] == [float(row["paid_amount"]) for row in largest]
        assert (shown["matching"], shown["listed"]) == (len(some), len(rows))
    everything = await lake.get("/api/insights/claims")
    assert everything["options"]["species"] == sorted({row["species"] for row in rows})
    assert everything["options"]["months"] == sorted({row["service_month"] for row in rows})
    assert [row["service_month"] for row in everything["by_month"]] == everything["options"]["months"]


async def customers_are_those_of_the_table(lake: Lake) -> None:
    rows, offers = lake.rows("gold.customer_360"), lake.rows("gold.cross_sell")
    sums = ["annual_premium", "earned_premium", "paid_amount", "incurred_amount", "lifetime_value"]
    state = Counter(row["state"] for row in rows).most_common(1)[0][0]
    for query in ({}, {"value_tier": "gold"}, {"state": state, "churn_tier": ["low", "medium"]}, {"offer": "none"}):
        shown = await lake.get("/api/insights/customers", **query)
        some = [
            row
            for row in rows
            if query.get("value_tier", row["value_tier"]) == row["value_tier"]
            and query.get("state", row["state"]) == row["state"]
            and row["churn_tier"] in query.get("churn_tier", [row["churn_tier"]])
            and ("offer" not in query or row["next_best_offer"] is None)
        ]
        assert shown["totals"]["customers"] == len(some) > 0
        assert {name: shown["totals"][name] for name in sums} == {name: total(some, name) for name in sums}
        earned = total(some, "earned_premium")
        assert shown["totals"]["loss_ratio"] == round(total(some, "incurred_amount") / earned, 6)
        for part in ("value_tier", "churn_tier", "state"):
            the_same(shown[f"by_{part}"], some, part, sums, "customers")
        ids = {row["customer_id"] for row in some}
        suited = by([row for row in offers if row["customer_id"] in ids], "offer")
        assert {row["offer"]: (row["customers"], row["best_for"], row["may_contact"]) for row in shown["offers"]} == {
            name: (len(group), sum(r["priority"] == 1 for r in group), sum(r["may_contact"] for r in group))
            for name, group in suited.items()
        }
        best = sorted(some, key=lambda row: (-row["lifetime_value"], row["customer_id"]))
        assert [row["customer_id"] for row in shown["top"]] == [row["customer_id"] for row in best[:200]]


async def providers_are_those_of_the_table(lake: Lake) -> None:
    rows = lake.rows("gold.provider_performance")
    sums = ["claims", "denied_claims", "flagged_claims", "duplicate_invoices", "billed_amount", "paid_amount"]
    for query in ({}, {"in_network": "true"}, {"in_network": "false", "type": rows[0]["provider_type"]}):
        shown = await lake.get("/api/insights/providers", **query)
        some = [
            row
            for row in rows
            if str(row["is_in_network"]).lower() == query.get("in_network", str(row["is_in_network"]).lower())
            and query.get("type", row["provider_type"]) == row["provider_type"]
        ]
        assert {name: shown["totals"][name] for name in sums} == {name: total(some, name) for name in sums}
        for key, part in (("provider_type", "by_type"), ("state", "by_state"), ("is_in_network", "by_network")):
            the_same(shown[part], some, key, sums, "providers")
        assert len(shown["top"]) == shown["matching"] == len(some)
    index = (await lake.get("/api/insights/providers"))["totals"]["severity_index"]
    assert index == pytest.approx(1.0, abs=0.001)  # over all practices the book costs what the book costs


async def risk_is_that_of_the_table(lake: Lake) -> None:
    rows = lake.rows("gold.risk_scoring")
    for query in ({}, {"species": "Dog", "band": ["high", "low"]}, {"breed": "Beagle"}):
        shown = await lake.get("/api/insights/risk", limit=1000, **query)
        some = [
            row
            for row in rows
            if query.get("species", row["species"]) == row["species"]
            and query.get("breed", row["breed"]) == row["breed"]
            and row["risk_band"] in query.get("band", [row["risk_band"]])
        ]
        assert shown["totals"]["claims"] == sum(row["claims"] for row in some)
        for key, part in (
            ("risk_band", "by_band"),
            ("species", "by_species"),
            ("age_band", "by_age_band"),
            ("claim_category", "by_category"),
        ):
            the_same(shown[part], some, key, ["claims", "incurred_amount"], "cells")
        keys = ("species", "breed", "age_band", "claim_category", "relativity", "claims")
        assert Counter(tuple(row[k] for k in keys) for row in shown["top"]) == Counter(
            tuple(row[k] for k in keys) for row in some
        )


async def months_are_those_of_the_table(lake: Lake) -> None:
    rows = sorted(lake.rows("gold.monthly_kpis"), key=lambda row: row["year_month"])
    shown = (await lake.get("/api/insights/monthly"))["months"]
    overview = await lake.get("/api/insights/overview")
    assert len(shown) == len(overview["months"]) == len(rows)
    for month, brief, row in zip(shown, overview["months"], rows, strict=True):
        told = {name: value for name, value in row.items() if not name.startswith("_")}
        plain = {n: float(v) if isinstance(v, Decimal) else v for n, v in told.items()} | {"as_of": str(row["as_of"])}
        assert month == plain
        assert {name: brief[name] for name in brief if name in plain} == {n: plain[n] for n in brief if n in plain}


async def lists_are_paged_and_sorted(lake: Lake) -> None:
    rows = lake.rows("gold.claims_analytics")
    found: list[Row] = []
    token: dict[str, str] = {}
    while True:
        shown = await lake.get("/api/insights/claims", sort="decision_days", limit=150, species="Dog", **token)
        found += shown["top"]
        if shown["next_page_token"] is None:
            break
        token = {"page_token": shown["next_page_token"]}
    dogs = [row for row in rows if row["species"] == "Dog"]
    assert sorted(row["claim_id"] for row in found) == sorted(row["claim_id"] for row in dogs)
    days = [row["decision_days"] for row in found]
    known = [one for one in days if one is not None]
    assert days == sorted(known) + [None] * (len(days) - len(known))
    refused = {
        "sort=colour": "invalid_request",
        "page_token=150.old": "invalid_page_token",
        "page_token=zero": "invalid_page_token",
        "colour=red": "invalid_request",
        "from=2026-13": "invalid_request",
        "from=2026-02&to=2026-01": "invalid_request",
        "limit=0": "invalid_request",
        "limit=1001": "invalid_request",
    }
    for query, code in refused.items():
        answer = await lake.backend.http.get(f"/api/insights/claims?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, code), query


async def a_later_run_tells_what_stood_there_before(lake: Lake, first: int) -> None:
    before = await lake.get("/api/insights/claims")
    (claim, *_) = [row for row in lake.rows("silver.claims") if row["status"] == "Paid"]
    names = ("claim_id", "policy_id", "pet_id", "customer_id", "provider_id", "service_date", "submitted_date")
    texts = {name: str(claim[name]) for name in (*names, "claim_type", "claim_category", "diagnosis")}
    await lake.land(texts | {"claim_amount": "77.00", "status": "Submitted", "updated_at": "2026-07-09T00:00:00Z"})
    await lake.run("all")
    after = await lake.get("/api/insights/claims")
    assert after["before"] == {"as_of": before["as_of"], "totals": before["totals"]}
    assert before["before"] is None
    assert after["before"]["as_of"]["run_id"] == first
    assert (await lake.get("/api/insights/claims", species="Dog"))["before"] is None
