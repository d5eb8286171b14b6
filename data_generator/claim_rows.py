"""Claims as JSON lines, each with the day on which it lands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from data_generator.arrays import Ints
from data_generator.book import Book
from data_generator.conditions import CONDITIONS
from data_generator.days import NO_DAY, day_number, iso
from data_generator.decisions import STATUSES, SUBMITTED, Decisions
from data_generator.dimensions import money, stamps
from data_generator.drawing import Claims
from data_generator.faults import (
    CORRECTION,
    CURRENCY_TEXT,
    DUPLICATE,
    FUTURE_DATE,
    LATE_ARRIVAL,
    MISSING_DIAGNOSIS,
    NEGATIVE_AMOUNT,
    OUTSIDE_TERM,
    UNKNOWN_POLICY,
    Faults,
)
from data_generator.vocabulary import DENIAL_REASONS, names

COLUMNS = names(
    "claim_id claim_number policy_id pet_id customer_id provider_id claim_type claim_category diagnosis_code diagnosis "
    "service_date submitted_date decision_date payment_date claim_amount approved_amount paid_amount case_reserve "
    "status denial_reason invoice_number is_emergency treatment_notes updated_at"
)
NULL = "null"
NOTES = (
    "Examined and treated for {}; medication dispensed.",
    "Presented with {}; laboratory tests and follow-up advised.",
    "Recheck for {}; owner reports improvement.",
    "Diagnosis {}; treatment plan discussed with the owner.",
)
FOREIGN_AMOUNTS: tuple[Callable[[int], str], ...] = (
    lambda cents: f"EUR {cents // 100_000}.{cents // 100 % 1000:03d},{cents % 100:02d}",
    lambda cents: f"{cents // 100_000} {cents // 100 % 1000:03d},{cents % 100:02d} €",
    lambda cents: f"USD {cents // 100},{cents % 100:02d}",
)

Columns = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Lines:
    """JSON texts with their landing days, ready to be grouped by day."""

    days: Ints
    texts: list[str]

    @classmethod
    def of(cls, rows: list[tuple[date, str]]) -> "Lines":
        return cls(np.array([day_number(day) for day, _ in rows], dtype=np.int64), [text for _, text in rows])


def render(columns: Columns) -> list[str]:
    """One JSON object per row; the columns hold JSON values already."""
    template = "{" + ",".join(f'"{name}":%s' for name in COLUMNS) + "}"
    return [template % row for row in zip(*(columns[name] for name in COLUMNS), strict=True)]


def quoted(texts: list[str]) -> list[str]:
    """JSON strings of texts that need no escaping; the empty text is null."""
    return [f'"{text}"' if text else NULL for text in texts]


def landing_lines(book: Book, claims: Claims, decisions: Decisions, faults: Faults) -> Lines:
    """Every line that the block's claims land, in order of claim number; numbered by submitted day."""
    order = np.lexsort((claims.policy, claims.submitted))
    number = np.empty(claims.size, dtype=np.int64)
    number[order] = np.arange(claims.size)
    rng = book.stream("rows")
    columns = _columns(book, claims, decisions, number, rng)
    for kind, rows in faults.rows.items():
        if kind in SPOILERS:
            SPOILERS[kind](book, claims, columns, rows, rng)
    return _landed(book, claims, columns, faults, rng).in_order(number)


def _columns(book: Book, claims: Claims, decisions: Decisions, number: Ints, rng: np.random.Generator) -> Columns:
    pet = book.policies.pet[claims.policy]
    kinds = [CONDITIONS[c] for c in claims.condition.tolist()]
    changed = np.maximum(np.maximum(claims.submitted, decisions.decision), decisions.payment)
    notes = rng.integers(0, len(NOTES), claims.size).tolist()
    return {
        "claim_id": quoted(book.ids("CLM", number)),
        "claim_number": quoted(book.ids("CN", number)),
        "policy_id": quoted(book.ids("POL", claims.policy)),
        "pet_id": quoted(book.ids("PET", pet)),
        "customer_id": quoted(book.ids("CUS", book.pets.customer[pet])),
        "provider_id": quoted(book.ids("VET", claims.provider)),
        "claim_type": [f'"{c.claim_type}"' for c in kinds],
        "claim_category": [f'"{c.category}"' for c in kinds],
        "diagnosis_code": [f'"{c.code}"' for c in kinds],
        "diagnosis": [f'"{c.name}"' for c in kinds],
        "service_date": quoted(iso(claims.service)),
        "submitted_date": quoted(iso(claims.submitted)),
        "decision_date": quoted(iso(decisions.decision)),
        "payment_date": quoted(iso(decisions.payment)),
        "claim_amount": quoted(money(decisions.bill)),
        "approved_amount": quoted(money(decisions.approved)),
        "paid_amount": quoted(money(decisions.paid)),
        "case_reserve": quoted(money(decisions.reserve)),
        "status": [f'"{STATUSES[s]}"' for s in decisions.status.tolist()],
        "denial_reason": quoted([DENIAL_REASONS[r] for r in decisions.reason.tolist()]),
        "invoice_number": quoted(book.ids("INV", number)),
        "is_emergency": ["true" if e else "false" for e in claims.emergency.tolist()],
        "treatment_notes": [f'"{NOTES[n].format(c.name.lower())}"' for n, c in zip(notes, kinds, strict=True)],
        "updated_at": quoted(stamps(changed, rng)),
    }


