"""Reads a landing zone the way any outsider would: csv and json, decimals and dates. Knows nothing of the generator."""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LandedZone:
    customers: list[Row]
    pets: dict[str, Row]
    policies: dict[str, Row]
    providers: dict[str, Row]
    lines: list[Row]
    as_of: date

    @classmethod
    def read(cls, out: Path, as_of: date) -> "LandedZone":
        def table(name: str) -> list[Row]:
            rows = []
            for path in sorted((out / name).glob("*.csv")):
                with path.open(newline="") as file:
                    rows += list(csv.DictReader(file, strict=True))
            return rows

        lines = [json.loads(text) | {"landed_on": as_of} for text in _lines(out / "claims" / "scenarios.jsonl")]
        for path in sorted((out / "claims").glob("claims_*.jsonl")):
            landed_on = date.fromisoformat(path.stem.removeprefix("claims_"))
            lines += [json.loads(text) | {"landed_on": landed_on} for text in path.read_text().splitlines()]
        return cls(
            customers=table("customers"),
            pets={row["pet_id"]: row for row in table("pets")},
            policies={row["policy_id"]: row for row in table("policies")},
            providers={row["provider_id"]: row for row in table("vet_providers")},
            lines=lines,
            as_of=as_of,
        )

    def latest(self) -> list[Row]:
        """The newest version of each claim id."""
        newest: dict[str, Row] = {}
        for line in self.lines:
            seen = newest.get(line["claim_id"])
            if seen is None or line["updated_at"] > seen["updated_at"]:
                newest[line["claim_id"]] = line
        return list(newest.values())

    def is_clean(self, claim: Row) -> bool:
        """Free of every fault that the data-quality rules are there to find."""
        service = day(claim["service_date"])
        return self._is_sound(claim) and service <= self.as_of and in_term(self.policies[claim["policy_id"]], service)

    def clean(self) -> list[Row]:
        """Clean claims, newest versions, with typed amounts and dates beside the texts."""
        return [_typed(claim) for claim in self.latest() if self.is_clean(claim)]

    def outside_their_term(self) -> list[Row]:
        """Claims whose only fault is a service date outside the policy's term."""
        claims = [claim for claim in self.latest() if not self.is_clean(claim) and self._is_sound(claim)]
        return [_typed(claim) for claim in claims if day(claim["service_date"]) <= self.as_of]

    def _is_sound(self, claim: Row) -> bool:
        known = claim["policy_id"] in self.policies and claim["diagnosis_code"] is not None
        return known and _is_amount(claim["claim_amount"])

    def ids(self) -> Counter[str]:
        return Counter(line["claim_id"] for line in self.lines)


def day(text: str) -> date:
    return date.fromisoformat(text)


def in_term(policy: Row, service: date) -> bool:
    end = min(day(policy["expiration_date"]), day(policy["cancellation_date"] or "9999-12-31"))
    return day(policy["effective_date"]) <= service < end


def earned(policy: Row, first: date, last: date) -> float:
    """Premium earned in [first, last)."""
    end = min(day(policy["expiration_date"]), day(policy["cancellation_date"] or "9999-12-31"), last)
    days = (end - max(day(policy["effective_date"]), first)).days
    return max(days, 0) * float(policy["monthly_premium"]) / 30.4


def policy_year(policy: Row, service: date) -> int:
    start = day(policy["effective_date"])
    return service.year - start.year - ((service.month, service.day) < (start.month, start.day))


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _is_amount(text: str) -> bool:
    return text.replace(".", "", 1).isdigit() and Decimal(text) > 0


def _typed(claim: Row) -> Row:
    amounts = {
        name: Decimal(claim[name]) for name in ("claim_amount", "approved_amount", "paid_amount", "case_reserve")
    }
    return claim | amounts | {"service": day(claim["service_date"]), "submitted": day(claim["submitted_date"])}
