"""The data-quality rules: each has a name, a severity, a condition that good rows meet, and words for people.

`reject` keeps a row out of silver (it goes to quarantine with the rule's name), `warn` lets it in and is counted.
A condition that is null counts as broken. Conditions see the typed columns, the raw ones under `_raw`, and for claims
and policies the columns that `references` adds. A warning is not judged again until its row or what it refers to has
changed, so its condition may depend on nothing else; a reject is judged again in every run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.conform import filled
from medallion.encodings import NO_TEXT
from medallion.run import CLAIM_ID
from medallion.schemas import BY_TABLE, Entity, Field

Severity = Literal["reject", "warn"]
STATUSES = ("Submitted", "Under Review", "Approved", "Partially Approved", "Denied", "Paid")
DECIDED = ("Approved", "Partially Approved", "Denied", "Paid")
_KIND_WORDS = {
    "date": "a date (YYYY-MM-DD)",
    "timestamp": "a time (ISO 8601)",
    "money": "an amount such as 1200.50",
    "int": "a whole number",
    "number": "a number",
    "flag": "true or false",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one table. `condition` gets the date the figures are valued at; `shown` is the column in doubt.

    A row that breaks a `dated` rule may meet it on a later day; no other verdict changes with the day.
    """

    name: str
    severity: Severity
    condition: Callable[[date], Column]
    message: str
    shown: str | None = None
    dated: bool = False


def rules_of(table: str) -> tuple[Rule, ...]:
    """All rules of a table in the order in which a rejected row is named after them."""
    entity = BY_TABLE[table]
    return (_READABLE, *_filled_rules(entity), *_type_rules(entity), *_RULES.get(table, ()), _clock())


def dated_rules(table: str) -> list[str]:
    """The names of the rules whose verdict depends on the day."""
    return [rule.name for rule in rules_of(table) if rule.dated]


def _clock() -> Rule:
    return Rule(
        "updated_at_not_after_landing",
        "warn",
        lambda _: (
            F.col("updated_at").isNull() | (F.col("updated_at") <= F.col("_landed_at") + F.expr("INTERVAL 1 DAY"))
        ),
        "updated_at is later than the landing of the row, which counts instead",
        "updated_at",
    )


_READABLE = Rule("record_readable", "reject", lambda _: F.col("_corrupt").isNull(), "the record cannot be parsed")


def _filled_rules(entity: Entity) -> list[Rule]:
    return [_filled_rule(field.name) for field in entity.fields if field.required]


def _filled_rule(column: str) -> Rule:
    return Rule(f"{column}_present", "reject", lambda _: filled(f"_raw.{column}").isNotNull(), f"{column} is missing")


def _type_rules(entity: Entity) -> list[Rule]:
    """A text that is not of its column's type: money and what silver needs reject, the rest warns."""
    return [_type_rule(field) for field in entity.fields if field.kind != "text"]


def _type_rule(field: Field) -> Rule:
    severity: Severity = "reject" if field.required or field.kind == "money" else "warn"
    readable = lambda _: F.col(field.name).isNotNull() | filled(f"_raw.{field.name}").isNull()  # noqa: E731
    return Rule(
        f"{field.name}_is_{field.kind}",
        severity,
        readable,
        f"{field.name} is not {_KIND_WORDS[field.kind]}",
        field.name,
    )


def _not_negative(column: str) -> Rule:
    condition = lambda _: F.col(column).isNull() | (F.col(column) >= 0)  # noqa: E731
    return Rule(f"{column}_not_negative", "reject", condition, f"{column} is negative", column)


def _known(name: str, column: str, severity: Severity, what: str) -> Rule:
    return Rule(
        f"{what}_known", severity, lambda _: F.col(name).isNotNull(), f"no {what} has the id in {column}", column
    )


def _not_future(column: str) -> Rule:
    return Rule(
        f"{column}_not_future",
        "reject",
        lambda as_of: F.col(column).isNull() | (F.col(column) <= F.lit(as_of)),
        f"{column} is after the day the figures are valued at",
        column,
        dated=True,
    )


def _not_ahead(column: str, days: int) -> Rule:
    """What has landed tells of the past; `days` allow for time zones, and for what is planned. A valuation as at a day
    long ago refuses nothing that has happened since."""

    def condition(as_of: date) -> Column:
        latest = F.greatest(F.lit(as_of), F.to_date("_landed_at"))
        return F.col(column).isNull() | (F.col(column) <= F.date_add(latest, days))

    return Rule(f"{column}_not_ahead", "reject", condition, f"{column} is in the future", column, dated=True)


def _at_most(smaller: str, larger: str) -> Rule:
    def condition(_: date) -> Column:
        return F.col(smaller).isNull() | F.col(larger).isNull() | (F.col(smaller) <= F.col(larger))

    return Rule(f"{smaller}_at_most_{larger}", "warn", condition, f"{smaller} is above {larger}", smaller)


def _in_order(first: str, second: str) -> Rule:
    def condition(_: date) -> Column:
        return F.col(first).isNull() | F.col(second).isNull() | (F.col(first) <= F.col(second))

    return Rule(f"{second}_not_before_{first}", "warn", condition, f"{second} is before {first}", second)