def _replace(columns: Columns, name: str, rows: Ints, values: list[str]) -> None:
    for row, value in zip(rows.tolist(), values, strict=True):
        columns[name][row] = value


def _without_diagnosis(_: Book, __: Claims, columns: Columns, rows: Ints, ___: np.random.Generator) -> None:
    _replace(columns, "diagnosis_code", rows, [NULL] * rows.size)
    _replace(columns, "diagnosis", rows, [NULL] * rows.size)


def _negative(_: Book, __: Claims, columns: Columns, rows: Ints, ___: np.random.Generator) -> None:
    _replace(columns, "claim_amount", rows, [f'"-{columns["claim_amount"][row][1:]}' for row in rows.tolist()])


def _currency_text(_: Book, __: Claims, columns: Columns, rows: Ints, rng: np.random.Generator) -> None:
    cents = rng.integers(100_000, 500_000, rows.size).tolist()
    forms = rng.integers(0, len(FOREIGN_AMOUNTS), rows.size).tolist()
    texts = [f'"{FOREIGN_AMOUNTS[form](c)}"' for form, c in zip(forms, cents, strict=True)]
    _replace(columns, "claim_amount", rows, texts)


def _unknown_policy(book: Book, _: Claims, columns: Columns, rows: Ints, rng: np.random.Generator) -> None:
    """An id that no policy has, in the same form."""
    whole, before = book.block.whole.policies, book.block.before.policies
    absent = whole - before + rng.integers(0, whole, rows.size)
    _replace(columns, "policy_id", rows, quoted(book.ids("POL", absent)))


def _in_future(book: Book, _: Claims, columns: Columns, rows: Ints, rng: np.random.Generator) -> None:
    _replace(columns, "service_date", rows, quoted(iso(book.as_of + rng.integers(30, 400, rows.size))))


def _before_policy(book: Book, claims: Claims, columns: Columns, rows: Ints, rng: np.random.Generator) -> None:
    before = book.policies.effective[claims.policy[rows]] - rng.integers(5, 200, rows.size)
    _replace(columns, "service_date", rows, quoted(iso(before)))


SPOILERS: dict[str, Callable[[Book, Claims, Columns, Ints, np.random.Generator], None]] = {
    MISSING_DIAGNOSIS: _without_diagnosis,
    NEGATIVE_AMOUNT: _negative,
    CURRENCY_TEXT: _currency_text,
    UNKNOWN_POLICY: _unknown_policy,
    FUTURE_DATE: _in_future,
    OUTSIDE_TERM: _before_policy,
}


@dataclass(frozen=True, slots=True)
class _Landed:
    rows: Ints
    days: Ints
    texts: list[str]

    def in_order(self, number: Ints) -> Lines:
        order = np.lexsort((self.days, number[self.rows]))
        return Lines(self.days[order], [self.texts[i] for i in order.tolist()])


def _landed(book: Book, claims: Claims, columns: Columns, faults: Faults, rng: np.random.Generator) -> _Landed:
    """Each claim on its landing day, then the repeats and the first versions of corrected claims."""
    days = claims.submitted.copy()
    late, corrected, repeated = (faults.rows[kind] for kind in (LATE_ARRIVAL, CORRECTION, DUPLICATE))
    days[late] += rng.integers(20, SHORTEST_SETTLED, late.size)
    first_versions = _first_versions(book, claims, columns, corrected, rng)
    days[corrected] += rng.integers(3, SHORTEST_SETTLED, corrected.size)
    _replace(columns, "updated_at", corrected, quoted(stamps(_last_change(columns, corrected, days), rng)))
    texts = render(columns)
    again = np.minimum(days[repeated] + rng.integers(0, 3, repeated.size), book.as_of)
    return _Landed(
        np.concatenate([np.arange(claims.size, dtype=np.int64), corrected, repeated]),
        np.concatenate([days, claims.submitted[corrected], again]),
        texts + first_versions + [texts[row] for row in repeated.tolist()],
    )


SHORTEST_SETTLED = 45


def _last_change(columns: Columns, rows: Ints, days: Ints) -> Ints:
    """The corrected version is newer than everything that had happened to the claim."""
    known = np.array([columns["updated_at"][row][1:11] for row in rows.tolist()], dtype="datetime64[D]")
    return np.maximum(days[rows], known.astype(np.int64))


def _first_versions(book: Book, claims: Claims, columns: Columns, rows: Ints, rng: np.random.Generator) -> list[str]:
    """What was landed before the correction: an undecided claim whose amount was mistyped."""
    picked = rows.tolist()
    before = {name: [values[row] for row in picked] for name, values in columns.items()}
    mistyped = [round(float(text.strip('"')) * 1000) for text in before["claim_amount"]]
    nothing = np.full(rows.size, NO_DAY, dtype=np.int64)
    before |= {
        "claim_amount": quoted(money(np.array(mistyped, dtype=np.int64))),
        "approved_amount": ['"0.00"'] * rows.size,
        "paid_amount": ['"0.00"'] * rows.size,
        "case_reserve": ['"0.00"'] * rows.size,
        "status": [f'"{STATUSES[SUBMITTED]}"'] * rows.size,
        "denial_reason": [NULL] * rows.size,
        "decision_date": quoted(iso(nothing)),
        "payment_date": quoted(iso(nothing)),
        "updated_at": quoted(stamps(claims.submitted[rows], rng)),
    }
    return render(before)
