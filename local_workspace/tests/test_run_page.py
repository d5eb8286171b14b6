"""The page of a run in a real browser, over documents in the shape of the Jobs API."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk.service.workspace import Language
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.applications import Starlette

from local_workspace.api import run_page
from local_workspace.api.http import missing
from local_workspace.runs.links import RunLinks
from local_workspace.server.errors import HANDLERS
from local_workspace.tests.serving_app import serving, workspace

RUN_ID = 1_700_000_000_123_456
STARTED_MS = 1_763_884_800_000


def task(run_id: int, key: str, life: str, result: str | None = None, **more: Any) -> dict[str, Any]:
    state = {"life_cycle_state": life, "state_message": ""} | ({"result_state": result} if result else {})
    times = {"start_time": STARTED_MS, "end_time": STARTED_MS + 31_000 if result else 0, "setup_duration": 4000}
    notebook = {"notebook_path": f"/PetInsure360/{key}", "base_parameters": {"task_key": key}}
    base = {"run_id": run_id, "task_key": key, "attempt_number": 0, "state": state, "notebook_task": notebook}
    return base | times | more


def run_document(life: str, result: str | None, tasks: list[dict[str, Any]]) -> dict[str, Any]:
    state = {"life_cycle_state": life, "state_message": ""} | ({"result_state": result} if result else {})
    return {
        "run_id": RUN_ID,
        "job_id": 7,
        "run_name": "PetInsure360 <medallion>",
        "state": state,
        "start_time": STARTED_MS,
        "end_time": STARTED_MS + 45_000 if result else 0,
        "job_parameters": [{"name": "catalog", "default": "petinsure360"}, {"name": "claim_ids", "value": ""}],
        "tasks": tasks,
    }


class FixedRuns:
    """Reads the documents that a test puts here."""

    def __init__(self) -> None:
        self.run: dict[str, Any] | None = None
        self.outputs: dict[int, dict[str, Any]] = {}
        self.cells_of: dict[int, list[dict[str, Any]]] = {}

    def get_run(self, run_id: int) -> dict[str, Any]:
        if self.run is None:
            raise missing(f"Run {run_id} does not exist.")
        return dict(self.run)

    def get_output(self, task_run_id: int) -> dict[str, Any]:
        return self.outputs.get(task_run_id, {})

    def cells(self, task_run_id: int) -> list[dict[str, Any]]:
        return self.cells_of.get(task_run_id, [])


class FixedClock:
    def __init__(self) -> None:
        self.ms = STARTED_MS

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("links never sleep")


class Pages:
    """The page's server, what it shows, and how to stop it."""

    def __init__(self, host: str, runs: FixedRuns, clock: FixedClock, links: RunLinks) -> None:
        self.host, self.runs, self.clock, self.links = host, runs, clock, links
        self.view = f"{host}/api/local/runs/{RUN_ID}/view"

    def key(self) -> str:
        return self.links.url(RUN_ID).partition("#key=")[2]


