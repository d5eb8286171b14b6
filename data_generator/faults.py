"""The deliberately bad rows: which claims get which fault. About 3 % of the rows: silver has real work."""

from dataclasses import dataclass

import numpy as np

from data_generator.arrays import Bools, Ints
from data_generator.book import Book
from data_generator.drawing import Claims

DUPLICATE = "duplicate_row"
MISSING_DIAGNOSIS = "missing_diagnosis"
NEGATIVE_AMOUNT = "negative_amount"
CURRENCY_TEXT = "currency_text"
UNKNOWN_POLICY = "unknown_policy"
FUTURE_DATE = "future_service_date"
OUTSIDE_TERM = "service_before_policy"
LATE_ARRIVAL = "late_arrival"
CORRECTION = "corrected_later"

SHARES = {
    DUPLICATE: 0.006,
    MISSING_DIAGNOSIS: 0.005,
    NEGATIVE_AMOUNT: 0.003,
    CURRENCY_TEXT: 0.003,
    UNKNOWN_POLICY: 0.003,
    FUTURE_DATE: 0.002,
    OUTSIDE_TERM: 0.002,
    LATE_ARRIVAL: 0.004,
    CORRECTION: 0.004,
}
"""Share of the claims that get each fault."""

UNDECIDABLE = (MISSING_DIAGNOSIS, NEGATIVE_AMOUNT, CURRENCY_TEXT, UNKNOWN_POLICY, FUTURE_DATE, OUTSIDE_TERM)
"""Faults that keep a claim from being decided; the others land good data twice, late or in two versions."""

SETTLED_DAYS = 45
"""Late and corrected claims were submitted at least this long ago."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Rows of the block's claims by fault; no claim has two."""

    rows: dict[str, Ints]

    def undecidable(self, size: int) -> Bools:
        mask = np.zeros(size, dtype=np.bool_)
        for kind in UNDECIDABLE:
            mask[self.rows[kind]] = True
        return mask

    def counts(self) -> dict[str, int]:
        return {kind: int(rows.size) for kind, rows in self.rows.items()}


def choose_faults(book: Book, claims: Claims) -> Faults:
    """Exact shares of the block, rounded; old claims only where a later landing day is needed."""
    order = book.stream("faults").permutation(claims.size).astype(np.int64)
    settled = claims.submitted[order] <= book.as_of - SETTLED_DAYS
    free = np.ones(claims.size, dtype=np.bool_)
    rows = {}
    for kind, share in sorted(SHARES.items(), key=lambda item: item[0] not in (LATE_ARRIVAL, CORRECTION)):
        allowed = free & (settled if kind in (LATE_ARRIVAL, CORRECTION) else True)
        places = np.flatnonzero(allowed)[: round(share * claims.size)]
        free[places] = False
        rows[kind] = np.sort(order[places])
    return Faults(rows)
