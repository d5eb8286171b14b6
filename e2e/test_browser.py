"""What a user sees and clicks, in a real browser against the real product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.notebooks import HEADER, SILVER, gated, original, put
from e2e.server import Server

LONG = 60_000
AXE = Path(__file__).parents[1] / "bi-dashboard" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    *("/", "/overview", "/runs", "/claims"),
    *("/insights/claims?species=Dog", "/insights/customers", "/insights/providers", "/insights/risk"),
)


@pytest.fixture
def gate(server: Server, tmp_path: Path) -> Iterator[Path]:
    """Silver waits for this file, so that a run stays active for as long as the test looks at it."""
    put(server, SILVER, gated(SILVER, tmp_path / "gate"))
    yield tmp_path / "gate"
    (tmp_path / "gate").touch()
    put(server, SILVER, original(SILVER))
    for run in server.get("/api/pipeline/databricks/runs")["runs"]:
        server.ended(run["run_id"])


def main(page: Page) -> str:
    return page.get_by_role("main").inner_text()


def test_the_demo_flow_from_the_click_to_the_records(server: Server, page: Page, gate: Path) -> None:
    page.goto(server.url)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert "Running" not in main(page)
    page.get_by_role("button", name="Process Bronze to Silver").click()
    expect(page.get_by_text("Running on the local workspace…").first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Task 2 of 2 · Silver · 02_silver_transformations")).to_be_visible(timeout=LONG)
    run = server.get("/api/pipeline/databricks/runs")["runs"][0]
    link = page.get_by_role("link", name=re.compile("Open run")).first
    assert link.get_attribute("href") == run["job_url"]
    gate.touch()
    expect(page.get_by_text(re.compile(r"Bronze → Silver finished in \d"))).to_be_visible(timeout=LONG)
    ended = server.ended(run["run_id"])
    expect(page.get_by_text("Records in").first).to_be_visible()
    assert f"{ended['records']['in']:,}" in main(page)
    assert "Running" not in main(page)


def test_the_link_opens_the_run_page_of_the_workspace_without_a_token(server: Server, page: Page) -> None:
    run = server.get("/api/pipeline/databricks/runs")["runs"][-1]
    page.goto(run["job_url"])
    expect(page.get_by_text("bronze_ingestion").first).to_be_visible()
    expect(page.get_by_text("gold_aggregations").first).to_be_visible()
    assert "key=" not in page.url


def test_a_run_survives_reload_and_is_seen_by_another_user_in_another_browser(
    server: Server, page: Page, browser: Browser, gate: Path
) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Process Bronze to Silver").click()
    expect(page.get_by_text("Running on the local workspace…").first).to_be_visible(timeout=LONG)
    page.reload()
    expect(page.get_by_text("Running on the local workspace…").first).to_be_visible()
    elsewhere = browser.new_context()
    try:
        other = elsewhere.new_page()
        other.goto(server.url)
        expect(other.get_by_text("Running on the local workspace…").first).to_be_visible()
        gate.touch()
        for one in (page, other):
            expect(one.get_by_text(re.compile("finished in")).first).to_be_visible(timeout=LONG)
    finally:
        elsewhere.close()


def test_a_failure_tells_its_reason_and_its_trace_and_retry_repairs_it(server: Server, page: Page) -> None:
    put(server, SILVER, HEADER + 'raise ValueError("the vet is on holiday")\n')
    try:
        page.goto(server.url)
        page.get_by_role("button", name="Process Bronze to Silver").click()
        alert = page.get_by_role("main").get_by_text(re.compile("the vet is on holiday")).first
        expect(alert).to_be_visible(timeout=LONG)
    finally:
        put(server, SILVER, original(SILVER))
    page.get_by_role("main").get_by_role("button", name=re.compile("trace", re.I)).first.click()
    expect(page.get_by_text(re.compile("02_silver_transformations.*line", re.S)).first).to_be_visible()
    page.get_by_role("main").get_by_role("button", name=re.compile("Retry")).first.click()
    expect(page.get_by_text(re.compile(r"Bronze → Silver finished in \d"))).to_be_visible(timeout=LONG)


def test_chosen_claims_travel_with_the_click(server: Server, page: Page) -> None:
    claim_id = server.table("silver.claims").to_pyarrow_table(columns=["claim_id"])["claim_id"][0].as_py()
    page.goto(server.url)
    page.get_by_role("button", name="Choose claims").click()
    box = page.get_by_role("textbox", name="Claims", exact=True)
    box.fill(f"{claim_id} not/an/id")
    box.press("Enter")
    expect(page.get_by_text("not/an/id").first).to_be_visible()
    page.get_by_role("button", name="Process Silver to Gold").click()
    expect(page.get_by_text(re.compile(r"Gold finished in \d")).first).to_be_visible(timeout=LONG)
    assert server.get("/api/pipeline/databricks/runs")["runs"][0]["claim_ids"] == [claim_id]


def test_the_overview_shows_the_figures_of_gold_and_the_run_they_come_from(server: Server, page: Page) -> None:
    kpis = server.table("gold.monthly_kpis").to_pyarrow_table().to_pylist()
    year = sorted(kpis, key=lambda row: str(row["year_month"]))[-12:]
    ratio = sum(row["incurred_amount"] for row in year) / sum(row["earned_premium"] for row in year)
    page.goto(f"{server.url}/overview")
    expect(page.get_by_text(f"{float(ratio) * 100:.1f}%").first).to_be_visible()
    as_of = server.get("/api/insights/overview")["as_of"]
    expect(page.get_by_role("link", name=re.compile(str(as_of["run_id"]))).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_breaks_an_accessibility_rule_or_scrolls_sideways(
    server: Server, browser: Browser, scheme: str, width: int
) -> None:
    run = server.get("/api/pipeline/databricks/runs")["runs"][-1]["run_id"]
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )  # fmt: skip
    try:
        page = context.new_page()
        for path in (*PAGES, f"/runs/{run}"):
            page.goto(server.url + path)
            expect(page.get_by_role("main")).to_be_visible()
            page.wait_for_load_state("load")
            page.evaluate(AXE.read_text())
            tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
            found = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
            assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], path
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    finally:
        context.close()


def test_the_page_says_offline_when_the_server_stops_and_live_when_it_is_back(own_server: Server, page: Page) -> None:
    own_server.start()
    own_server.first_run()
    page.goto(own_server.url)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    own_server.interrupt()
    expect(page.get_by_text(re.compile("Reconnecting|Offline since")).first).to_be_visible()
    own_server.start()
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Succeeded").first).to_be_visible()


def test_with_access_tokens_the_browser_signs_in_once_and_stays_live(
    own_server: Server, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "PETINSURE_API_TOKENS", "ann:operator:a-token-of-enough-length,bob:viewer:another-token-of-length"
    )
    own_server.start()
    assert own_server.http.get("/api/pipeline/status").status_code == 401
    viewer = {"Authorization": "Bearer another-token-of-length"}
    refused = own_server.post("/api/pipeline/databricks/trigger", {"layer": "gold"}, **viewer)
    assert refused.status_code == 403
    context = browser.new_context(http_credentials={"username": "ann", "password": "a-token-of-enough-length"})
    try:
        page = context.new_page()
        page.goto(own_server.url)
        expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=LONG)
        page.reload()
        expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=LONG)
        expect(page.get_by_text(re.compile("finished in")).first).to_be_visible(timeout=LONG)
    finally:
        context.close()
