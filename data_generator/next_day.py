"""One more day of landing: new claims, late ones, news and corrections of earlier ones, renewed policies.

Every amount stays what the policies' terms demand, over all days together.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from data_generator.arrays import stream
from data_generator.claim_rows import COLUMNS, FOREIGN_AMOUNTS, Lines
from data_generator.days import day_number
from data_generator.dimensions import POLICY_COLUMNS
from data_generator.faults import CORRECTION, CURRENCY_TEXT, DUPLICATE, LATE_ARRIVAL
from data_generator.landed import Landed
from data_generator.news import corrections, decisions
from data_generator.next_claims import claimants, new_claims
from data_generator.policy_index import Row
from data_generator.writing import Landing

CURRENCY_SHARE, DUPLICATE_SHARE = 0.02, 0.02


@dataclass(frozen=True, slots=True)
class DaySummary:
    """What one appended day landed."""

    seed: int
    day: date
    new_claims: int
    late_claims: int
    updated_claims: int
    renewed_policies: int
    claim_rows: int
    bad_rows: dict[str, int]


def append_day(out: Path) -> DaySummary:
    """Land the day after the last one; the same landing zone gives the same day. Existing files stay as they are.

    Raises: NothingLanded.
    """
    landed = Landed.read(out)
    day = landed.last_day + timedelta(days=1)
    rng = stream(landed.seed, "next-day", day_number(day))
    ended = landed.policies.ended_by(day)
    landed.policies.renew(ended)
    renewals, claiming = landed.policies.ids(ended), claimants(landed, day, rng)
    rows_by_id = landed.policy_rows({*renewals, *claiming})
    rows_by_id |= {policy_id: _renewed(rows_by_id[policy_id], day) for policy_id in renewals}
    renewed = [rows_by_id[policy_id] for policy_id in renewals]
    new = new_claims(landed, [rows_by_id[policy_id] for policy_id in claiming], day, rng)
    recent = landed.recent()
    decided, corrected = decisions(landed, recent, day, rng), corrections(landed, recent, day, rng)
    spoiled = _spoil(new, rng)
    repeated = [row for row in new if rng.random() < DUPLICATE_SHARE]
    rows = [*new, *repeated, *decided, *corrected]
    with Landing(out) as landing:
        if renewed:
            landing.append(Path("policies") / f"policies_{day.isoformat()}.csv", _csv(renewed))
        landing.append_claims(Lines.of([(day, _json(row)) for row in rows]))
    late = sum(row["submitted_date"] < day.isoformat() for row in new)
    return DaySummary(
        seed=landed.seed,
        day=day,
        new_claims=len(new),
        late_claims=late,
        updated_claims=len(decided) + len(corrected),
        renewed_policies=len(renewed),
        claim_rows=len(rows),
        bad_rows={DUPLICATE: len(repeated), CURRENCY_TEXT: spoiled, LATE_ARRIVAL: late, CORRECTION: len(corrected)},
    )


def _json(row: Row) -> str:
    return json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False, separators=(",", ":"))


def _csv(rows: list[Row]) -> list[str]:
    return [",".join(POLICY_COLUMNS) + "\n", *(",".join(str(row[c]) for c in POLICY_COLUMNS) + "\n" for row in rows)]


def _renewed(policy: Row, day: date) -> Row:
    """An active policy whose term has ended goes on for another year, on the same terms."""
    return policy | {
        "expiration_date": _year_later(policy["expiration_date"]),
        "renewal_count": int(policy["renewal_count"]) + 1,
        "updated_at": f"{day.isoformat()}T00:00:00Z",
    }


def _year_later(text: str) -> str:
    return f"{int(text[:4]) + 1:04d}{text[4:]}"


def _spoil(rows: list[Row], rng: np.random.Generator) -> int:
    """Some new claims come with an amount in words of another country; they are not decided. Returns how many."""
    spoiled = [row for row in rows if rng.random() < CURRENCY_SHARE]
    for row in spoiled:
        form = FOREIGN_AMOUNTS[int(rng.integers(0, len(FOREIGN_AMOUNTS)))]
        row |= UNDECIDED | {"claim_amount": form(int(rng.integers(100_000, 500_000)))}
    return len(spoiled)


UNDECIDED: Row = {
    "status": "Submitted",
    "decision_date": None,
    "denial_reason": None,
    "approved_amount": "0.00",
    "paid_amount": "0.00",
    "case_reserve": "0.00",
}
