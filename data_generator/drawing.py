"""Claims as they happen: whose pet, when, what, where, and the vet's bill. Nothing is decided here."""

from dataclasses import dataclass, fields, replace

import numpy as np

from data_generator.adjudication import COVERED, PRE_EXISTING, covered_by_plan, exclusion, waiting_ends
from data_generator.arrays import Bools, Floats, Ints, log_normal, stream
from data_generator.book import PRICE_LEVELS, Book
from data_generator.conditions import (
    AGE_BAND_STARTS_YEARS,
    EMERGENCY,
    MEANS,
    NEEDS_DENTAL,
    NEEDS_WELLNESS,
    SIGMAS,
    frequency_table,
)
from data_generator.days import months_of, whole_years
from data_generator.vocabulary import BREEDS, PLACES

INFLATION = 1.07
LARGEST_BILL_USD = 45_000.0
SMALLEST_BILL_USD = 15.0
PRE_EXISTING_ATTEMPTS = 0.065
PATIENCE_IN_WAITING = 0.6
ASKS_WITHOUT_WELLNESS, ASKS_WITHOUT_DENTAL = 0.2, 0.45
EARLY = 1.2
"""Above 1: a new policy sees more claims than an old one, as owners insure pets that need a vet."""
DODGED = 0.6
LONGEST_REPORT_LAG = 120
AWAY_FROM_HOME = 0.12