@pytest.fixture
def pages() -> Iterator[Pages]:
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{port.getsockname()[1]}"
        runs, clock = FixedRuns(), FixedClock()
        links = RunLinks(host=host, workspace_id="1", token="dapi-for-tests", clock=clock)
        runs.run = run_document(
            "RUNNING", None, [task(1, "bronze", "TERMINATED", "SUCCESS"), task(2, "silver", "RUNNING")]
        )
        with serving(Starlette(routes=run_page.routes(runs, links), exception_handlers=HANDLERS), port):
            yield Pages(host, runs, clock, links)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    assert path, "The page tests need Chromium: `make test` installs it as root; else install it or set CHROMIUM."
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function that opens an address in a browser context of its own; page errors fail the test."""
    contexts, faults = [], []

    def open_(address: str, **more: Any) -> Page:
        context = browser.new_context(viewport={"width": more.pop("width", 1440), "height": 900}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def test_the_key_leaves_the_address_bar_and_survives_a_reload(pages: Pages, opened: Callable[..., Page]) -> None:
    page = opened(pages.links.url(RUN_ID))
    expect(page.get_by_role("heading", level=1)).to_have_text("PetInsure360 <medallion>")
    assert page.url == f"{pages.host}/runs/{RUN_ID}"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("PetInsure360 <medallion>")


def test_states_are_words_and_the_page_follows_them_to_the_end(pages: Pages, opened: Callable[..., Page]) -> None:
    page = opened(pages.links.url(RUN_ID))
    silver = page.get_by_role("row", name="silver")
    expect(silver).to_contain_text("Running")
    expect(page.locator("#live")).to_have_text("Live")
    pages.runs.run = run_document(
        "INTERNAL_ERROR",
        "FAILED",
        [task(1, "bronze", "TERMINATED", "SUCCESS"), task(2, "silver", "TERMINATED", "FAILED")],
    )
    pages.runs.outputs[2] = {"error": "ValueError: <b>bad</b>", "error_trace": "\x1b[31mTraceback\x1b[0m line 12"}
    expect(silver).to_contain_text("Failed")
    expect(page.locator("#live")).to_have_text("Final")
    expect(page.get_by_text("ValueError: <b>bad</b>")).to_be_visible()
    trace = page.get_by_text("Traceback line 12")
    expect(trace).to_be_hidden()
    page.get_by_text("Trace", exact=True).click()
    expect(trace).to_be_visible()


def test_an_unknown_state_is_shown_by_its_own_name(pages: Pages, opened: Callable[..., Page]) -> None:
    pages.runs.run = run_document("RUNNING", None, [task(1, "bronze", "EVAPORATING")])
    expect(opened(pages.links.url(RUN_ID)).get_by_role("row", name="bronze")).to_contain_text("EVAPORATING")


def test_a_result_is_indented_and_parameters_are_listed(pages: Pages, opened: Callable[..., Page]) -> None:
    pages.runs.outputs[1] = {"notebook_output": {"result": json.dumps({"rows_in": 15000})}}
    page = opened(pages.links.url(RUN_ID))
    expect(page.get_by_text('{\n  "rows_in": 15000\n}')).to_be_visible()
    expect(page.get_by_role("row", name="catalog")).to_contain_text("petinsure360")
    expect(page.get_by_role("row", name="claim_ids")).to_contain_text("(empty)")


def test_each_attempt_is_a_row_of_its_own(pages: Pages, opened: Callable[..., Page]) -> None:
    first, second = task(1, "silver", "TERMINATED", "FAILED"), task(2, "silver", "RUNNING", attempt_number=1)
    pages.runs.run = run_document("RUNNING", None, [first, second])
    rows = opened(pages.links.url(RUN_ID)).get_by_role("row", name="silver")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("2")


def test_what_was_opened_stays_open_when_the_page_refreshes(pages: Pages, opened: Callable[..., Page]) -> None:
    page = opened(pages.links.url(RUN_ID))
    page.get_by_text("Task parameters (1)").nth(1).click()
    pages.runs.run = run_document("TERMINATED", "SUCCESS", [task(2, "silver", "TERMINATED", "SUCCESS")])
    expect(page.locator("#live")).to_have_text("Final")
    expect(page.locator("#base-2")).to_have_attribute("open", "")


def test_cells_show_code_output_tables_and_what_a_killed_worker_left(pages: Pages, opened: Callable[..., Page]) -> None:
    pages.runs.run = run_document("TERMINATED", "CANCELED", [task(2, "silver", "TERMINATED", "CANCELED")])
    table = {"type": "table", "columns": ["claim_id", "amount"], "rows": [["CLM-1", None]], "truncated": False}
    evil = {"type": "html", "html": "<h3>Shown</h3><script>top.document.title = 'owned'</script>"}
    times = {"started_at_ms": STARTED_MS, "ended_at_ms": STARTED_MS + 1200}
    pages.runs.cells_of[2] = [
        {"source": "print(1)", "status": "success", "outputs": [{"type": "text", "text": "<i>1</i>"}, table]} | times,
        {"source": "displayHTML(x)", "status": "running", "outputs": [evil], "started_at_ms": STARTED_MS},
    ]
    page = opened(pages.links.url(RUN_ID))
    expect(page.get_by_text("<i>1</i>")).to_be_visible()
    expect(page.get_by_role("row", name="CLM-1")).to_contain_text("null")
    expect(page.frame_locator("iframe").get_by_text("Shown")).to_be_visible()
    expect(page.locator(".cell").nth(1)).to_contain_text("Stopped")
    expect(page).to_have_title("Canceled – PetInsure360 <medallion>")


def test_without_a_key_the_page_says_where_to_get_one(pages: Pages, opened: Callable[..., Page]) -> None:
    page = opened(f"{pages.host}/runs/{RUN_ID}")
    expect(page.get_by_role("alert")).to_contain_text("Open this run from the dashboard again")


def test_an_expired_key_says_so(pages: Pages, opened: Callable[..., Page]) -> None:
    address = pages.links.url(RUN_ID)
    pages.clock.ms += 40 * 86_400_000
    expect(opened(address).get_by_role("alert")).to_contain_text("expired")


def test_a_lost_workspace_is_told_with_the_last_known_time(pages: Pages, opened: Callable[..., Page]) -> None:
    page = opened(pages.links.url(RUN_ID))
    expect(page.locator("#live")).to_have_text("Live")
    page.route("**/view", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("The workspace cannot be reached. Last known at")
    expect(page.get_by_role("row", name="silver")).to_contain_text("Running")
    page.unroute("**/view")
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_never_scrolls_sideways(pages: Pages, opened: Callable[..., Page], scheme: str) -> None:
    page = opened(pages.links.url(RUN_ID), width=390, color_scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_the_keyboard_reaches_a_task_from_the_table(pages: Pages, opened: Callable[..., Page]) -> None:
    page = opened(pages.links.url(RUN_ID))
    page.get_by_role("link", name="silver").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#task-2")).to_be_focused()


@pytest.mark.parametrize("key", ["", "x", "99999999999.x", "\u00e4.\u00e4"])
def test_a_wrong_key_opens_nothing(pages: Pages, key: str) -> None:
    reply = httpx.get(pages.view, headers={"X-View-Key": key.encode("latin-1")})
    assert (reply.status_code, reply.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_key_of_one_run_does_not_open_another(pages: Pages) -> None:
    other = f"{pages.host}/api/local/runs/{RUN_ID + 1}/view"
    assert httpx.get(other, headers={"X-View-Key": pages.key()}).status_code == 403


def test_an_unchanged_run_is_answered_without_a_body(pages: Pages) -> None:
    first = httpx.get(pages.view, headers={"X-View-Key": pages.key()})
    again = httpx.get(pages.view, headers={"X-View-Key": pages.key(), "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", f"/runs/{RUN_ID}", "/static/run.js", "/static/run.css"])
def test_every_page_forbids_what_it_does_not_need(pages: Pages, path: str) -> None:
    headers = httpx.get(pages.host + path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/none.js"])
def test_only_the_page_files_are_served(pages: Pages, path: str) -> None:
    assert httpx.get(pages.host + path).status_code == 404


def test_a_real_run_is_shown_from_the_link_of_its_answer(opened: Callable[..., Page], tmp_path: Path) -> None:
    source = b"# Databricks notebook source\nprint('from the notebook')\ndbutils.notebook.exit('{\"rows_in\": 3}')\n"
    with workspace(tmp_path) as served:
        served.sdk.workspace.upload("/Shared/nb", source, language=Language.PYTHON)
        task_ = {"task_key": "only_task", "notebook_task": {"notebook_path": "/Shared/nb"}}
        body = {"run_name": "A real run", "tasks": [task_]}
        answered = served.http.post("/api/2.2/jobs/runs/submit", json=body).json()
        page = opened(answered["run_view_url"])
        expect(page.locator("#live")).to_have_text("Final", timeout=60_000)
        expect(page.get_by_role("row", name="only_task")).to_contain_text("Succeeded")
        expect(page.get_by_text('{\n  "rows_in": 3\n}')).to_be_visible()
        page.reload()  # who watched the run has its cells open, who comes later has not
        page.get_by_text("Cells (1)").click()
        expect(page.get_by_label("Output of cell 1")).to_be_visible()
        expect(page.get_by_label("Output of cell 1")).to_contain_text("from the notebook")
        assert answered["run_view_url"].partition("#key=")[2] not in page.content()


def test_the_static_files_refer_to_nothing_outside() -> None:
    text = "".join(path.read_text() for path in run_page.STATIC.iterdir())
    assert "http://" not in text
    assert "https://" not in text


def test_the_pages_say_when_faults_are_switched_on(tmp_path: Path, opened: Callable[..., Page]) -> None:
    with workspace(tmp_path) as served:
        page = opened(served.host)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("status")).to_have_count(0)
        served.http.put("/api/local/faults", json={"rules": [{"kind": "lost_reply", "call": "run-now"}]})
        page.reload()
        expect(page.get_by_role("status")).to_contain_text("Faults are switched on here: lost_reply (run-now).")
        run_page = opened(f"{served.host}/runs/{RUN_ID}")
        expect(run_page.get_by_text("Faults are switched on here: lost_reply (run-now).")).to_be_visible()
