"""What lands: the tables of the landing zone, their key and the type of each column."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "date", "timestamp", "money", "int", "number", "flag"]


@dataclass(frozen=True, slots=True)
class Field:
    """One landed column; a value that cannot be read as `kind` rejects the row when `required`, else it warns."""

    name: str
    kind: Kind = "text"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """One landed table: `key` names the column that makes versions of a row the same thing."""

    table: str
    key: str
    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


def _fields(text: str) -> tuple[Field, ...]:
    """`name[:kind][!]` separated by blanks; `!` means that silver cannot do without it."""
    fields = []
    for word in text.split():
        name, _, kind = word.rstrip("!").partition(":")
        fields.append(Field(name, kind or "text", word.endswith("!")))  # type: ignore[arg-type]
    return tuple(fields)


CUSTOMERS = Entity(
    "customers",
    "customer_id",
    _fields(
        "customer_id! first_name last_name email phone address city state zip_code date_of_birth:date "
        "customer_since:date preferred_contact marketing_opt_in:flag referral_source updated_at:timestamp"
    ),
)
PETS = Entity(
    "pets",
    "pet_id",
    _fields(
        "pet_id! customer_id! pet_name species! breed gender date_of_birth:date weight_kg:number is_neutered:flag "
        "microchip_id pre_existing_conditions condition_onset_on:date adopted_on:date is_active:flag "
        "updated_at:timestamp"
    ),
)
POLICIES = Entity(
    "policies",
    "policy_id",
    _fields(
        "policy_id! policy_number customer_id! pet_id! plan_name monthly_premium:money! annual_deductible:money! "
        "reimbursement_pct:int! annual_limit:money effective_date:date! expiration_date:date! cancellation_date:date "
        "status accident_wait_days:int illness_wait_days:int orthopedic_wait_days:int includes_wellness:flag "
        "includes_dental:flag payment_frequency renewal_count:int updated_at:timestamp"
    ),
)
VET_PROVIDERS = Entity(
    "vet_providers",
    "provider_id",
    _fields(
        "provider_id! provider_name provider_type city state zip_code is_in_network:flag average_rating:number "
        "accepts_emergency:flag license_number updated_at:timestamp"
    ),
)
CLAIMS = Entity(
    "claims",
    "claim_id",
    _fields(
        "claim_id! claim_number policy_id! pet_id customer_id provider_id claim_type claim_category diagnosis_code "
        "diagnosis service_date:date! submitted_date:date! decision_date:date payment_date:date claim_amount:money! "
        "approved_amount:money paid_amount:money case_reserve:money status! denial_reason invoice_number "
        "is_emergency:flag treatment_notes updated_at:timestamp"
    ),
)
DIMENSIONS = (CUSTOMERS, PETS, POLICIES, VET_PROVIDERS)
ENTITIES = (*DIMENSIONS, CLAIMS)
BY_TABLE = {entity.table: entity for entity in ENTITIES}

LINEAGE = (
    *("_content_hash", "_source_file", "_file_hash", "_line", "_landed_at", "_corrupt", "_rescued", "_run_id"),
    "_ingested_at",
)
"""What bronze adds to each raw row, in this order. `_ingested_at` is the start of the run; no figure looks at it."""