_RULES: dict[str, tuple[Rule, ...]] = {
    "pets": (_not_ahead("date_of_birth", 1),),
    "policies": (
        _not_negative("monthly_premium"),
        _not_negative("annual_deductible"),
        _not_negative("annual_limit"),
        Rule(
            "reimbursement_pct_in_range",
            "reject",
            lambda _: F.col("reimbursement_pct").between(0, 100),
            "reimbursement_pct is not between 0 and 100",
            "reimbursement_pct",
        ),
        Rule(
            "expiration_after_effective",
            "reject",
            lambda _: F.col("expiration_date") > F.col("effective_date"),
            "the policy ends before it begins",
            "expiration_date",
        ),
        _known("_pet_hash", "pet_id", "reject", "pet"),
    ),
    "claims": (
        Rule(
            "claim_id_well_formed",
            "reject",
            lambda _: F.col("claim_id").isNull() | F.col("claim_id").rlike(f"^{CLAIM_ID.pattern}$"),
            "claim_id has characters that no claim id has",
            "claim_id",
        ),
        Rule(
            "claim_amount_positive",
            "reject",
            lambda _: F.col("claim_amount").isNull() | (F.col("claim_amount") > 0),
            "claim_amount is not above zero",
            "claim_amount",
        ),
        _not_negative("approved_amount"),
        _not_negative("paid_amount"),
        _not_negative("case_reserve"),
        Rule(
            "status_known",
            "reject",
            lambda _: F.col("status").isNull() | F.col("status").isin(*STATUSES),
            f"status is none of {', '.join(STATUSES)}",
            "status",
        ),
        Rule(
            "diagnosis_present",
            "reject",
            lambda _: F.col("diagnosis_code").isNotNull() | F.col("diagnosis").isNotNull(),
            "neither diagnosis_code nor diagnosis is given",
        ),
        _not_future("service_date"),
        _not_ahead("submitted_date", 1),
        _not_ahead("decision_date", 1),
        _not_ahead("payment_date", 60),
        _known("_policy_hash", "policy_id", "reject", "policy"),
        _known("_provider_hash", "provider_id", "warn", "provider"),
        _known("_customer_hash", "customer_id", "warn", "customer"),
        _known("_pet_hash", "pet_id", "warn", "pet"),
        Rule(
            "pet_on_policy",
            "warn",
            lambda _: F.col("pet_id") == F.col("_policy_pet_id"),
            "the policy covers another pet",
            "pet_id",
        ),
        Rule(
            "service_in_policy_term",
            "warn",
            lambda _: (
                (F.col("service_date") >= F.col("_effective_date")) & (F.col("service_date") < F.col("_term_end"))
            ),
            "service_date is outside the policy's term",
            "service_date",
        ),
        _in_order("service_date", "submitted_date"),
        _in_order("submitted_date", "decision_date"),
        _in_order("decision_date", "payment_date"),
        _at_most("approved_amount", "claim_amount"),
        _at_most("paid_amount", "approved_amount"),
        Rule(
            "denial_has_reason",
            "warn",
            lambda _: (F.col("status") != "Denied") | F.col("denial_reason").isNotNull(),
            "the claim is denied without a reason",
        ),
        Rule(
            "encoding_utf8",
            "warn",
            lambda _: ~F.coalesce(F.col("treatment_notes").contains("\ufffd"), F.lit(False)),
            "the text has characters that were lost before it landed",
        ),
    ),
}


def checked(rows: DataFrame, table: str, as_of: date) -> DataFrame:
    """Add `_rejects` and `_warnings`: the names of the rules that each row breaks. Of a record that cannot be parsed
    that is all there is to say."""
    rules = rules_of(table)
    readable = F.col("_corrupt").isNull()
    rejects = _broken([rule for rule in rules if rule.severity == "reject"], as_of)
    warnings = _broken([rule for rule in rules if rule.severity == "warn"], as_of)
    return rows.withColumns(
        {
            "_rejects": F.when(readable, rejects).otherwise(F.array(F.lit(_READABLE.name))),
            "_warnings": F.when(readable, warnings).otherwise(F.array().cast("array<string>")),
        }
    )


def _broken(rules: list[Rule], as_of: date) -> Column:
    """The names of those whose condition is not true. Said with few expressions: of planning each costs its share."""
    names = [F.when(rule.condition(as_of), F.lit(None)).otherwise(F.lit(rule.name)) for rule in rules]
    if not names:
        return F.array().cast("array<string>")
    return F.array_compact(F.array(*names))


def first_rule() -> Column:
    """The rule that a rejected row is filed under."""
    return F.get("_rejects", F.lit(0))


def reasons(table: str) -> Column:
    """In words why a row was rejected; every broken rule, the value in doubt quoted."""
    parts = []
    for rule in rules_of(table):
        if rule.severity == "reject":
            words = _unreadable() if rule is _READABLE else F.lit(rule.message)
            if rule.shown:
                value = F.coalesce(F.substring(F.col(f"_raw.{rule.shown}"), 1, 80), F.lit(""))
                words = F.concat(words, F.lit(": '"), value, F.lit("'"))
            parts.append(F.when(F.array_contains("_rejects", rule.name), words))
    return F.concat_ws("; ", *parts)


def _unreadable() -> Column:
    is_no_text = F.col("_corrupt").contains(NO_TEXT)
    words = "the record is no text that can be read: UTF-8, UTF-16 with its byte order mark and Windows-1252 can"
    return F.when(is_no_text, words).otherwise(_READABLE.message)
