"""The policy formula, in whole cents and in order: deductible first, then the percentage, then the annual limit."""

import numpy as np

from data_generator.arrays import Bools, Ints
from data_generator.book import Policies
from data_generator.conditions import ACCIDENT, NEEDS_DENTAL, NEEDS_WELLNESS, ORTHOPEDIC, WELLNESS

COVERED, PRE_EXISTING, WAITING_PERIOD, NOT_COVERED, DOCUMENTATION = range(5)


def percentage(cents: Ints, pct: Ints) -> Ints:
    """Half a cent rounds up, as SQL's decimal rounding does."""
    return (cents * pct + 50) // 100


def approve(group: Ints, eligible: Ints, deductible: Ints, limit: Ints, pct: Ints) -> Ints:
    """Approved cents of each claim: min(limit left, (eligible - deductible left)+ x pct).

    `group` is the policy year; a group's rows are adjacent and in the order in which they use up its terms.
    A claim that is not covered has eligible 0 and uses up nothing.
    """
    before = _sum_before(group, eligible)
    deductible_left = np.maximum(deductible - before, 0)
    payable = percentage(np.maximum(eligible - deductible_left, 0), pct)
    paid_before = np.minimum(_sum_before(group, payable), limit)
    return np.minimum(limit - paid_before, payable)


def _sum_before(group: Ints, values: Ints) -> Ints:
    """Sum of the earlier rows of the same group."""
    if group.size == 0:
        return values
    before = np.cumsum(values) - values
    first = np.concatenate([[True], group[1:] != group[:-1]])
    starts = np.flatnonzero(first)
    return before - np.repeat(before[starts], np.diff(np.append(starts, group.size)))


def waiting_ends(terms: Policies, policy: Ints, condition: Ints) -> Ints:
    """The first covered service day: accidents and wellness at once, illness and orthopaedics after their wait."""
    wait = np.where(ORTHOPEDIC[condition], terms.orthopedic_wait[policy], terms.illness_wait[policy])
    return terms.effective[policy] + np.where(ACCIDENT[condition] | WELLNESS[condition], 0, wait)


def covered_by_plan(terms: Policies, policy: Ints, condition: Ints) -> Bools:
    """Wellness and dental care need their rider."""
    wellness = ~NEEDS_WELLNESS[condition] | terms.wellness[policy]
    return np.asarray(wellness & (~NEEDS_DENTAL[condition] | terms.dental[policy]))


def exclusion(terms: Policies, history: Ints, policy: Ints, condition: Ints, service: Ints) -> Ints:
    """The rule that excludes each claim, or COVERED. `history` is the pet's pre-existing conditions by claim."""
    known_before = (history == condition[:, None]).any(axis=1)
    waiting = service < waiting_ends(terms, policy, condition)
    choices = [known_before, waiting, ~covered_by_plan(terms, policy, condition)]
    return np.select(choices, [PRE_EXISTING, WAITING_PERIOD, NOT_COVERED], COVERED).astype(np.int64)
