"""Gold by hand in DuckDB: the same figures as the notebooks (docs/kpis.md has the formulas)."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.duckdb_silver import full_years

_UNTIL = "least(expiration_date, coalesce(cancellation_date, expiration_date), DATE 'AS_OF' + 1)"
_DECIDED = "status IN ('Approved','Partially Approved','Denied','Paid')"
_BAND = """CASE WHEN {age} IS NULL THEN 'unknown' WHEN {age} < 1 THEN '0' WHEN {age} < 3 THEN '1-2' WHEN {age} < 7 THEN '3-6'
  WHEN {age} < 10 THEN '7-9' ELSE '10+' END"""


def statements(as_of: str) -> Iterable[tuple[str, str]]:
    """(table, query) in the order of making."""
    queries = (
        ("claims_analytics", _released()),
        ("_in_force", f"SELECT *, effective_date AS _from, {_UNTIL} AS _until FROM silver_policies WHERE effective_date < {_UNTIL}"),
        ("_valued", "SELECT * FROM gold_claims_analytics WHERE service_date <= DATE 'AS_OF'"),
        ("monthly_kpis", _monthly()),
        ("customer_360", _customers()),
        ("provider_performance", _providers()),
        ("risk_scoring", _risk()),
        ("cross_sell", _cross_sell()),
    )  # fmt: skip
    for name, query in queries:
        shown = query.replace("AS_OF", as_of)
        yield name, shown if name.startswith("_") or name == "claims_analytics" else _stamped(shown, as_of)


def _stamped(query: str, as_of: str) -> str:
    return (
        f"SELECT *, md5(to_json(q)::VARCHAR) AS _row_hash, DATE '{as_of}' AS as_of, 'run-1' AS _run_id FROM ({query}) q"
    )


def _released() -> str:
    age = full_years("t.date_of_birth", "c.service_date")
    amounts = ", ".join(
        f"coalesce(c.{name}, 0)::DECIMAL(12,2) AS {name}"
        for name in (
            "claim_amount",
            "approved_amount",
            "paid_amount",
            "case_reserve",
            "eligible_amount",
            "expected_paid",
        )
    )
    return f"""
        WITH near AS (
          SELECT c.claim_id, c.customer_id, c.provider_id, c.service_date
          FROM silver_claims c JOIN silver_policies p USING (policy_id)
          WHERE c.claim_amount <= p.annual_limit AND c.claim_amount >= p.annual_limit * 0.9
        ), crowd AS (
          SELECT n.claim_id FROM near n JOIN near o ON n.provider_id = o.provider_id
            AND abs(datediff('day', o.service_date, n.service_date)) <= 7
          GROUP BY n.claim_id HAVING count(DISTINCT o.customer_id) >= 5
        ), flagged AS (
          SELECT c.*, c.provider_id IS NOT NULL AND c.invoice_number IS NOT NULL AND row_number() OVER (
              PARTITION BY c.provider_id, c.invoice_number ORDER BY c.service_date, c.submitted_date, c.claim_id) > 1 AS _twice,
            crowd.claim_id IS NOT NULL AS _crowd
          FROM silver_claims c LEFT JOIN crowd ON crowd.claim_id = c.claim_id
        )
        SELECT c.claim_id, c.claim_number, c.policy_id, c.pet_id, c.customer_id, c.provider_id, c.claim_type, c.claim_category,
          c.diagnosis_code, c.diagnosis, c.service_date, c.submitted_date, c.decision_date, c.payment_date, c.status,
          c.denial_reason, c.invoice_number, c.is_emergency, strftime(c.service_date, '%Y-%m') AS service_month, {amounts},
          c.ineligible_reason,
          CASE WHEN c.paid_amount > 0 THEN greatest(c.paid_amount - c.expected_paid, 0)::DECIMAL(12,2) END AS leakage_amount,
          c.{_DECIDED} AS is_decided, datediff('day', c.submitted_date, c.decision_date)::INTEGER AS decision_days,
          datediff('day', c.decision_date, c.payment_date)::INTEGER AS payment_days, t.pet_name, t.species, t.breed,
          {age} AS pet_age_years, {_BAND.format(age=age)} AS age_band, p.plan_name, p.reimbursement_pct,
          u.state AS customer_state, u.zip_code AS customer_zip_code, v.provider_name, v.provider_type,
          v.state AS provider_state, coalesce(v.is_in_network, false) AS is_in_network, c._warnings AS warnings,
          list_filter([CASE WHEN c._twice THEN 'duplicate_invoice' END,
            CASE WHEN c.ineligible_reason IS NULL AND w.days > 0 AND c.claim_amount >= 2500
              AND c.service_date - (p.effective_date + w.days) BETWEEN 0 AND 6 THEN 'post_waiting_spike' END,
            CASE WHEN c._crowd THEN 'provider_concentration' END], lambda flag: flag IS NOT NULL) AS review_flags,
          md5(concat_ws('|', c._row_hash, coalesce(u._content_hash, '-'), coalesce(t._content_hash, '-'),
            coalesce(p._content_hash, '-'), coalesce(v._content_hash, '-'))) AS _row_hash, 'run-1' AS _run_id
        FROM flagged c LEFT JOIN silver_policies p ON p.policy_id = c.policy_id
          LEFT JOIN silver_pets t ON t.pet_id = c.pet_id LEFT JOIN silver_customers u ON u.customer_id = c.customer_id
          LEFT JOIN silver_vet_providers v ON v.provider_id = c.provider_id,
          LATERAL (SELECT CASE WHEN c.claim_type = 'Wellness' THEN 0
            WHEN c.claim_type = 'Accident' THEN coalesce(p.accident_wait_days, 0)
            WHEN c.claim_category = 'Orthopedic' THEN coalesce(p.orthopedic_wait_days, 0)
            ELSE coalesce(p.illness_wait_days, 0) END AS days) w"""


def _ratio(over: str, under: str) -> str:
    return f"CASE WHEN ({under})::DOUBLE > 0 THEN round(({over})::DOUBLE / ({under})::DOUBLE, 6) END"


def _earned(premium_days: str) -> str:
    """The sum divided by 30.4, to the cent, half a cent up: whole numbers only, as a double may miss the half."""
    return f"(((100 * sum({premium_days}))::BIGINT * 20 + 304) // 608 / 100)::DECIMAL(12,2)"


_ZEROED = """policies_in_force exposure_years earned_premium claims open_claims decided_claims approved_claims denied_claims
  paid_claims denied_pre_existing denied_waiting_period denied_not_covered denied_documentation claim_amount approved_amount
  paid_amount case_reserve expected_paid leakage_amount straight_through_claims ibnr_amount"""


def _monthly() -> str:
    month = "(year({0}) * 12 + month({0}))"
    service, submitted = month.format("service_date"), month.format("submitted_date")
    sums = ", ".join(
        f"sum({name})::DECIMAL(12,2) AS {name}"
        for name in (
            "claim_amount",
            "approved_amount",
            "paid_amount",
            "case_reserve",
            "expected_paid",
            "leakage_amount",
        )
    )
    zeroed = ", ".join(f"coalesce({name}, 0) AS {name}" for name in _ZEROED.split())
    return f"""
        WITH months AS (
          SELECT policy_id, monthly_premium, m::DATE AS month, greatest(_from, m::DATE) AS a,
            least(_until, (m + INTERVAL 1 MONTH)::DATE) AS b
          FROM _in_force, unnest(generate_series(date_trunc('month', _from)::TIMESTAMP,
            date_trunc('month', _until - 1)::TIMESTAMP, INTERVAL 1 MONTH)) AS s(m)
        ), earned AS (
          SELECT strftime(month, '%Y-%m') AS year_month, count(DISTINCT policy_id) AS policies_in_force,
            round(sum(b - a) / 365.25, 4) AS exposure_years,
            {_earned("monthly_premium * (b - a)")} AS earned_premium
          FROM months GROUP BY 1
        ), claims AS (
          SELECT service_month AS year_month, count(*) AS claims, count_if(NOT is_decided) AS open_claims,
            count_if(is_decided) AS decided_claims,
            count_if(status IN ('Approved','Partially Approved','Paid')) AS approved_claims,
            count_if(status = 'Denied') AS denied_claims, count_if(paid_amount > 0) AS paid_claims,
            count_if(status = 'Denied' AND lower(denial_reason) LIKE '%pre-existing%') AS denied_pre_existing,
            count_if(status = 'Denied' AND lower(denial_reason) LIKE '%waiting%') AS denied_waiting_period,
            count_if(status = 'Denied' AND lower(denial_reason) LIKE '%not covered%') AS denied_not_covered,
            count_if(status = 'Denied' AND lower(denial_reason) LIKE '%documentation%') AS denied_documentation, {sums},
            quantile_cont(decision_days, 0.5) AS decision_days_p50, quantile_cont(decision_days, 0.9) AS decision_days_p90,
            quantile_cont(payment_days, 0.5) AS payment_days_p50, quantile_cont(payment_days, 0.9) AS payment_days_p90,
            count_if(is_decided AND decision_days <= 0) AS straight_through_claims
          FROM _valued GROUP BY 1
        ), reported AS (
          SELECT {service} AS m, least(12, greatest(0, {submitted} - {service})) AS k,
            sum(paid_amount + case_reserve)::DOUBLE AS amount FROM _valued GROUP BY ALL
        ), triangle AS (
          SELECT m, k, sum(coalesce(amount, 0)) OVER w AS c FROM (SELECT DISTINCT m FROM reported) CROSS JOIN range(13) lags(k)
          LEFT JOIN reported USING (m, k) WHERE m + k <= {month.format("DATE 'AS_OF'")} WINDOW w AS (PARTITION BY m ORDER BY k)
        ), steps AS (SELECT *, lead(c) OVER (PARTITION BY m ORDER BY k) AS n FROM triangle),
        factors AS (
          SELECT k, ln(greatest(coalesce(sum(n) FILTER (n IS NOT NULL) / nullif(sum(c) FILTER (n IS NOT NULL), 0), 1), 1)) AS g
          FROM steps GROUP BY k
        ), finals AS (SELECT k, round(exp(sum(g) OVER (ORDER BY k DESC)), 9) AS f FROM factors),
        reserves AS (
          SELECT strftime(make_date(((m - 1) // 12)::INTEGER, ((m - 1) % 12 + 1)::INTEGER, 1), '%Y-%m') AS year_month,
            round(greatest(c * (f - 1), 0), 2)::DECIMAL(12,2) AS ibnr_amount, round(1 / f, 6) AS developed
          FROM steps JOIN finals USING (k) WHERE n IS NULL
        ), joined AS (
          SELECT * REPLACE ({zeroed}, coalesce(developed, 1) AS developed),
            (coalesce(paid_amount, 0) + coalesce(case_reserve, 0) + coalesce(ibnr_amount, 0))::DECIMAL(12,2) AS incurred_amount
          FROM earned FULL JOIN claims USING (year_month) LEFT JOIN reserves USING (year_month)
        )
        SELECT *, {_ratio("paid_amount", "earned_premium")} AS paid_loss_ratio,
          {_ratio("incurred_amount", "earned_premium")} AS loss_ratio, {_ratio("claims", "exposure_years")} AS frequency,
          {_ratio("incurred_amount", "paid_claims")} AS severity, {_ratio("incurred_amount", "exposure_years")} AS pure_premium,
          {_ratio("approved_claims", "decided_claims")} AS approval_rate, {_ratio("denied_claims", "decided_claims")} AS denial_rate,
          {_ratio("straight_through_claims", "decided_claims")} AS straight_through_rate FROM joined"""


def _customers() -> str:
    return f"""
        WITH pets AS (
          SELECT customer_id, count(*) AS pets, array_to_string(list_sort(list(DISTINCT species)), ', ') AS species
          FROM silver_pets WHERE coalesce(is_active, true) GROUP BY 1
        ), held AS (
          SELECT customer_id, count(*) AS policies, count_if(_until > DATE 'AS_OF') AS active_policies,
            sum(monthly_premium * 12) FILTER (_until > DATE 'AS_OF')::DECIMAL(12,2) AS annual_premium,
            {_earned("monthly_premium * (_until - _from)")} AS earned_premium,
            count_if(_until > DATE 'AS_OF' AND NOT coalesce(includes_wellness, false)) AS unprotected_wellness,
            count_if(_until > DATE 'AS_OF' AND annual_limit IS NOT NULL) AS low_limits,
            max(annual_limit) FILTER (_until > DATE 'AS_OF') AS _limit,
            min(expiration_date - DATE 'AS_OF') FILTER (_until > DATE 'AS_OF')::INTEGER AS days_to_renewal
          FROM _in_force GROUP BY 1
        ), claims AS (
          SELECT customer_id, count(*) AS claims, count_if(NOT is_decided) AS open_claims,
            count_if(status = 'Denied') AS denied_claims, sum(paid_amount)::DECIMAL(12,2) AS paid_amount,
            sum(paid_amount + case_reserve)::DECIMAL(12,2) AS incurred_amount,
            sum(paid_amount) FILTER (service_date > DATE 'AS_OF' - 365)::DECIMAL(12,2) AS _paid_last_year,
            max(service_date) AS last_service_date FROM _valued GROUP BY 1
        ), joined AS (
          SELECT c.customer_id, first_name, last_name, city, state, customer_since, preferred_contact, marketing_opt_in,
            coalesce(pets, 0) AS pets, species, coalesce(policies, 0) AS policies, coalesce(active_policies, 0) AS active_policies,
            coalesce(annual_premium, 0)::DECIMAL(12,2) AS annual_premium, coalesce(earned_premium, 0)::DECIMAL(12,2) AS earned_premium,
            coalesce(unprotected_wellness, 0) AS unprotected_wellness, coalesce(low_limits, 0) AS low_limits, days_to_renewal,
            coalesce(claims, 0) AS claims, coalesce(open_claims, 0) AS open_claims, coalesce(denied_claims, 0) AS denied_claims,
            coalesce(paid_amount, 0)::DECIMAL(12,2) AS paid_amount, coalesce(incurred_amount, 0)::DECIMAL(12,2) AS incurred_amount,
            last_service_date, greatest(datediff('month', customer_since, DATE 'AS_OF')
              - CASE WHEN day(DATE 'AS_OF') < day(customer_since) THEN 1 ELSE 0 END, 0)::INTEGER AS tenure_months,
            coalesce({_ratio("_paid_last_year", "_limit")}, 0) AS limit_used
          FROM silver_customers c LEFT JOIN pets USING (customer_id) LEFT JOIN held USING (customer_id)
            LEFT JOIN claims USING (customer_id)
        ), tiers AS (
          SELECT *, {_ratio("incurred_amount", "earned_premium")} AS loss_ratio,
            round(earned_premium * 0.28 - 60, 2)::DECIMAL(12,2) AS lifetime_value,
            CASE WHEN annual_premium >= 1200 THEN 'platinum' WHEN annual_premium >= 700 THEN 'gold'
              WHEN annual_premium > 0 THEN 'silver' ELSE 'lapsed' END AS value_tier,
            CASE WHEN active_policies = 0 THEN 'lapsed' WHEN coalesce(days_to_renewal <= 45, false) AND denied_claims > 0 THEN 'high'
              WHEN coalesce(days_to_renewal <= 45, false) OR denied_claims > 0 OR tenure_months < 6 THEN 'medium'
              ELSE 'low' END AS churn_tier,
            {_OFFERS} AS _offers FROM joined
        )
        SELECT * EXCLUDE (_offers), string_split(list_max(_offers), '|')[2] AS next_best_offer,
          string_split(list_max(_offers), '|')[3] AS next_best_offer_reason FROM tiers"""


_OFFERS = """list_filter([
  CASE WHEN active_policies BETWEEN 1 AND 99 AND pets > active_policies THEN '0.8000|multi_pet|has more pets than insured pets' END,
  CASE WHEN active_policies = 0 AND policies > 0 THEN '0.7000|win_back|has no policy in force any more' END,
  CASE WHEN active_policies > 0 AND low_limits > 0 AND limit_used >= 0.5 THEN concat_ws('|',
    (0.6 + 0.3 * least(limit_used, 1.0)::DECIMAL(7,6))::DECIMAL(5,4), 'limit_upgrade', 'has used half of an annual limit or more') END,
  CASE WHEN active_policies > 0 AND unprotected_wellness > 0 THEN concat_ws('|',
    CASE WHEN claims > 2 THEN '0.5500' ELSE '0.4000' END, 'wellness', 'has a policy without wellness cover') END
], lambda offer: offer IS NOT NULL)"""


def _cross_sell() -> str:
    return f"""
        WITH offers AS (
          SELECT customer_id, value_tier, marketing_opt_in, string_split(unnest({_OFFERS}), '|') AS o FROM gold_customer_360
        )
        SELECT customer_id, o[2] AS offer, o[3] AS reason, o[1]::DOUBLE AS score, value_tier,
          coalesce(marketing_opt_in, false) AS may_contact,
          row_number() OVER (PARTITION BY customer_id ORDER BY o[1]::DOUBLE DESC, o[2] DESC)::INTEGER AS priority FROM offers"""


def _providers() -> str:
    return f"""
        WITH peers AS (
          SELECT *, avg(claim_amount::DOUBLE) OVER (
              PARTITION BY coalesce(diagnosis_code, lower(diagnosis)), coalesce(species, '?')) AS _peer,
            invoice_number IS NOT NULL AND count(*) OVER (PARTITION BY provider_id, invoice_number) > 1 AS _twice FROM _valued
        ), figures AS (
          SELECT provider_id, count(*) AS claims, count_if(is_decided) AS decided_claims,
            count_if(status = 'Denied') AS denied_claims, count_if(coalesce(is_emergency, false)) AS emergency_claims,
            count(DISTINCT customer_id) AS customers, count_if(_twice) AS duplicate_invoices,
            count_if(len(review_flags) > 0) AS flagged_claims, sum(claim_amount)::DECIMAL(12,2) AS billed_amount,
            sum(paid_amount)::DECIMAL(12,2) AS paid_amount, round(sum(_peer), 4) AS _peer_billed,
            max(service_date) AS last_service_date FROM peers GROUP BY 1
        )
        SELECT v.provider_id, provider_name, provider_type, city, state, coalesce(is_in_network, false) AS is_in_network,
          average_rating, coalesce(claims, 0) AS claims, coalesce(decided_claims, 0) AS decided_claims,
          coalesce(denied_claims, 0) AS denied_claims, coalesce(emergency_claims, 0) AS emergency_claims,
          coalesce(customers, 0) AS customers, coalesce(duplicate_invoices, 0) AS duplicate_invoices,
          coalesce(flagged_claims, 0) AS flagged_claims, coalesce(billed_amount, 0)::DECIMAL(12,2) AS billed_amount,
          coalesce(paid_amount, 0)::DECIMAL(12,2) AS paid_amount, last_service_date,
          {_ratio("billed_amount", "_peer_billed")} AS severity_index, round(least(coalesce(claims, 0) / 30.0, 1), 6) AS credibility,
          {_ratio("denied_claims", "decided_claims")} AS denial_rate,
          CASE WHEN claims > 0 THEN (((200 * billed_amount)::BIGINT + claims) // (2 * claims) / 100)::DECIMAL(12,2) END
            AS average_billed,
          {_ratio("coalesce(claims, 0)", "sum(claims) OVER ()")} AS volume_share
        FROM silver_vet_providers v LEFT JOIN figures f ON f.provider_id = v.provider_id"""


def _risk() -> str:
    first = f"greatest({full_years('date_of_birth', '_from')}, 0)"
    last = f"greatest({full_years('date_of_birth', '(_until - 1)')}, 0)"
    birthday = "(date_of_birth + to_months(({age}) * 12))::DATE"
    start = f"CASE WHEN age > 0 THEN greatest(_from, {birthday.format(age='age')}) ELSE _from END"
    end = f"coalesce(least(_until, {birthday.format(age='age + 1')}), _until)"
    return f"""
        WITH ages AS (
          SELECT species, breed, date_of_birth, _from, _until,
            unnest(CASE WHEN date_of_birth IS NULL THEN [NULL::INTEGER]
              ELSE generate_series({first}, {last})::INTEGER[] END) AS age
          FROM _in_force JOIN silver_pets USING (pet_id)
        ), exposure AS (
          SELECT species, coalesce(breed, 'Unknown') AS breed, {_BAND.format(age="age")} AS age_band,
            round(sum(({end}) - ({start})) / 365.25, 4) AS exposure_years
          FROM ages GROUP BY ALL
        ), cells AS (
          SELECT species, coalesce(breed, 'Unknown') AS breed, age_band, coalesce(claim_category, 'Unknown') AS claim_category,
            count(*) AS claims, sum(paid_amount + case_reserve)::DECIMAL(12,2) AS incurred_amount,
            count_if(coalesce(is_emergency, false)) AS emergency_claims
          FROM _valued WHERE species IS NOT NULL GROUP BY ALL
        ), by_species AS (SELECT species, sum(exposure_years) AS _years FROM exposure GROUP BY 1),
        based AS (
          SELECT c.*, exposure_years, sum(incurred_amount::DOUBLE) OVER (PARTITION BY species, claim_category) AS _cost, _years
          FROM cells c JOIN exposure USING (species, breed, age_band) JOIN by_species USING (species)
        ), rates AS (
          SELECT * EXCLUDE (_cost, _years), {_ratio("claims", "exposure_years")} AS frequency,
            {_ratio("incurred_amount", "claims")} AS severity, {_ratio("incurred_amount", "exposure_years")} AS pure_premium,
            {_ratio("_cost", "_years")} AS _base, round(least(sqrt(claims / 1082), 1), 6) AS credibility FROM based
        ), relative AS (SELECT * EXCLUDE (_base), {_ratio("pure_premium", "_base")} AS raw_relativity FROM rates),
        blended AS (
          SELECT *, coalesce(round(credibility * raw_relativity + (1 - credibility), 6), 1) AS relativity FROM relative
        )
        SELECT *, CASE WHEN relativity >= 1.25 THEN 'high' WHEN relativity <= 0.8 THEN 'low' ELSE 'average' END AS risk_band
        FROM blended"""
