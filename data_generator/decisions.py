"""What the insurer did with each claim by the as-of date: decision, payment, reserve, status.

`Partially Approved` says that deductible or annual limit took more than half of what the percentage alone would pay;
it may have been paid or not. `Paid` and `Approved` differ in the payment only.
"""

from dataclasses import dataclass, fields

import numpy as np

from data_generator.adjudication import COVERED, DOCUMENTATION, percentage
from data_generator.arrays import Bools, Ints
from data_generator.book import Book
from data_generator.calibration import PriceLevels, approved_cents
from data_generator.days import NO_DAY
from data_generator.drawing import Claims

STATUSES = ("Submitted", "Under Review", "Approved", "Partially Approved", "Denied", "Paid")
SUBMITTED, UNDER_REVIEW, APPROVED, PARTIALLY_APPROVED, DENIED, PAID = range(6)

STRAIGHT_THROUGH = 0.35
MEDIAN_DECISION_DAYS, DECISION_SIGMA = 4.0, 0.84
HIGH_BILL_CENTS = 200_000
MISSING_DOCUMENTS = 0.016
STUCK_ALWAYS, STUCK_RECENTLY, STUCK_FADES_DAYS = 0.02, 0.3, 60.0


@dataclass(frozen=True, slots=True)
class Decisions:
    """One entry per claim, in the claims' order. Days are NO_DAY where nothing has happened yet."""

    bill: Ints
    approved: Ints
    paid: Ints
    reserve: Ints
    status: Ints
    reason: Ints
    decision: Ints
    payment: Ints

    def take(self, rows: Ints) -> "Decisions":
        return Decisions(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def decide(book: Book, claims: Claims, levels: PriceLevels, faulty: Bools) -> Decisions:
    """Every claim's state at the end of the as-of day. Faulty claims are never decided and use up no terms."""
    rng = book.stream("decisions")
    bill = levels.bills_cents(claims)
    reason = np.where(
        (claims.exclusion == COVERED) & (rng.random(claims.size) < MISSING_DOCUMENTS), DOCUMENTATION, claims.exclusion
    )
    decision = _decision_days(rng, book, claims, bill, reason)
    is_open = (decision > book.as_of) | faulty
    reason = np.where(is_open & (reason == DOCUMENTATION), COVERED, reason)
    covered = (reason == COVERED) & ~faulty
    approved = approved_cents(book, claims, np.where(covered, bill, 0))
    mostly = 2 * approved >= percentage(bill, book.policies.pct[claims.policy])
    payment = decision + rng.integers(1, 4, claims.size)
    is_paid = ~is_open & covered & (approved > 0) & (payment <= book.as_of)
    waits = np.where((book.as_of - claims.submitted <= 2) | (rng.random(claims.size) < 0.4) | faulty, SUBMITTED, 1)
    decided = np.select([~covered, ~mostly, is_paid], [DENIED, PARTIALLY_APPROVED, PAID], APPROVED)
    return Decisions(
        bill=bill,
        approved=np.where(is_open, 0, approved),
        paid=np.where(is_paid, approved, 0),
        reserve=np.where(is_paid, 0, approved),
        status=np.where(is_open, waits, decided),
        reason=np.where(is_open, COVERED, reason),
        decision=np.where(is_open, NO_DAY, decision),
        payment=np.where(is_paid, payment, NO_DAY),
    )


def _decision_days(rng: np.random.Generator, book: Book, claims: Claims, bill: Ints, reason: Ints) -> Ints:
    """A third at once, the rest within days; longer for high bills and missing papers; some recent ones are stuck."""
    days = MEDIAN_DECISION_DAYS * np.exp(DECISION_SIGMA * rng.standard_normal(claims.size))
    days = days * np.where(bill > HIGH_BILL_CENTS, 1.6, 1.0) + np.where(reason == DOCUMENTATION, 14, 0)
    at_once = (rng.random(claims.size) < STRAIGHT_THROUGH) & (bill <= HIGH_BILL_CENTS) & (reason != DOCUMENTATION)
    age = book.as_of - claims.submitted
    stuck = rng.random(claims.size) < STUCK_ALWAYS + STUCK_RECENTLY * np.exp(-age / STUCK_FADES_DAYS)
    waited = np.where(at_once, 0, np.maximum(np.round(days), 1)).astype(np.int64)
    return np.where(stuck, book.as_of + 1, claims.submitted + waited)
