"""Silver by hand in DuckDB: the same types, rules, versions and policy terms as the notebooks."""

from __future__ import annotations

from collections.abc import Iterable

from medallion.schemas import CLAIMS, CUSTOMERS, PETS, POLICIES, VET_PROVIDERS, Entity, Field

_PATTERNS = {
    "money": (r"^[+-]?\d{1,10}(\.\d{1,2})?$", "DECIMAL(12,2)"),
    "int": (r"^[+-]?\d{1,9}$", "INTEGER"),
    "number": (r"^[+-]?\d{1,15}(\.\d{1,15})?$", "DOUBLE"),
}
_LINEAGE = "_content_hash, _source_file, _landed_at, _corrupt, _line"
_KEPT = "_warnings, _content_hash, _source_file, _landed_at, 'run-1' AS _run_id"
_VERSIONS = "coalesce(updated_at, _landed_at) DESC NULLS LAST, _landed_at DESC, _source_file DESC, _line DESC"


def statements(as_of: str) -> Iterable[tuple[str, str]]:
    """(table, query) in the order of making; names that begin with `_` are steps on the way."""
    for entity in (CUSTOMERS, PETS, VET_PROVIDERS, POLICIES):
        yield f"_{entity.table}", _judged(entity, _typed(entity), as_of)
    for entity in (CUSTOMERS, PETS, VET_PROVIDERS):
        yield entity.table, _newest(entity)
    yield "policies_history", _history()
    yield (
        "policies",
        f"SELECT {', '.join(POLICIES.columns)}, {_KEPT} FROM silver_policies_history WHERE valid_to IS NULL",
    )
    yield "_claims", _judged(CLAIMS, _with_references(_typed(CLAIMS)), as_of)
    yield "claims", _terms()
    yield "quarantine", " UNION ALL ".join(map(_rejected, (CUSTOMERS, PETS, VET_PROVIDERS, POLICIES, CLAIMS)))
    yield "quality_results", " UNION ALL ".join(map(_results, (CUSTOMERS, PETS, VET_PROVIDERS, POLICIES, CLAIMS)))


def _typed(entity: Entity) -> str:
    columns = ", ".join(f"{_cast(field)} AS {field.name}" for field in entity.fields)
    raw = ", ".join(f"{column} := {column}" for column in entity.columns)
    key = f"coalesce({_filled(entity.key)}, concat_ws('#', _source_file, _line))"
    return f"SELECT {columns}, struct_pack({raw}) AS _raw, {key} AS _key, {_LINEAGE} FROM bronze_{entity.table}"


def _filled(column: str) -> str:
    return f"nullif(trim({column}), '')"


def _cast(field: Field) -> str:
    text = _filled(field.name)
    if field.kind == "text":
        return text
    if field.kind == "flag":
        word = f"lower({text})"
        return f"CASE WHEN {word} IN ('true','t','yes','y','1') THEN true WHEN {word} IN ('false','f','no','n','0') THEN false END"
    if field.kind == "timestamp":
        return f"try_cast({text} AS TIMESTAMPTZ)"
    if field.kind == "date":
        return rf"CASE WHEN regexp_matches({text}, '^\d{{4}}-\d{{2}}-\d{{2}}([T ].*)?$') THEN try_cast({text}[1:10] AS DATE) END"
    pattern, kind = _PATTERNS[field.kind]
    return f"CASE WHEN regexp_matches({text}, '{pattern}') THEN try_cast({text} AS {kind}) END"


Rule = tuple[str, str, str]
"""Name, severity, condition that good rows meet."""

_CLAIM_RULES: list[Rule] = [
    ("claim_id_well_formed", "reject", "claim_id IS NULL OR regexp_matches(claim_id, '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$')"),
    ("claim_amount_positive", "reject", "claim_amount IS NULL OR claim_amount > 0"),
    ("approved_amount_not_negative", "reject", "approved_amount IS NULL OR approved_amount >= 0"),
    ("paid_amount_not_negative", "reject", "paid_amount IS NULL OR paid_amount >= 0"),
    ("case_reserve_not_negative", "reject", "case_reserve IS NULL OR case_reserve >= 0"),
    ("status_known", "reject", "status IS NULL OR status IN ('Submitted','Under Review','Approved','Partially Approved','Denied','Paid')"),
    ("diagnosis_present", "reject", "diagnosis_code IS NOT NULL OR diagnosis IS NOT NULL"),
    ("service_date_not_future", "reject", "service_date IS NULL OR service_date <= DATE 'AS_OF'"),
    ("policy_known", "reject", "_policy_hash IS NOT NULL"),
    ("provider_known", "warn", "_provider_hash IS NOT NULL"),
    ("customer_known", "warn", "_customer_hash IS NOT NULL"),
    ("pet_known", "warn", "_pet_hash IS NOT NULL"),
    ("pet_on_policy", "warn", "pet_id = _policy_pet_id"),
    ("service_in_policy_term", "warn", "service_date >= _effective_date AND service_date < _term_end"),
    ("submitted_date_not_before_service_date", "warn", "service_date IS NULL OR submitted_date IS NULL OR service_date <= submitted_date"),
    ("decision_date_not_before_submitted_date", "warn", "submitted_date IS NULL OR decision_date IS NULL OR submitted_date <= decision_date"),
    ("payment_date_not_before_decision_date", "warn", "decision_date IS NULL OR payment_date IS NULL OR decision_date <= payment_date"),
    ("approved_amount_at_most_claim_amount", "warn", "approved_amount IS NULL OR claim_amount IS NULL OR approved_amount <= claim_amount"),
    ("paid_amount_at_most_approved_amount", "warn", "paid_amount IS NULL OR approved_amount IS NULL OR paid_amount <= approved_amount"),
    ("denial_has_reason", "warn", "status <> 'Denied' OR denial_reason IS NOT NULL"),
    ("encoding_utf8", "warn", "NOT contains(coalesce(treatment_notes, ''), chr(65533))"),
]  # fmt: skip
_POLICY_RULES: list[Rule] = [
    ("monthly_premium_not_negative", "reject", "monthly_premium IS NULL OR monthly_premium >= 0"),
    ("annual_deductible_not_negative", "reject", "annual_deductible IS NULL OR annual_deductible >= 0"),
    ("annual_limit_not_negative", "reject", "annual_limit IS NULL OR annual_limit >= 0"),
    ("reimbursement_pct_in_range", "reject", "reimbursement_pct BETWEEN 0 AND 100"),
    ("expiration_after_effective", "reject", "expiration_date > effective_date"),
]


