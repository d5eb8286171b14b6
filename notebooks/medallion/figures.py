"""The tables of gold: their grain and columns. What a column means is told in docs/kpis.md."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from medallion.run import Run

_MONEY = "decimal(12,2)"
_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "boolean": BooleanType(),
    "int": IntegerType(),
    "bigint": LongType(),
    "double": DoubleType(),
    _MONEY: DecimalType(12, 2),
    "date": DateType(),
    "array<string>": ArrayType(StringType()),
}
"""Each SQL type that a column has, said here: an engine would have to be asked what it means."""
_STAMPS = {"_row_hash": "string", "as_of": "date", "_run_id": "string"}
_SEPARATOR, _NULL = "\x1f", "\x1e"


@dataclass(frozen=True, slots=True)
class Figure:
    """One table: `keys` are its grain, `columns` the SQL type of each column beside the stamps."""

    keys: tuple[str, ...]
    columns: dict[str, str]

    @property
    def schema(self) -> StructType:
        """The columns, with the stamps."""
        return _struct(self.columns | _STAMPS)

    def stamped(self, rows: DataFrame, run: Run) -> DataFrame:
        """The columns as declared, a hash of them, the day they are valued at and the run.

        A new day alone is no change.
        """
        typed = rows.select(*[F.col(name).cast(kind).alias(name) for name, kind in self.columns.items()])
        texts = [F.coalesce(_text(name, kind), F.lit(_NULL)) for name, kind in self.columns.items()]
        return typed.select(
            "*",
            F.md5(F.concat_ws(_SEPARATOR, *texts)).alias("_row_hash"),
            F.lit(run.as_of).alias("as_of"),
            F.lit(run.batch_id).alias("_run_id"),
        )


def _struct(columns: dict[str, str]) -> StructType:
    return StructType([StructField(name, _TYPES[kind]) for name, kind in columns.items()])


def _text(name: str, kind: str) -> Column:
    """A column in a form that every engine writes alike; a figure has six places at most."""
    column = F.col(name)
    return (column.cast("decimal(24,6)") if kind == "double" else column).cast("string")


def _columns(*groups: tuple[str, str]) -> dict[str, str]:
    """{column: type} of (type, names) pairs."""
    return {name: kind for kind, names in groups for name in names.split()}


FIGURES = {
    "gold.monthly_kpis": Figure(
        ("year_month",),
        _columns(
            ("string", "year_month"),
            ("bigint", "policies_in_force policies_at_end policies_retained"),
            ("double", "exposure_years"),
            (_MONEY, "earned_premium"),
            ("bigint", "claims open_claims decided_claims approved_claims denied_claims paid_claims"),
            (
                "bigint",
                "denied_pre_existing denied_waiting_period denied_not_covered denied_documentation denied_other",
            ),
            ("bigint", "open_claims_to_7_days open_claims_8_to_30_days open_claims_over_30_days"),
            (_MONEY, "claim_amount approved_amount paid_amount case_reserve expected_paid leakage_amount"),
            ("double", "decision_days_p50 decision_days_p90 payment_days_p50 payment_days_p90"),
            ("bigint", "straight_through_claims"),
            (_MONEY, "ibnr_amount"),
            ("double", "developed"),
            (_MONEY, "incurred_amount"),
            ("double", "paid_loss_ratio loss_ratio frequency severity pure_premium"),
            ("double", "approval_rate denial_rate straight_through_rate denial_rate_pre_existing"),
            ("double", "denial_rate_waiting_period denial_rate_not_covered denial_rate_documentation"),
            ("double", "denial_rate_other retention_rate"),
        ),
    ),
    "gold.customer_360": Figure(
        ("customer_id",),
        _columns(
            ("string", "customer_id first_name last_name city state"),
            ("date", "customer_since"),
            ("string", "preferred_contact"),
            ("boolean", "marketing_opt_in"),
            ("bigint", "pets"),
            ("string", "species"),
            ("bigint", "policies active_policies insured_pets"),
            (_MONEY, "annual_premium earned_premium"),
            ("bigint", "unprotected_wellness low_limits"),
            ("int", "days_to_renewal"),
            ("bigint", "claims open_claims denied_claims"),
            (_MONEY, "paid_amount incurred_amount"),
            ("date", "last_service_date"),
            ("int", "tenure_months"),
            ("double", "loss_ratio"),
            (_MONEY, "lifetime_value"),
            ("boolean", "is_multi_pet"),
            ("double", "limit_used"),
            ("string", "value_tier churn_tier next_best_offer next_best_offer_reason"),
        ),
    ),
    "gold.provider_performance": Figure(
        ("provider_id",),
        _columns(
            ("string", "provider_id provider_name provider_type city state"),
            ("boolean", "is_in_network"),
            ("double", "average_rating"),
            ("bigint", "claims decided_claims denied_claims emergency_claims customers duplicate_invoices"),
            ("bigint", "flagged_claims"),
            (_MONEY, "billed_amount paid_amount"),
            ("bigint", "documented_claims"),
            ("double", "average_invoice_days"),
            ("date", "last_service_date"),
            ("double", "severity_index credibility denial_rate"),
            (_MONEY, "average_billed"),
            ("double", "volume_share network_share upcoding_z documentation_rate"),
        ),
    ),
    "gold.risk_scoring": Figure(
        ("species", "breed", "age_band", "claim_category"),
        _columns(
            ("string", "species breed age_band claim_category"),
            ("bigint", "claims"),
            (_MONEY, "incurred_amount"),
            ("bigint", "emergency_claims"),
            ("double", "exposure_years frequency severity pure_premium credibility raw_relativity relativity"),
            ("string", "risk_band"),
        ),
    ),
    "gold.cross_sell": Figure(
        ("customer_id", "offer"),
        _columns(
            ("string", "customer_id offer reason"),
            ("double", "score"),
            ("string", "value_tier"),
            ("boolean", "may_contact"),
            ("int", "priority"),
        ),
    ),
}

_RELEASED = _columns(
    ("string", "claim_id claim_number policy_id pet_id customer_id provider_id claim_type claim_category"),
    ("string", "diagnosis_code diagnosis"),
    ("date", "service_date submitted_date decision_date payment_date"),
    ("string", "status denial_reason invoice_number"),
    ("boolean", "is_emergency"),
    ("string", "service_month"),
    (_MONEY, "claim_amount approved_amount paid_amount case_reserve eligible_amount expected_paid"),
    ("string", "ineligible_reason"),
    (_MONEY, "leakage_amount"),
    ("boolean", "is_decided"),
    ("int", "decision_days payment_days"),
    ("string", "pet_name species breed"),
    ("int", "pet_age_years"),
    ("string", "age_band plan_name"),
    ("int", "reimbursement_pct"),
    ("string", "customer_state customer_zip_code provider_name provider_type provider_state"),
    ("boolean", "is_in_network"),
    ("array<string>", "warnings review_flags"),
    ("string", "_content_hash _row_hash _run_id table_part"),
)
SCHEMAS = {"gold.claims_analytics": _struct(_RELEASED)} | {table: figure.schema for table, figure in FIGURES.items()}
"""Each table's columns in the order in which they are written."""
