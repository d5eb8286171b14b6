"""What a landing zone already holds, read back: its last day, its policies, and chosen claims. Memory stays bounded."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data_generator.ids import SCENARIO_MARK, from_base36
from data_generator.limits import GenerationError

Row = dict[str, Any]
RECENT_FILES = 60

_POLICY = re.compile(r'"policy_id":"([^"]*)"')
_AMOUNT = re.compile(r"\d+\.\d\d")
_DAY_FILE = re.compile(r"claims_(\d{4}-\d\d-\d\d)\.jsonl")


class NothingLanded(GenerationError):
    """The folder holds no landing data that a day could be added to; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Landed:
    """A landing zone as it stands; scenarios are not part of it, so that their outcomes stay what they are."""

    out: Path
    seed: int
    last_day: date
    day_files: tuple[Path, ...]
    policies: dict[str, Row]

    @classmethod
    def read(cls, out: Path) -> "Landed":
        """Raises NothingLanded."""
        files = tuple(sorted(path for path in out.glob("claims/claims_*.jsonl") if _DAY_FILE.fullmatch(path.name)))
        rows = (row for row in read_table(out, "policies") if SCENARIO_MARK not in row["policy_id"])
        policies = latest(rows, "policy_id")
        if not files or not policies:
            raise NothingLanded(f"{out} holds no landed policies and claims; generate a landing zone first")
        seed = from_base36(next(iter(policies)).split("-")[1])
        return cls(out, seed, date.fromisoformat(files[-1].stem.removeprefix("claims_")), files, policies)

    def claims_of(self, policy_ids: set[str]) -> list[Row]:
        """The newest version of every claim of these policies, from all files."""
        return newest(json.loads(line) for line in self._lines(self.day_files) if _policy_of(line) in policy_ids)

    def recent(self) -> list[Row]:
        """The newest version of every claim in the last files."""
        return newest(json.loads(line) for line in self._lines(self.day_files[-RECENT_FILES:]))

    def rows_per_day(self) -> float:
        """Mean rows of the last four weeks' files."""
        files = self.day_files[-28:]
        return sum(1 for _ in self._lines(files)) / len(files)

    @staticmethod
    def _lines(files: Iterable[Path]) -> Iterator[str]:
        for path in files:
            with path.open(encoding="utf-8") as file:
                yield from file

    def is_clean(self, claim: Row) -> bool:
        """Free of the seeded faults: its policy, diagnosis, amount and service date are usable."""
        policy = self.policies.get(claim["policy_id"])
        if policy is None or not claim["diagnosis_code"] or not _AMOUNT.fullmatch(claim["claim_amount"]):
            return False
        end = min(policy["expiration_date"], policy["cancellation_date"] or "9999")
        return (
            bool(policy["effective_date"] <= claim["service_date"] < end)
            and claim["service_date"] <= self.last_day.isoformat()
        )


def read_table(out: Path, name: str) -> Iterator[Row]:
    """Every row of a dimension's files, in the order of their names."""
    for path in sorted((out / name).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def latest(rows: Iterable[Row], key: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        if row[key] not in found or row["updated_at"] >= found[row[key]]["updated_at"]:
            found[row[key]] = row
    return found


def newest(claims: Iterable[Row]) -> list[Row]:
    return list(latest(claims, "claim_id").values())


def _policy_of(line: str) -> str:
    match = _POLICY.search(line)
    return match.group(1) if match else ""
