"""The book's key figures over several months: ratios from sums, never averages of ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Month = Mapping[str, Any]

SUMS = ("earned_premium", "claims", "paid_amount", "incurred_amount")
TRAILING_MONTHS = 12


def month_figures(month: Month) -> dict[str, Any]:
    """What the overview tells of one row of monthly_kpis."""
    told = ("year_month", *SUMS, "loss_ratio", "paid_loss_ratio", "approval_rate")
    return {name: month.get(name) for name in told} | {
        "cycle_time_p50_days": month.get("decision_days_p50"),
        "cycle_time_p90_days": month.get("decision_days_p90"),
    }


def window_figures(months: Sequence[Month], cycle_time: Month) -> dict[str, Any] | None:
    """The same figures for all the months together; None without months."""
    if not months:
        return None
    sums = {name: _total(months, name) for name in SUMS}
    return {
        "year_month": f"{months[0]['year_month']}/{months[-1]['year_month']}",
        **sums,
        "loss_ratio": _ratio(sums["incurred_amount"], sums["earned_premium"]),
        "paid_loss_ratio": _ratio(sums["paid_amount"], sums["earned_premium"]),
        "approval_rate": _ratio(_total(months, "approved_claims"), _total(months, "decided_claims")),
        "cycle_time_p50_days": cycle_time.get("cycle_time_p50_days"),
        "cycle_time_p90_days": cycle_time.get("cycle_time_p90_days"),
    }


def _total(months: Sequence[Month], name: str) -> float | int:
    total = sum(month.get(name) or 0 for month in months)
    return round(total, 2) if isinstance(total, float) else total


def _ratio(over: float, under: float) -> float | None:
    return round(over / under, 6) if under else None
