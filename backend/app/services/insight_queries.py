"""The statements behind each page of figures, and the gold tables that each of them reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LISTED = 2_000  # rows of a list; whoever needs all of them queries the table

MONTHS = "SELECT * FROM gold.monthly_kpis ORDER BY year_month"

# Percentiles cannot be added up from months; the window begins with the month :first.
CYCLE_TIME = (
    "SELECT percentile(decision_days, 0.5) AS cycle_time_p50_days, "
    "percentile(decision_days, 0.9) AS cycle_time_p90_days FROM gold.claims_analytics "
    "WHERE service_month >= :first AND service_month <= :last"
)


@dataclass(frozen=True, slots=True)
class Cube:
    """Sums by several columns at once, from which every narrower figure is added up. Amounts are sums of US dollars."""

    source: str
    dimensions: tuple[str, ...]
    counts: Mapping[str, str]
    amounts: Mapping[str, str]
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def measures(self) -> tuple[str, ...]:
        return (*self.counts, *self.amounts)

    @property
    def statement(self) -> str:
        sums = ", ".join(f"{made} AS {name}" for name, made in [*self.counts.items(), *self.amounts.items()])
        columns = ", ".join(self.dimensions)
        return f"SELECT {columns}, {sums} FROM {self.source} GROUP BY {columns} ORDER BY {columns}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page: the cube summed by a column. Ordered by a measure, the largest first, or by the column."""

    by: str | None = None
    order: str | None = None
    cube: str = "cells"
    only: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of figures. `filters` maps the name of a parameter to the column that it narrows."""

    tables: tuple[str, ...]
    cubes: Mapping[str, Cube]
    parts: Mapping[str, Part]
    rows: str
    filters: Mapping[str, str]
    month: str | None = None

    @property
    def empty(self) -> dict[str, object]:
        """The page before the first gold run."""
        parts: dict[str, object] = {name: None if part.by is None else [] for name, part in self.parts.items()}
        return parts | {"before": None, "options": {}, "top": [], "matching": 0, "listed": 0, "next_page_token": None}


def _count_if(condition: str) -> str:
    return f"count_if({condition})"


_CLAIMS = Cube(
    source="gold.claims_analytics",
    dimensions=("service_month", "species", "claim_category", "diagnosis", "status", "denial_reason"),
    counts={
        "claims": "count(*)",
        "decided_claims": _count_if("is_decided"),
        "approved_claims": _count_if("is_decided AND status <> 'Denied'"),
        "straight_through_claims": _count_if("decision_days = 0"),
        "decision_days": "coalesce(sum(CASE WHEN is_decided THEN decision_days END), 0)",
        "flagged_claims": _count_if("size(review_flags) > 0"),
    },
    amounts={
        name: f"coalesce(sum({name}), 0)"
        for name in ("claim_amount", "approved_amount", "paid_amount", "case_reserve", "leakage_amount")
    },
    ratios={
        "approval_rate": ("approved_claims", "decided_claims"),
        "straight_through_rate": ("straight_through_claims", "decided_claims"),
        "mean_decision_days": ("decision_days", "decided_claims"),
        "average_claim": ("claim_amount", "claims"),
    },
)

_CUSTOMER = ("state", "value_tier", "churn_tier", "next_best_offer")
_CUSTOMERS = Cube(
    source="gold.customer_360",
    dimensions=_CUSTOMER,
    counts={
        "customers": "count(*)",
        "active_customers": _count_if("active_policies > 0"),
        "active_policies": "coalesce(sum(active_policies), 0)",
        "pets": "coalesce(sum(pets), 0)",
        "claims": "coalesce(sum(claims), 0)",
    },
    amounts={
        name: f"coalesce(sum({name}), 0)"
        for name in ("annual_premium", "earned_premium", "paid_amount", "incurred_amount", "lifetime_value")
    },
    ratios={
        "loss_ratio": ("incurred_amount", "earned_premium"),
        "average_lifetime_value": ("lifetime_value", "customers"),
    },
)
_OFFERS = Cube(
    source=(
        "(SELECT offer, priority, may_contact, score, state, churn_tier, next_best_offer, c.value_tier AS value_tier "
        "FROM gold.cross_sell o JOIN gold.customer_360 c ON o.customer_id = c.customer_id) suited"
    ),
    dimensions=("offer", *_CUSTOMER),
    counts={"customers": "count(*)", "best_for": _count_if("priority = 1"), "may_contact": _count_if("may_contact")},
    amounts={"score": "sum(score)"},
    ratios={"average_score": ("score", "customers")},
)
_PROVIDERS = Cube(
    source="gold.provider_performance",
    dimensions=("provider_type", "state", "is_in_network"),
    counts={
        "providers": "count(*)",
        "providers_with_claims": _count_if("claims > 0"),
        **{
            name: f"coalesce(sum({name}), 0)"
            for name in (
                *("claims", "decided_claims", "denied_claims", "emergency_claims"),
                *("duplicate_invoices", "flagged_claims"),
            )
        },
        "claims_in_network": "coalesce(sum(CASE WHEN is_in_network THEN claims ELSE 0 END), 0)",
    },
    amounts={
        "billed_amount": "coalesce(sum(billed_amount), 0)",
        "paid_amount": "coalesce(sum(paid_amount), 0)",
        "peer_amount": "coalesce(sum(CASE WHEN severity_index > 0 THEN billed_amount / severity_index END), 0)",
    },
    ratios={
        "severity_index": ("billed_amount", "peer_amount"),
        "denial_rate": ("denied_claims", "decided_claims"),
        "network_share": ("claims_in_network", "claims"),
        "average_billed": ("billed_amount", "claims"),
    },
)
_RISK = Cube(
    source="gold.risk_scoring",
    dimensions=("species", "breed", "age_band", "claim_category", "risk_band"),
    counts={
        "cells": "count(*)",
        "claims": "coalesce(sum(claims), 0)",
        "emergency_claims": "coalesce(sum(emergency_claims), 0)",
    },
    amounts={"incurred_amount": "coalesce(sum(incurred_amount), 0)"},
    ratios={"severity": ("incurred_amount", "claims"), "emergency_rate": ("emergency_claims", "claims")},
)

PAGES = {
    "claims": Page(
        tables=("gold.claims_analytics",),
        cubes={"cells": _CLAIMS},
        parts={
            "totals": Part(),
            "by_month": Part("service_month"),
            "by_status": Part("status", "claims"),
            "by_category": Part("claim_category", "claims"),
            "by_species": Part("species", "claims"),
            "by_denial_reason": Part("denial_reason", "claims", only=("status", "Denied")),
            "by_diagnosis": Part("diagnosis", "paid_amount"),
        },
        rows=(
            "SELECT claim_id, service_date, service_month, status, denial_reason, species, breed, claim_category, "
            "diagnosis, provider_id, provider_name, claim_amount, approved_amount, paid_amount, expected_paid, "
            "leakage_amount, decision_days, review_flags FROM gold.claims_analytics "
            f"ORDER BY claim_amount DESC, claim_id LIMIT {LISTED}"
        ),
        filters={
            "species": "species",
            "category": "claim_category",
            "diagnosis": "diagnosis",
            "status": "status",
            "reason": "denial_reason",
        },
        month="service_month",
    ),
    "customers": Page(
        tables=("gold.customer_360", "gold.cross_sell"),
        cubes={"cells": _CUSTOMERS, "offers": _OFFERS},
        parts={
            "totals": Part(),
            "by_value_tier": Part("value_tier", "customers"),
            "by_churn_tier": Part("churn_tier", "customers"),
            "by_state": Part("state", "customers"),
            "offers": Part("offer", "best_for", cube="offers"),
        },
        rows=(
            "SELECT customer_id, first_name, last_name, state, pets, active_policies, annual_premium, "
            "earned_premium, claims, paid_amount, incurred_amount, loss_ratio, lifetime_value, tenure_months, "
            "value_tier, churn_tier, next_best_offer, next_best_offer_reason FROM gold.customer_360 "
            f"ORDER BY lifetime_value DESC, customer_id LIMIT {LISTED}"
        ),
        filters={
            "state": "state",
            "value_tier": "value_tier",
            "churn_tier": "churn_tier",
            "offer": "next_best_offer",
        },
    ),
    "providers": Page(
        tables=("gold.provider_performance",),
        cubes={"cells": _PROVIDERS},
        parts={
            "totals": Part(),
            "by_type": Part("provider_type", "claims"),
            "by_state": Part("state", "claims"),
            "by_network": Part("is_in_network", "claims"),
        },
        rows=f"SELECT * FROM gold.provider_performance ORDER BY billed_amount DESC, provider_id LIMIT {LISTED}",
        filters={"type": "provider_type", "state": "state", "in_network": "is_in_network"},
    ),
    "risk": Page(
        tables=("gold.risk_scoring",),
        cubes={"cells": _RISK},
        parts={
            "totals": Part(),
            "by_band": Part("risk_band", "claims"),
            "by_species": Part("species", "claims"),
            "by_age_band": Part("age_band", "claims"),
            "by_category": Part("claim_category", "claims"),
        },
        rows=(
            "SELECT * FROM gold.risk_scoring "
            f"ORDER BY relativity DESC, claims DESC, species, breed, age_band, claim_category LIMIT {LISTED}"
        ),
        filters={
            "species": "species",
            "breed": "breed",
            "age_band": "age_band",
            "category": "claim_category",
            "band": "risk_band",
        },
    ),
}
