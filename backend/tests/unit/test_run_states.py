"""Reading states as the workspace tells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.run_states import KNOWN_LIFE_CYCLE, KNOWN_STATUS, TERMINAL_LIFE_CYCLE, read_state


def test_the_current_form_is_read_first() -> None:
    seen = read_state({"status": {"state": "RUNNING"}, "state": {"life_cycle_state": "TERMINATED"}})
    assert not seen.terminal


def test_a_failed_run_shows_the_old_word_and_ends_by_the_new_one() -> None:
    raw = {
        "status": {"state": "TERMINATED", "termination_details": {"code": "RUN_EXECUTION_ERROR"}},
        "state": {"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED"},
    }
    seen = read_state(raw)
    assert (seen.state, seen.result, seen.terminal, seen.success) == ("INTERNAL_ERROR", "FAILED", True, False)


@pytest.mark.parametrize("life_cycle", sorted(KNOWN_LIFE_CYCLE))
def test_without_the_current_form_the_old_one_decides(life_cycle: str) -> None:
    seen = read_state({"state": {"life_cycle_state": life_cycle}})
    assert (seen.state, seen.terminal) == (life_cycle, life_cycle in TERMINAL_LIFE_CYCLE)


@pytest.mark.parametrize(
    ("code", "result"),
    [("SUCCESS", "SUCCESS"), ("USER_CANCELED", "CANCELED"), ("DRIVER_ERROR", "FAILED"), ("SOMETHING_NEW", None)],
)
def test_a_server_with_the_current_form_only_is_understood(code: str, result: str | None) -> None:
    seen = read_state({"status": {"state": "TERMINATED", "termination_details": {"code": code}}})
    assert (seen.terminal, seen.result, seen.code) == (True, result, code)


@given(st.text(min_size=1).filter(lambda text: text not in KNOWN_LIFE_CYCLE | KNOWN_STATUS))
def test_an_unknown_value_is_kept_and_ends_nothing(word: str) -> None:
    for raw in ({"status": {"state": word}}, {"state": {"life_cycle_state": word}}):
        seen = read_state(raw)
        assert (seen.state, seen.terminal) == (word, False)