def _rules(entity: Entity) -> list[Rule]:
    rules: list[Rule] = [("record_readable", "reject", "_corrupt IS NULL")]
    for field in entity.fields:
        if field.required:
            rules.append((f"{field.name}_present", "reject", f"{_filled(f'_raw.{field.name}')} IS NOT NULL"))
    for field in entity.fields:
        if field.kind != "text":
            severity = "reject" if field.required or field.kind == "money" else "warn"
            readable = f"{field.name} IS NOT NULL OR {_filled(f'_raw.{field.name}')} IS NULL"
            rules.append((f"{field.name}_is_{field.kind}", severity, readable))
    return rules + {"policies": _POLICY_RULES, "claims": _CLAIM_RULES}.get(entity.table, [])


def _judged(entity: Entity, typed: str, as_of: str) -> str:
    """Typed rows with `_rejects`, `_warnings`, and which version of its key each one is."""
    lists = []
    for severity in ("reject", "warn"):
        broken = [
            f"CASE WHEN NOT coalesce({condition.replace('AS_OF', as_of)}, false) THEN '{name}' END"
            for name, kind, condition in _rules(entity)
            if kind == severity
        ]
        lists.append(f"list_filter([{', '.join(broken)}]::VARCHAR[], lambda name: name IS NOT NULL)")
    return f"""
        WITH judged AS (SELECT *, {lists[0]} AS _rejects, {lists[1]} AS _warnings FROM ({typed}))
        SELECT *, row_number() OVER (PARTITION BY _key ORDER BY {_VERSIONS}) AS _version,
          row_number() OVER (PARTITION BY _key, len(_rejects) = 0 ORDER BY {_VERSIONS}) = 1 AND len(_rejects) = 0 AS _good
        FROM judged"""


def _newest(entity: Entity) -> str:
    return f"SELECT {', '.join(entity.columns)}, {_KEPT} FROM _{entity.table} WHERE _good"


def _history() -> str:
    columns = ", ".join(POLICIES.columns)
    return f"""
        WITH versions AS (
          SELECT *, coalesce(updated_at, _landed_at) AS valid_from FROM _policies WHERE len(_rejects) = 0
          QUALIFY row_number() OVER (PARTITION BY policy_id, valid_from ORDER BY {_VERSIONS}) = 1
        )
        SELECT {columns}, valid_from, lead(valid_from) OVER (PARTITION BY policy_id ORDER BY valid_from) AS valid_to,
          {_KEPT} FROM versions"""


def _with_references(claims: str) -> str:
    return f"""
        SELECT c.*, p._content_hash AS _policy_hash, p.pet_id AS _policy_pet_id, p.effective_date AS _effective_date,
          least(p.expiration_date, coalesce(p.cancellation_date, p.expiration_date)) AS _term_end,
          p.annual_deductible AS _annual_deductible, p.reimbursement_pct AS _reimbursement_pct,
          p.annual_limit AS _annual_limit, coalesce(p.accident_wait_days, 0) AS _accident_wait,
          coalesce(p.illness_wait_days, 0) AS _illness_wait, coalesce(p.orthopedic_wait_days, 0) AS _orthopedic_wait,
          coalesce(p.includes_wellness, false) AS _wellness, coalesce(p.includes_dental, false) AS _dental,
          t._content_hash AS _pet_hash, t.condition_onset_on AS _onset_on,
          regexp_split_to_array(coalesce(t.pre_existing_conditions, ''), '\\s*;\\s*') AS _conditions,
          CASE WHEN u.customer_id IS NOT NULL THEN 'known' END AS _customer_hash,
          CASE WHEN v.provider_id IS NOT NULL THEN 'known' END AS _provider_hash,
          md5(concat_ws('|', coalesce(p._content_hash, '-'), coalesce(t._content_hash, '-'),
            coalesce(u.customer_id, '-'), coalesce(v.provider_id, '-'))) AS _refs_hash
        FROM ({claims}) c LEFT JOIN silver_policies p USING (policy_id) LEFT JOIN silver_pets t ON t.pet_id = c.pet_id
          LEFT JOIN silver_customers u ON u.customer_id = c.customer_id
          LEFT JOIN silver_vet_providers v ON v.provider_id = c.provider_id"""


