"""What a landing zone already holds, read back: its last day, its policies, and chosen claims. Memory stays bounded."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data_generator.ids import SCENARIO_MARK
from data_generator.limits import GenerationError
from data_generator.policy_index import PolicyIndex, Row

RECENT_FILES = 60
RECENT_ROWS = 100_000

_POLICY = re.compile(r'"policy_id":"([^"]*)"')
_AMOUNT = re.compile(r"\d+\.\d\d")
_DAY_FILE = re.compile(r"claims_(\d{4}-\d\d-\d\d)\.jsonl")


class NothingLanded(GenerationError):
    """The folder holds no landing data that a day could be added to; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Landed:
    """A landing zone as it stands; scenarios are not part of it, so that their outcomes stay what they are."""

    out: Path
    last_day: date
    day_files: tuple[Path, ...]
    policies: PolicyIndex

    @classmethod
    def read(cls, out: Path) -> "Landed":
        """Raises NothingLanded."""
        files = tuple(sorted(path for path in out.glob("claims/claims_*.jsonl") if _DAY_FILE.fullmatch(path.name)))
        rows = (row for row in read_table(out, "policies") if SCENARIO_MARK not in row["policy_id"])
        try:
            policies = PolicyIndex.of(rows)
        except (KeyError, ValueError, TypeError) as fault:
            raise NothingLanded(f"{out} holds policies that were not generated; no day can be added") from fault
        if not files or not policies:
            raise NothingLanded(f"{out} holds no landed policies and claims; generate a landing zone first")
        return cls(out, date.fromisoformat(files[-1].stem.removeprefix("claims_")), files, policies)

    @property
    def seed(self) -> int:
        return self.policies.seed

    def policy_rows(self, policy_ids: set[str]) -> dict[str, Row]:
        """The newest version of these policies, whole."""
        return latest((row for row in read_table(self.out, "policies") if row["policy_id"] in policy_ids), "policy_id")

    def claims_of(self, policy_ids: set[str]) -> list[Row]:
        """The newest version of every claim of these policies, from all files."""
        return newest(json.loads(line) for line in self._lines(self.day_files) if _policy_of(line) in policy_ids)

    def recent(self, at_most: int = RECENT_ROWS) -> list[Row]:
        """The newest version of every claim in the last files: of two months, or as many as hold that many rows."""
        lines: list[str] = []
        for path in reversed(self.day_files[-RECENT_FILES:]):
            older = list(self._lines([path]))
            if lines and len(lines) + len(older) > at_most:
                break
            lines = older + lines
        return newest(json.loads(line) for line in lines)

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
        number = self.policies.number(claim["policy_id"])
        if number is None or not claim["diagnosis_code"] or not _AMOUNT.fullmatch(claim["claim_amount"]):
            return False
        service = date.fromisoformat(claim["service_date"])
        return self.policies.covers(number, service) and service <= self.last_day


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
