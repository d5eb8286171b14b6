"""Price levels by calendar quarter, so that every year's losses fit the premium earned in it.

A real book reaches its loss ratio because its premiums are set from its losses; here it is the other way round.
"""

from dataclasses import dataclass

import numpy as np

from data_generator.adjudication import COVERED, approve
from data_generator.arrays import Bools, Floats, Ints, stream
from data_generator.book import Book
from data_generator.days import months_of
from data_generator.drawing import LARGEST_BILL_USD, SMALLEST_BILL_USD, Claims

TARGET_LOSS_RATIO = 0.715
QUARTERLY_SPREAD = 0.02
LOWEST, HIGHEST = 0.3, 3.0
ROUNDS = 14
DAYS_PER_MONTH = 30.4


@dataclass(frozen=True, slots=True)
class PriceLevels:
    """A factor on the vets' bills per quarter of service."""

    first_quarter: int
    factors: Floats

    def bills_cents(self, claims: Claims) -> Ints:
        """What the vets charge, in cents."""
        factor = self.factors[quarter_of(claims.service) - self.first_quarter]
        return np.round(np.clip(claims.bill_usd * factor, SMALLEST_BILL_USD, LARGEST_BILL_USD) * 100).astype(np.int64)


def quarter_of(days: Ints) -> Ints:
    return months_of(days) // 3


def approved_cents(book: Book, claims: Claims, eligible: Ints) -> Ints:
    """The policy formula over claims in their order; every policy's claims are complete."""
    terms = book.policies
    group = claims.policy * 64 + claims.policy_year
    policy = claims.policy
    return approve(group, eligible, terms.deductible_cents[policy], terms.limit_cents[policy], terms.pct[policy])


def calibrate(book: Book, claims: Claims, faulty: Bools) -> PriceLevels:
    """Price levels at which the block's claims cost the target share of the block's earned premium."""
    first, last = (int(quarter_of(np.array([day]))[0]) for day in (book.start, book.as_of))
    earned = earned_cents(book, first, last)
    noise = stream(book.seed, "quarters").uniform(-QUARTERLY_SPREAD, QUARTERLY_SPREAD, earned.size)
    target = earned * (TARGET_LOSS_RATIO + noise)
    factors = np.ones(earned.size)
    quarter = quarter_of(claims.service) - first
    covered = (claims.exclusion == COVERED) & ~faulty
    for _ in range(ROUNDS):
        eligible = np.where(covered, PriceLevels(first, factors).bills_cents(claims), 0)
        losses = np.bincount(quarter, approved_cents(book, claims, eligible), earned.size)
        step = np.divide(target, losses, out=np.ones_like(target), where=losses > 0)
        factors = np.clip(factors * step, LOWEST, HIGHEST)
    return PriceLevels(first, factors)


def earned_cents(book: Book, first: int, last: int) -> Floats:
    """Premium earned per quarter: monthly premium x days in force / 30.4."""
    quarters = np.arange(first, last + 2).astype("int64")
    bounds = (quarters * 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    effective, until = book.policies.effective, book.policies.until
    per_day = book.policies.premium_cents / DAYS_PER_MONTH
    earned = np.zeros(quarters.size - 1)
    for quarter in range(earned.size):
        days = np.minimum(until, bounds[quarter + 1]) - np.maximum(effective, bounds[quarter])
        earned[quarter] = float((np.maximum(days, 0) * per_day).sum())
    return earned
