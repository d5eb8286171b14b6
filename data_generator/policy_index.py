"""Every landed policy in a few numbers, so that millions fit into little memory; whole rows are read for few."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from data_generator.arrays import Ints
from data_generator.days import anniversary, day_number
from data_generator.ids import from_base36

Row = dict[str, Any]
NEVER = 2**30
DAYS = ("effective", "expiration", "cancellation")
TERMS = np.dtype([("updated", "i8"), ("active", "?"), *((name, "i4") for name in DAYS), ("pct", "i1")])
"""`updated` is 0 where no policy has the number; days count from 1970."""


@dataclass(frozen=True, slots=True)
class PolicyIndex:
    """The newest version of each policy, by the number at the end of its id."""

    head: str
    terms: npt.NDArray[Any]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "PolicyIndex":
        """Rows of one seed's policies, in any order."""
        head, terms = "", np.zeros(1024, dtype=TERMS)
        for row in rows:
            head, _, digits = row["policy_id"].rpartition("-")
            number = int(digits)
            if number >= terms.size:
                terms = np.concatenate([terms, np.zeros(max(terms.size, number + 1 - terms.size), dtype=TERMS)])
            if _instant(row["updated_at"]) >= terms["updated"][number]:
                terms[number] = _terms(row)
        return cls(head, terms)

    def __bool__(self) -> bool:
        return bool(self.head)

    @property
    def seed(self) -> int:
        return from_base36(self.head.split("-")[1])

    def ids(self, numbers: Ints) -> list[str]:
        return [f"{self.head}-{number:07d}" for number in numbers.tolist()]

    def number(self, policy_id: str) -> int | None:
        """None for a policy that was never landed."""
        head, _, digits = policy_id.rpartition("-")
        number = int(digits) if head == self.head and digits.isdigit() else self.terms.size
        return number if number < self.terms.size and self.terms["updated"][number] else None

    def covers(self, number: int, service: date) -> bool:
        """Whether the day lies in the policy's term."""
        one = self.terms[number]
        return bool(one["effective"] <= day_number(service) < min(one["expiration"], one["cancellation"]))

    def pct(self, policy_id: str) -> int:
        """The reimbursement percentage of a policy that was landed."""
        number = self.number(policy_id)
        assert number is not None
        return int(self.terms["pct"][number])

    def in_force_before(self, day: date) -> Ints:
        """Numbers of the active policies that began before the day."""
        began = self.terms["effective"] < day_number(day)
        return np.flatnonzero(self.terms["active"] & began).astype(np.int64)

    def ended_by(self, day: date) -> Ints:
        """Numbers of the active policies whose term is over on the day."""
        ended = self.terms["expiration"] <= day_number(day)
        return np.flatnonzero(self.terms["active"] & ended).astype(np.int64)

    def renew(self, numbers: Ints) -> None:
        """One more year for these."""
        terms = self.terms["expiration"]
        terms[numbers] = anniversary(terms[numbers].astype(np.int64), np.ones_like(numbers))


def _terms(row: Row) -> tuple[int, ...]:
    return (
        _instant(row["updated_at"]),
        row["status"] == "Active",
        *(_day(row[f"{name}_date"]) for name in DAYS),
        int(row["reimbursement_pct"]),
    )


def _day(text: str) -> int:
    return day_number(date.fromisoformat(text)) if text else NEVER


def _instant(text: str) -> int:
    """A number that grows with the UTC instant."""
    return int("".join(filter(str.isdigit, text)))
