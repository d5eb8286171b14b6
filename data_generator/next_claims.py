"""The new claims of one more day, drawn and priced by the rules of the history.

They come after all earlier services of their policy, so amounts that were approved before stay right.
"""

from dataclasses import replace
from datetime import date

import numpy as np

from data_generator.adjudication import COVERED, approve, exclusion, percentage
from data_generator.arrays import Ints
from data_generator.claim_rows import NOTES
from data_generator.conditions import CODES, CONDITIONS, EMERGENCY
from data_generator.days import day_number, to_date, whole_years
from data_generator.decisions import HIGH_BILL_CENTS, STRAIGHT_THROUGH
from data_generator.dimensions import stamps
from data_generator.drawing import Claims, bills, conditions_for, providers_for
from data_generator.ids import base36, numbered
from data_generator.landed import Landed
from data_generator.policy_index import Row
from data_generator.small_book import SmallBook, read_book
from data_generator.vocabulary import DENIAL_REASONS

PRICE_LEVEL = 0.95
LATE_BY_DAYS = 30
LATE_SHARE = 0.05


def claimants(landed: Landed, day: date, rng: np.random.Generator) -> list[str]:
    """Ids of as many policies as claims land on a usual day."""
    in_force = landed.policies.in_force_before(day)
    size = min(in_force.size, max(1, round(landed.rows_per_day())))
    return landed.policies.ids(np.sort(rng.choice(in_force, size, replace=False))) if size else []


def new_claims(landed: Landed, chosen: list[Row], day: date, rng: np.random.Generator) -> list[Row]:
    """One claim for each of the chosen policies, decided at once or waiting."""
    if not chosen:
        return []
    small = read_book(landed.out, landed.seed, day, chosen)
    history = [claim for claim in landed.claims_of(set(small.places)) if landed.is_clean(claim)]
    claims = _draw(small, history, day, rng)
    bill = np.round(np.clip(claims.bill_usd * PRICE_LEVEL, 15, 45_000) * 100).astype(np.int64)
    approved = _approved(small, history, claims, bill)
    return [_row(small, claims, i, bill, approved, rng) for i in range(claims.size)]


def _draw(small: SmallBook, history: list[Row], day: date, rng: np.random.Generator) -> Claims:
    book, size = small.book, len(small.policies)
    policy, today = np.arange(size, dtype=np.int64), day_number(day)
    earliest = np.maximum(_last_services(small, history) + 1, book.policies.effective)
    late = (rng.random(size) < LATE_SHARE) & (earliest <= today - LATE_BY_DAYS - 1)
    submitted = np.where(late, today - LATE_BY_DAYS, today)
    service = np.maximum(submitted - np.floor(rng.exponential(5.0, size)).astype(np.int64), earliest)
    condition = conditions_for(rng, book, policy, service)
    claims = Claims(
        policy=policy,
        service=np.minimum(service, submitted),
        submitted=submitted,
        condition=condition,
        provider=providers_for(rng, small.provider_place, book.customer_place),
        emergency=rng.random(size) < EMERGENCY[condition],
        bill_usd=np.zeros(size),
        exclusion=exclusion(book.policies, book.pets.conditions, policy, condition, service),
        policy_year=whole_years(book.policies.effective, service),
    )
    return replace(claims, bill_usd=bills(rng, book, claims, book.customer_place))


def _last_services(small: SmallBook, history: list[Row]) -> Ints:
    """The newest service day of each policy, or a day long ago."""
    place = small.places
    last = np.zeros(len(place), dtype=np.int64)
    for claim in history:
        number = place[claim["policy_id"]]
        last[number] = max(last[number], day_number(date.fromisoformat(claim["service_date"])))
    return last


def _approved(small: SmallBook, history: list[Row], claims: Claims, bill: Ints) -> Ints:
    """What the new claims cost by their policies' terms, after everything that came before them."""
    terms, place = small.book.policies, small.places
    before = np.array([place[claim["policy_id"]] for claim in history], dtype=np.int64)
    service = np.array([day_number(date.fromisoformat(c["service_date"])) for c in history], dtype=np.int64)
    condition = np.array([CODES.index(claim["diagnosis_code"]) for claim in history], dtype=np.int64)
    rule = exclusion(terms, small.book.pets.conditions[before], before, condition, service)
    denied = np.array([claim["status"] == "Denied" for claim in history], dtype=np.bool_)
    amounts = np.array([round(float(claim["claim_amount"]) * 100) for claim in history], dtype=np.int64)
    policy = np.concatenate([before, claims.policy])
    services = np.concatenate([service, claims.service])
    year = whole_years(terms.effective[policy], services)
    eligible = np.concatenate(
        [np.where((rule == COVERED) & ~denied, amounts, 0), np.where(claims.exclusion == COVERED, bill, 0)]
    )
    order = np.lexsort((np.arange(policy.size), services, policy))
    sums = approve(
        (policy * 64 + year)[order],
        eligible[order],
        terms.deductible_cents[policy[order]],
        terms.limit_cents[policy[order]],
        terms.pct[policy[order]],
    )
    result = np.empty_like(sums)
    result[order] = sums
    return result[before.size :]


def _row(small: SmallBook, claims: Claims, index: int, bill: Ints, approved: Ints, rng: np.random.Generator) -> Row:
    """One claim as it lands: decided at once, or submitted with its reserve."""
    book, condition = small.book, CONDITIONS[int(claims.condition[index])]
    day, policy = to_date(book.as_of), small.policies[index]
    number = f"{base36(book.seed)}-{day:%Y%m%d}-{index + 1:04d}"
    pct = book.policies.pct[index : index + 1]
    at_once = bill[index] <= HIGH_BILL_CENTS and rng.random() < STRAIGHT_THROUGH
    covered = claims.exclusion[index] == COVERED
    mostly = 2 * approved[index] >= percentage(bill[index : index + 1], pct)[0]
    decided = "Denied" if not covered else "Approved" if mostly else "Partially Approved"
    return {
        "claim_id": f"CLM-{number}",
        "claim_number": f"CN-{number}",
        "policy_id": policy["policy_id"],
        "pet_id": policy["pet_id"],
        "customer_id": policy["customer_id"],
        "provider_id": numbered("VET", book.seed, [int(claims.provider[index])])[0],
        "claim_type": condition.claim_type,
        "claim_category": condition.category,
        "diagnosis_code": condition.code,
        "diagnosis": condition.name,
        "service_date": to_date(claims.service[index]).isoformat(),
        "submitted_date": to_date(claims.submitted[index]).isoformat(),
        "decision_date": day.isoformat() if at_once else None,
        "payment_date": None,
        "claim_amount": text_of(bill[index]),
        "approved_amount": text_of(approved[index] if at_once else 0),
        "paid_amount": "0.00",
        "case_reserve": text_of(approved[index]),
        "status": decided if at_once else "Submitted",
        "denial_reason": DENIAL_REASONS[claims.exclusion[index]] or None if at_once else None,
        "invoice_number": f"INV-{number}",
        "is_emergency": bool(claims.emergency[index]),
        "treatment_notes": NOTES[int(rng.integers(0, len(NOTES)))].format(condition.name.lower()),
        "updated_at": stamps(np.array([book.as_of]), rng)[0],
    }


def text_of(cents: int) -> str:
    """Decimal text of an amount."""
    return f"{cents // 100}.{cents % 100:02d}"