def full_years(start: str, end: str) -> str:
    """As `floor(months_between(end, start) / 12)`: the last days of two months are whole months apart."""
    incomplete = f"day({end}) < day({start}) AND NOT ({end} = last_day({end}) AND {start} = last_day({start}))"
    months = f"datediff('month', {start}, {end}) - CASE WHEN {incomplete} THEN 1 ELSE 0 END"
    return f"floor(({months}) / 12.0)::INTEGER"


def _terms() -> str:
    """Deductible and limit are used up in the order of service within a policy year."""
    order = "PARTITION BY policy_id, policy_year ORDER BY service_date, submitted_date, claim_id"
    before = f"OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    columns = ", ".join(CLAIMS.columns)
    terms = "policy_year, ineligible_reason, eligible_amount, deductible_left, limit_left, expected_paid"
    return f"""
        WITH reasons AS (
          SELECT *, {full_years("_effective_date", "service_date")} AS policy_year,
            CASE WHEN claim_type = 'Wellness' THEN 0 WHEN claim_type = 'Accident' THEN _accident_wait
              WHEN claim_category = 'Orthopedic' THEN _orthopedic_wait ELSE _illness_wait END AS _wait
          FROM _claims WHERE _good
        ), owed AS (
          SELECT *, CASE
            WHEN service_date < _effective_date OR service_date >= _term_end THEN 'outside_term'
            WHEN coalesce(pet_id <> _policy_pet_id, true) THEN 'other_pet'
            WHEN coalesce(list_contains(_conditions, coalesce(diagnosis_code, '?')), false)
              AND coalesce(_onset_on < _effective_date, true) THEN 'pre_existing'
            WHEN service_date < _effective_date + _wait THEN 'waiting_period'
            WHEN claim_type = 'Wellness' AND NOT _wellness THEN 'not_covered'
            WHEN claim_category = 'Dental' AND NOT _dental THEN 'not_covered'
            WHEN status = 'Denied' THEN 'denied' END AS ineligible_reason
          FROM reasons
        ), eligible AS (
          SELECT *, CASE WHEN ineligible_reason IS NULL THEN claim_amount ELSE 0 END::DECIMAL(12,2) AS eligible_amount
          FROM owed
        ), deducted AS (
          SELECT *, greatest(_annual_deductible - coalesce(sum(eligible_amount) {before}, 0), 0)::DECIMAL(12,2)
            AS deductible_left FROM eligible
        ), payable AS (
          SELECT *, round((greatest(eligible_amount - deductible_left, 0) * _reimbursement_pct)::DECIMAL(18,2) * 0.01::DECIMAL(3,2), 2)::DECIMAL(12,2)
            AS _payable FROM deducted
        ), limited AS (
          SELECT *, CASE WHEN _annual_limit IS NOT NULL THEN
            greatest(_annual_limit - coalesce(sum(_payable) {before}, 0), 0)::DECIMAL(12,2) END AS limit_left FROM payable
        ), done AS (SELECT *, least(_payable, coalesce(limit_left, _payable)) AS expected_paid FROM limited)
        SELECT {columns}, {terms}, {_KEPT.rpartition(",")[0]}, _refs_hash,
          md5(concat_ws('|', _content_hash, _refs_hash, {terms})) AS _row_hash, 'run-1' AS _run_id FROM done"""


def _rejected(entity: Entity) -> str:
    return f"""
        SELECT '{entity.table}' AS table_name, _key AS key, _rejects[1] AS rule, array_to_string(_rejects, '; ') AS message,
          coalesce(_corrupt, to_json(_raw)::VARCHAR) AS raw, 'run-1' AS _run_id, _landed_at AS at, _rejects, _content_hash
        FROM _{entity.table} WHERE _version = 1 AND len(_rejects) > 0"""


def _results(entity: Entity) -> str:
    rules = ", ".join(f"('{name}', '{severity}')" for name, severity, _ in _rules(entity))
    judged = f"FROM _{entity.table} WHERE _good OR (_version = 1 AND len(_rejects) > 0)"
    return f"""
        SELECT '{entity.table}' AS table_name, rule, severity, (SELECT count(*) {judged}) AS checked,
          coalesce(n, 0) AS failed, 'run-1' AS _run_id FROM (VALUES {rules}) rules(rule, severity)
        LEFT JOIN (SELECT unnest(list_concat(_rejects, _warnings)) AS rule, count(*) AS n {judged} GROUP BY 1) USING (rule)"""
