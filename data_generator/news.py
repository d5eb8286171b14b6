"""What becomes of earlier claims on one more day: decisions, payments, and corrected rows. Each is a newer version."""

import re
from datetime import date

import numpy as np

from data_generator.adjudication import percentage
from data_generator.days import day_number
from data_generator.dimensions import stamps
from data_generator.landed import Landed
from data_generator.policy_index import Row

DECIDED_SHARE, PAID_SHARE, CORRECTED_SHARE = 0.2, 0.6, 0.004
OPEN = ("Submitted", "Under Review")


def decisions(landed: Landed, recent: list[Row], day: date, rng: np.random.Generator) -> list[Row]:
    """Some of the open claims are decided, most of the approved ones are paid."""
    pending = [claim for claim in recent if landed.is_clean(claim) and claim["case_reserve"] != "0.00"]
    news = []
    for claim in pending:
        is_open = claim["status"] in OPEN
        if rng.random() < (DECIDED_SHARE if is_open else PAID_SHARE):
            change = _decision(landed.policies.pct(claim["policy_id"]), claim, day) if is_open else _payment(claim, day)
            news.append(claim | change | {"updated_at": _stamp(day, rng)})
    return news


def corrections(landed: Landed, recent: list[Row], day: date, rng: np.random.Generator) -> list[Row]:
    """Mistyped invoice numbers and, once a day, an unreadable amount; the latter's claim is then denied."""
    clean = [claim for claim in recent if landed.is_clean(claim) and claim["case_reserve"] == "0.00"]
    amount = min(len(clean), max(1, round(CORRECTED_SHARE * len(clean))))
    chosen = [clean[index] for index in sorted(rng.choice(len(clean), amount, replace=False).tolist())] if clean else []
    news = [claim | {"invoice_number": f"{claim['invoice_number']}-C"} for claim in chosen]
    spoiled = [claim for claim in recent if re.search(r"[^0-9.]", claim["claim_amount"])]
    if spoiled:
        news.append(_healed(spoiled[int(rng.integers(0, len(spoiled)))], day))
    return [claim | {"updated_at": _stamp(day, rng)} for claim in news]


def _stamp(day: date, rng: np.random.Generator) -> str:
    return stamps(np.array([day_number(day)]), rng)[0]


def _decision(pct: int, claim: Row, day: date) -> Row:
    bill, approved = (np.array([round(float(claim[name]) * 100)]) for name in ("claim_amount", "case_reserve"))
    in_full = percentage(bill, np.array([pct]))
    return {
        "status": "Approved" if 2 * approved[0] >= in_full[0] else "Partially Approved",
        "approved_amount": claim["case_reserve"],
        "decision_date": day.isoformat(),
    }


def _payment(claim: Row, day: date) -> Row:
    return {
        "status": "Paid" if claim["status"] == "Approved" else claim["status"],
        "paid_amount": claim["case_reserve"],
        "case_reserve": "0.00",
        "payment_date": day.isoformat(),
    }


def _healed(claim: Row, day: date) -> Row:
    """The amount made readable. Denied, so that it uses up none of its policy's terms."""
    digits = re.sub(r"[^0-9]", "", claim["claim_amount"])
    return claim | {
        "claim_amount": f"{digits[:-2]}.{digits[-2:]}",
        "status": "Denied",
        "denial_reason": "Insufficient Documentation",
        "decision_date": day.isoformat(),
    }
