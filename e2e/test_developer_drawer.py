"""Letting things go wrong on purpose, from the dashboard's developer drawer."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from e2e.server import Server


def runs_of(server: Server) -> set[int]:
    return {run.run_id for run in server.workspace().jobs.list_runs() if run.run_id is not None}


def test_a_lost_reply_switched_on_in_the_drawer_still_makes_one_run_of_one_click(server: Server, page: Page) -> None:
    before = runs_of(server)
    page.goto(f"{server.url}/pipeline")
    page.get_by_role("button", name="Developer tools").click()
    drawer = page.get_by_role("dialog", name="Things that go wrong on purpose")
    expect(drawer).to_contain_text("Nothing goes wrong on purpose.")
    drawer.get_by_role("button", name="Switch on: Lost reply of the next run-now").click()
    expect(drawer).to_contain_text("On, has struck 0 times")
    answer: dict[str, Any] = server.trigger("gold", if_active="queue")
    expect(drawer).to_contain_text("Over, has struck 1 time")
    server.ended(answer["run_id"])
    assert runs_of(server) - before == {answer["run_id"]}
    drawer.get_by_role("button", name="Switch all off").click()
    expect(drawer).to_contain_text("Nothing goes wrong on purpose.")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
