"""Ratios come from sums, and values of the SQL API become what they are."""

from typing import Any

import pytest

from app.domain.events import compact_json
from app.domain.kpis import month_figures, window_figures
from app.services.insights import rows_of, typed_value
from app.services.workspace_answers import StatementResult


def month(year_month: str, **figures: Any) -> dict[str, Any]:
    return {
        "year_month": year_month,
        "earned_premium": 0.0,
        "claims": 0,
        "paid_amount": 0.0,
        "incurred_amount": 0.0,
    } | figures


def test_a_window_has_its_ratios_from_sums_not_from_averages() -> None:
    months = [
        month(
            "2026-01", earned_premium=100.0, incurred_amount=90.0, paid_amount=80.0, approved_claims=1, decided_claims=1
        ),
        month(
            "2026-02", earned_premium=900.0, incurred_amount=90.0, paid_amount=20.0, approved_claims=0, decided_claims=9
        ),
    ]
    found = window_figures(months, {"cycle_time_p50_days": 3.0, "cycle_time_p90_days": 9.0})
    assert found == {
        "year_month": "2026-01/2026-02",
        "earned_premium": 1000.0,
        "claims": 0,
        "paid_amount": 100.0,
        "incurred_amount": 180.0,
        "loss_ratio": 0.18,
        "paid_loss_ratio": 0.1,
        "approval_rate": 0.1,
        "cycle_time_p50_days": 3.0,
        "cycle_time_p90_days": 9.0,
    }


def test_a_window_without_premium_or_decisions_has_no_ratios() -> None:
    found = window_figures([month("2026-01", claims=2)], {})
    assert found is not None
    assert (found["loss_ratio"], found["approval_rate"], found["cycle_time_p50_days"]) == (None, None, None)
    assert window_figures([], {}) is None


def test_amounts_that_binary_fractions_cannot_hold_still_add_up_to_cents() -> None:
    found = window_figures([month("2026-01", paid_amount=0.1), month("2026-02", paid_amount=0.2)], {})
    assert found is not None
    assert found["paid_amount"] == 0.3


def test_a_month_tells_its_cycle_time_under_the_name_of_the_overview() -> None:
    told = month_figures(month("2026-01", decision_days_p50=2.5, decision_days_p90=7.0, loss_ratio=0.7))
    assert (told["cycle_time_p50_days"], told["cycle_time_p90_days"], told["loss_ratio"]) == (2.5, 7.0, 0.7)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (None, "INT", None),
        ("7", "LONG", 7),
        ("7.50", "DECIMAL", 7.5),
        ("7.50", "decimal(12,2)", 7.5),
        ("NaN", "DOUBLE", None),
        ("-Infinity", "DOUBLE", None),
        ("true", "BOOLEAN", True),
        ("2026-01-01", "DATE", "2026-01-01"),
        ('["a"]', "ARRAY", ["a"]),
        ("not json", "ARRAY", "not json"),
    ],
)
def test_values_of_the_sql_api_become_json_values(text: str | None, kind: str, value: object) -> None:
    assert typed_value(text, kind) == value


def test_columns_of_our_own_bookkeeping_are_not_shown() -> None:
    answer = StatementResult(("claims", "_run_id"), [["3", "99"]], ("LONG", "STRING"))
    assert rows_of(answer) == [{"claims": 3}]


def test_text_that_utf_8_cannot_carry_does_not_stop_the_log() -> None:
    text = compact_json({"message": "half a pair: \ud800, whole: \U0001f436 é"})
    assert text.encode().decode() == '{"message":"half a pair: ?, whole: \U0001f436 é"}'