@dataclass(frozen=True, slots=True)
class Claims:
    """One entry per claim. `bill_usd` is before the quarter's price level; `exclusion` is the rule that applies."""

    policy: Ints
    service: Ints
    submitted: Ints
    condition: Ints
    provider: Ints
    emergency: Bools
    bill_usd: Floats
    exclusion: Ints
    policy_year: Ints

    @property
    def size(self) -> int:
        return int(self.policy.size)

    def take(self, rows: Ints) -> "Claims":
        return Claims(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def draw_claims(book: Book, provider_place: Ints, policy: Ints) -> Claims:
    """One claim per entry of `policy`, ordered as the policy formula takes them: policy, service, submitted."""
    rng = book.stream("claims")
    terms, pets = book.policies, book.pets
    pet = terms.pet[policy]
    service, submitted = _dates(rng, book, policy)
    condition = conditions_for(rng, book, policy, service)
    service, submitted = _waited(rng, book, policy, condition, service, submitted)
    history = pets.conditions[pet]
    attempt = (history[:, 0] >= 0) & (rng.random(policy.size) < PRE_EXISTING_ATTEMPTS / 0.32)
    condition = np.where(attempt, history[:, 0], condition)
    condition = _without_dead_ends(rng, book, policy, condition, service, history)
    place = book.customer_place[pets.customer[pet]]
    claims = Claims(
        policy=policy,
        service=service,
        submitted=submitted,
        condition=condition,
        provider=providers_for(rng, provider_place, place),
        emergency=rng.random(policy.size) < EMERGENCY[condition],
        bill_usd=np.zeros(policy.size),
        exclusion=exclusion(terms, history, policy, condition, service),
        policy_year=whole_years(terms.effective[policy], service),
    )
    claims = replace(claims, bill_usd=bills(rng, book, claims, place))
    return claims.take(np.lexsort((claims.submitted, claims.service, claims.policy)))


def _dates(rng: np.random.Generator, book: Book, policy: Ints) -> tuple[Ints, Ints]:
    """Service and submitted days, the latter at most as-of: what is not reported yet is not landed either."""
    service, submitted = _days(rng, book, policy)
    for _ in range(8):
        late = np.flatnonzero(submitted > book.as_of)
        if late.size == 0:
            break
        service[late], submitted[late] = _days(rng, book, policy[late])
    return service, np.minimum(submitted, book.as_of)


def _days(rng: np.random.Generator, book: Book, policy: Ints) -> tuple[Ints, Ints]:
    terms = book.policies
    in_force = terms.until[policy] - terms.effective[policy]
    service = terms.effective[policy] + np.floor(rng.random(policy.size) ** EARLY * in_force).astype(np.int64)
    slow = np.where(rng.random(policy.size) < 0.15, 25.0, 5.0)
    lag = np.minimum(np.floor(rng.exponential(slow)), LONGEST_REPORT_LAG).astype(np.int64)
    return service, service + lag


def conditions_for(rng: np.random.Generator, book: Book, policy: Ints, service: Ints) -> Ints:
    """By species, calendar month and age; care whose rider is missing is mostly not asked for."""
    terms, pets = book.policies, book.pets
    pet = terms.pet[policy]
    band = np.searchsorted(np.array(AGE_BAND_STARTS_YEARS) * 365.25, service - pets.born[pet], side="right")
    where = pets.species[pet], months_of(service) % 12, band
    first = _choose(rng, frequency_table(), where)
    second = _choose(rng, _without_riders(), where)
    patience = np.where(NEEDS_WELLNESS[first], ASKS_WITHOUT_WELLNESS, ASKS_WITHOUT_DENTAL)
    keep = covered_by_plan(terms, policy, first) | (rng.random(policy.size) < patience)
    return np.where(keep, first, second)


def _choose(rng: np.random.Generator, table: Floats, where: tuple[Ints, Ints, Ints]) -> Ints:
    cumulative = table[where]
    draws = rng.random(cumulative.shape[0]) * cumulative[:, -1]
    return np.asarray((cumulative <= draws[:, None]).sum(axis=1), dtype=np.int64)


def _without_riders() -> Floats:
    table = np.diff(frequency_table(), axis=-1, prepend=0.0)
    table[..., NEEDS_WELLNESS | NEEDS_DENTAL] = 0.0
    return np.cumsum(table, axis=-1)


def _waited(
    rng: np.random.Generator, book: Book, policy: Ints, condition: Ints, service: Ints, submitted: Ints
) -> tuple[Ints, Ints]:
    """Many owners wait until the waiting period is over: the well-known spike of claims just after it."""
    opens = waiting_ends(book.policies, policy, condition)
    moved = opens + rng.integers(0, 20, policy.size)
    latest = np.minimum(book.policies.until[policy] - 1, book.as_of)
    waits = (service < opens) & (moved <= latest) & (rng.random(policy.size) < PATIENCE_IN_WAITING)
    lag = submitted - service
    later = np.where(waits, moved, service)
    return later, np.where(waits, np.minimum(moved + lag, book.as_of), submitted)


def _without_dead_ends(
    rng: np.random.Generator, book: Book, policy: Ints, condition: Ints, service: Ints, history: Ints
) -> Ints:
    """Most owners know what is excluded: half of the chance hits on a known condition become something else."""
    rule = exclusion(book.policies, history, policy, condition, service)
    dodge = np.flatnonzero((rule == PRE_EXISTING) & (rng.random(policy.size) < DODGED))
    other = condition.copy()
    other[dodge] = conditions_for(rng, book, policy[dodge], service[dodge])
    fine = exclusion(book.policies, history, policy, other, service) == COVERED
    return np.where(fine, other, condition)


def providers_for(rng: np.random.Generator, provider_place: Ints, place: Ints) -> Ints:
    """Mostly a practice in the owner's city, the popular ones more often."""
    every = np.arange(len(PLACES))
    first, last = np.searchsorted(provider_place, every), np.searchsorted(provider_place, every, side="right")
    away = (rng.random(place.size) < AWAY_FROM_HOME) | (first[place] == last[place])
    low, high = np.where(away, 0, first[place]), np.where(away, provider_place.size, last[place])
    return np.asarray(low + np.floor(rng.random(place.size) ** 1.4 * (high - low)), dtype=np.int64)


def bills(rng: np.random.Generator, book: Book, claims: Claims, place: Ints) -> Floats:
    """Log-normal per condition, dearer by city, practice, size of breed and with the years."""
    pets = book.pets
    pet = book.policies.pet[claims.policy]
    width = max(map(len, BREEDS))
    sizes = np.array([[b.size for b in breeds] + [1.0] * (width - len(breeds)) for breeds in BREEDS])
    practice = np.exp(0.12 * stream(book.seed, "practice-prices").standard_normal(book.providers))
    mean = MEANS[claims.condition, pets.species[pet]] * sizes[pets.species[pet], pets.breed[pet]]
    mean = mean * PRICE_LEVELS[place] * practice[claims.provider] * np.where(claims.emergency, 1.15, 1.0)
    mean = mean * INFLATION ** ((claims.service - book.as_of) / 365.25)
    return log_normal(rng, mean, SIGMAS[claims.condition], claims.size)
