"""The statements behind each page of figures, and the gold tables that each of them reads."""

from __future__ import annotations

from dataclasses import dataclass

TOP = 200  # rows in a list; whoever needs all of them queries the table


@dataclass(frozen=True, slots=True)
class Page:
    """One page of figures: its tables, and its parts by name. A part in `single` is one object, not a list."""

    tables: tuple[str, ...]
    parts: dict[str, str]
    single: frozenset[str] = frozenset({"totals"})


MONTHS = "SELECT * FROM gold.monthly_kpis ORDER BY year_month"

# Percentiles cannot be added up from months; the window begins with the month :first.
CYCLE_TIME = (
    "SELECT percentile(decision_days, 0.5) AS cycle_time_p50_days, "
    "percentile(decision_days, 0.9) AS cycle_time_p90_days FROM gold.claims_analytics "
    "WHERE service_month >= :first AND service_month <= :last"
)

_CLAIM_SUMS = (
    "count(*) AS claims, sum(claim_amount) AS claim_amount, sum(approved_amount) AS approved_amount, "
    "sum(paid_amount) AS paid_amount, sum(case_reserve) AS case_reserve, sum(leakage_amount) AS leakage_amount"
)
_CUSTOMER_SUMS = (
    "count(*) AS customers, sum(annual_premium) AS annual_premium, sum(earned_premium) AS earned_premium, "
    "sum(incurred_amount) AS incurred_amount, sum(lifetime_value) AS lifetime_value"
)


def _claims_by(column: str) -> str:
    return f"SELECT {column}, {_CLAIM_SUMS} FROM gold.claims_analytics GROUP BY {column} ORDER BY claims DESC, {column}"


def _customers_by(column: str) -> str:
    return (
        f"SELECT {column}, {_CUSTOMER_SUMS} FROM gold.customer_360 GROUP BY {column} ORDER BY customers DESC, {column}"
    )


PAGES = {
    "claims": Page(
        ("gold.claims_analytics",),
        {
            "totals": f"SELECT {_CLAIM_SUMS} FROM gold.claims_analytics",
            "by_status": _claims_by("status"),
            "by_category": _claims_by("claim_category"),
            "by_species": _claims_by("species"),
            "by_denial_reason": (
                f"SELECT denial_reason, {_CLAIM_SUMS} FROM gold.claims_analytics WHERE status = 'Denied' "
                "GROUP BY denial_reason ORDER BY claims DESC, denial_reason"
            ),
            "by_diagnosis": (
                f"SELECT diagnosis, {_CLAIM_SUMS} FROM gold.claims_analytics GROUP BY diagnosis "
                f"ORDER BY paid_amount DESC, diagnosis LIMIT {TOP}"
            ),
            "top": (
                "SELECT claim_id, service_date, status, species, breed, diagnosis, provider_id, provider_name, "
                "claim_amount, approved_amount, paid_amount, expected_paid, leakage_amount FROM gold.claims_analytics "
                f"ORDER BY claim_amount DESC, claim_id LIMIT {TOP}"
            ),
        },
    ),
    "customers": Page(
        ("gold.customer_360", "gold.cross_sell"),
        {
            "totals": f"SELECT {_CUSTOMER_SUMS} FROM gold.customer_360",
            "by_value_tier": _customers_by("value_tier"),
            "by_churn_tier": _customers_by("churn_tier"),
            "offers": (
                "SELECT offer, count(*) AS customers, count_if(priority = 1) AS best_for, "
                "count_if(may_contact) AS may_contact, avg(score) AS average_score "
                "FROM gold.cross_sell GROUP BY offer ORDER BY best_for DESC, offer"
            ),
            "top": (
                "SELECT customer_id, first_name, last_name, state, pets, active_policies, annual_premium, "
                "earned_premium, claims, paid_amount, incurred_amount, loss_ratio, lifetime_value, tenure_months, "
                "value_tier, churn_tier, next_best_offer, next_best_offer_reason FROM gold.customer_360 "
                f"ORDER BY lifetime_value DESC, customer_id LIMIT {TOP}"
            ),
        },
    ),
    "providers": Page(
        ("gold.provider_performance",),
        {
            "totals": (
                "SELECT count(*) AS providers, count_if(claims > 0) AS providers_with_claims, sum(claims) AS claims, "
                "sum(billed_amount) AS billed_amount, sum(paid_amount) AS paid_amount, "
                "sum(CASE WHEN is_in_network THEN claims ELSE 0 END) AS claims_in_network, "
                "sum(duplicate_invoices) AS duplicate_invoices FROM gold.provider_performance"
            ),
            "by_type": (
                "SELECT provider_type, count(*) AS providers, sum(claims) AS claims, "
                "sum(billed_amount) AS billed_amount, sum(paid_amount) AS paid_amount, "
                "sum(denied_claims) AS denied_claims, sum(decided_claims) AS decided_claims "
                "FROM gold.provider_performance GROUP BY provider_type ORDER BY claims DESC, provider_type"
            ),
            "top": f"SELECT * FROM gold.provider_performance ORDER BY billed_amount DESC, provider_id LIMIT {TOP}",
        },
    ),
    "risk": Page(
        ("gold.risk_scoring",),
        {
            "totals": (
                "SELECT count(*) AS cells, sum(claims) AS claims, sum(incurred_amount) AS incurred_amount "
                "FROM gold.risk_scoring"
            ),
            "by_band": (
                "SELECT risk_band, count(*) AS cells, sum(claims) AS claims, sum(incurred_amount) AS incurred_amount "
                "FROM gold.risk_scoring GROUP BY risk_band ORDER BY claims DESC, risk_band"
            ),
            "by_species": (
                "SELECT species, count(*) AS cells, sum(claims) AS claims, sum(incurred_amount) AS incurred_amount "
                "FROM gold.risk_scoring GROUP BY species ORDER BY claims DESC, species"
            ),
            "top": (
                "SELECT * FROM gold.risk_scoring "
                f"ORDER BY credibility * relativity DESC, species, breed, age_band, claim_category LIMIT {TOP}"
            ),
        },
    ),
}
