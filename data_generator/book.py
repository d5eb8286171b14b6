"""The book of business: pets, their owners, and one policy per insured pet, as arrays.

All policies begin within the two years of history, so that every earned month has its claims in the landing zone.
A large book is made in blocks, each on its own, so that memory does not grow with the size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from data_generator.arrays import Bools, Floats, Ints, pick, shares, stream
from data_generator.conditions import CHRONIC_WEIGHTS
from data_generator.days import NO_DAY, anniversary, day_number, whole_years, without_leap_days
from data_generator.ids import numbered
from data_generator.vocabulary import (
    BREEDS,
    CLAIMS_PER_YEAR,
    MEAN_PREMIUM_USD,
    OPTION_WEIGHTS,
    PLACES,
    PLANS,
    SPECIES_SHARES,
)

HISTORY_DAYS = 730
UNLIMITED = 2**50
MONTHLY_LAPSE = 0.0172
NON_RENEWAL = 0.05
GROWTH = ([0.0, 0.36, 0.62, 1.0], [0.0, 45.0, 170.0, float(HISTORY_DAYS)])
"""Share of all policies written by the day of the history."""
CLAIM_SHAPE = 0.6
"""Of the gamma behind the negative binomial; the smaller, the more pets without any claim."""
PRE_EXISTING_SHARE = 0.32
PRICE_LEVELS: Floats = np.array([place.price_level for place in PLACES])


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows each table gets."""

    claims: int
    customers: int
    pets: int
    policies: int
    providers: int

    @classmethod
    def for_claims(cls, claims: int) -> "Sizes":
        """15,000 claims come from 5,000 customers, 6,500 pets, 6,000 policies and 200 providers."""
        customers = max(1, round(claims / 3))
        pets = max(customers, round(claims * 13 / 30))
        return cls(claims, customers, pets, max(1, round(claims * 0.4)), max(3, round(claims / 75)))

    def __add__(self, other: "Sizes") -> "Sizes":
        return Sizes(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


NOTHING = Sizes(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the book that is made on its own. `before` is what the earlier blocks hold, `whole` what all hold."""

    number: int
    sizes: Sizes
    before: Sizes
    whole: Sizes

    @classmethod
    def of_whole(cls, claims: int, largest: int) -> Iterator["Block"]:
        """Blocks of about equal size, none with more than `largest` claims; every block knows every provider."""
        count = -(-claims // largest)
        parts = [Sizes.for_claims(claims * (n + 1) // count - claims * n // count) for n in range(count)]
        whole, before = sum(parts, NOTHING), NOTHING
        for number, sizes in enumerate(parts):
            yield cls(number, sizes, before, whole)
            before += sizes


@dataclass(frozen=True, slots=True)
class Pets:
    """One entry per pet. `conditions` holds up to two codes (-1: none) that were there before the policy began."""

    customer: Ints
    species: Ints
    breed: Ints
    born: Ints
    adopted: Ints
    conditions: Ints
    onset: Ints


@dataclass(frozen=True, slots=True)
class Policies:
    """One entry per policy; `until` is the first day out of force, at most the day after as-of."""

    pet: Ints
    effective: Ints
    until: Ints
    expiration: Ints
    cancellation: Ints
    status: Ints
    renewals: Ints
    plan: Ints
    premium_cents: Ints
    deductible_cents: Ints
    pct: Ints
    limit_cents: Ints
    illness_wait: Ints
    orthopedic_wait: Ints
    wellness: Bools
    dental: Bools
    propensity: Floats


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that a block's claims are drawn from. Numbers of customers, pets and policies count from 0 in it."""

    block: Block
    seed: int
    as_of: int
    customer_place: Ints
    customer_since: Ints
    pets: Pets
    policies: Policies

    @property
    def start(self) -> int:
        """The first day of the history."""
        return self.as_of - HISTORY_DAYS + 1

    @property
    def sizes(self) -> Sizes:
        """Of the block; providers are everybody's."""
        return self.block.sizes

    @property
    def providers(self) -> int:
        return self.block.whole.providers

    def stream(self, purpose: str) -> np.random.Generator:
        """Random numbers of one purpose, for this block only."""
        return stream(self.seed, purpose, self.block.number)

    def ids(self, prefix: str, numbers: Ints) -> list[str]:
        """Ids of the block's customers, pets, policies, claims, or of providers, by their numbers in the block."""
        before = self.block.before
        offsets = {"CUS": before.customers, "PET": before.pets, "POL": before.policies, "PI": before.policies}
        offsets |= {"CLM": before.claims, "CN": before.claims, "INV": before.claims, "VET": 0, "LIC": 0}
        return numbered(prefix, self.seed, (numbers + offsets[prefix]).tolist())


def build_book(block: Block, seed: int, as_of: date) -> Book:
    """The same block, seed and date give the same book."""
    last, sizes = day_number(as_of), block.sizes
    place = pick(stream(seed, "places", block.number), [p.share for p in PLACES], sizes.customers)
    insured = stream(seed, "insured", block.number).permutation(sizes.pets)[: sizes.policies].astype(np.int64)
    effective = _effective_days(stream(seed, "effective", block.number), sizes.policies, last)
    begins = np.full(sizes.pets, last - HISTORY_DAYS // 2, dtype=np.int64)
    begins[insured] = effective
    pets = _pets(stream(seed, "pets", block.number), sizes, begins)
    price_level = PRICE_LEVELS[place[pets.customer[insured]]]
    policies = _policies(stream(seed, "policies", block.number), last, insured, effective, pets, price_level)
    since = np.full(sizes.customers, last, dtype=np.int64)
    np.minimum.at(since, pets.customer, begins)
    since -= stream(seed, "customer-since", block.number).integers(0, 60, sizes.customers)
    return Book(block, seed, last, place, since, pets, policies)


def _effective_days(rng: np.random.Generator, size: int, as_of: int) -> Ints:
    """A young insurer: many policies in the first months, steady growth afterwards."""
    elapsed = np.interp(rng.random(size), *GROWTH)
    return without_leap_days(as_of - HISTORY_DAYS + 1 + np.floor(elapsed).astype(np.int64))


def _pets(rng: np.random.Generator, sizes: Sizes, begins: Ints) -> Pets:
    extra = rng.integers(0, sizes.customers, sizes.pets - sizes.customers)
    customer = np.concatenate([np.arange(sizes.customers, dtype=np.int64), extra])
    species = shares(rng, SPECIES_SHARES, sizes.pets)
    breed = np.zeros(sizes.pets, dtype=np.int64)
    for kind, breeds in enumerate(BREEDS):
        members = species == kind
        breed[members] = pick(rng, [b.share for b in breeds], int(members.sum()))
    age = np.clip(rng.gamma(1.35, 2.7, sizes.pets), 0.2, 13.5) * 365.25
    born = begins - age.astype(np.int64)
    adopted = np.minimum(born + 56 + (rng.random(sizes.pets) ** 3 * age).astype(np.int64), begins)
    conditions, onset = _history(rng, species, begins, age)
    return Pets(customer, species, breed, born, adopted, conditions, onset)


def _history(rng: np.random.Generator, species: Ints, begins: Ints, age: Floats) -> tuple[Ints, Ints]:
    """Chronic conditions known before the policy began, and when the first of them began."""
    conditions = np.full((species.size, 2), -1, dtype=np.int64)
    for kind in range(len(SPECIES_SHARES)):
        members = np.flatnonzero((species == kind) & (rng.random(species.size) < PRE_EXISTING_SHARE))
        conditions[members, 0] = pick(rng, CHRONIC_WEIGHTS[kind], members.size)
        second = members[rng.random(members.size) < 0.3]
        conditions[second, 1] = pick(rng, CHRONIC_WEIGHTS[kind], second.size)
    conditions[conditions[:, 0] == conditions[:, 1], 1] = -1
    before = 1 + (rng.random(species.size) * 0.8 * age).astype(np.int64)
    return conditions, np.where(conditions[:, 0] >= 0, begins - before, NO_DAY)


@dataclass(frozen=True, slots=True)
class _Terms:
    plan: Ints
    deductible_usd: Ints
    pct: Ints
    limit_usd: Ints
    wellness: Bools
    dental: Bools


def _terms(rng: np.random.Generator, size: int) -> _Terms:
    plan = pick(rng, [p.share for p in PLANS], size)
    columns = [
        _option(rng, plan, [getattr(p, name) for p in PLANS]) for name in ("deductibles_usd", "pcts", "limits_usd")
    ]
    wellness = rng.random(size) < np.array([p.wellness for p in PLANS])[plan]
    dental = rng.random(size) < np.array([p.dental for p in PLANS])[plan]
    return _Terms(plan, columns[0], columns[1], columns[2], wellness, dental)


def _option(rng: np.random.Generator, plan: Ints, offers: list[tuple[int, ...]]) -> Ints:
    """One of the plan's options each, the first being the usual one."""
    chosen = pick(rng, OPTION_WEIGHTS, plan.size)
    table = np.array([[offer[min(i, len(offer) - 1)] for i in range(len(OPTION_WEIGHTS))] for offer in offers])
    return table[plan, chosen].astype(np.int64)


def _policies(
    rng: np.random.Generator, as_of: int, pet: Ints, effective: Ints, pets: Pets, price_level: Floats
) -> Policies:
    terms = _terms(rng, pet.size)
    expiration, cancellation, until, status = _terminations(rng, effective, as_of)
    price, risk = _relativities(pets, pet, effective)
    return Policies(
        pet=pet,
        effective=effective,
        until=until,
        expiration=expiration,
        cancellation=cancellation,
        status=status,
        renewals=np.maximum(whole_years(effective, until - 1), 0),
        plan=terms.plan,
        premium_cents=_premiums(rng, pets.species[pet], price * price_level, terms),
        deductible_cents=terms.deductible_usd * 100,
        pct=terms.pct,
        limit_cents=np.where(terms.limit_usd == 0, UNLIMITED, terms.limit_usd * 100),
        illness_wait=np.full(pet.size, 14, dtype=np.int64),
        orthopedic_wait=np.where(rng.random(pet.size) < 0.85, 30, 14),
        wellness=terms.wellness,
        dental=terms.dental,
        propensity=(until - effective) * risk * rng.gamma(CLAIM_SHAPE, 1 / CLAIM_SHAPE, pet.size),
    )


def _terminations(rng: np.random.Generator, effective: Ints, as_of: int) -> tuple[Ints, Ints, Ints, Ints]:
    """(expiration, cancellation or NO_DAY, first day out of force, status 0 active, 1 cancelled, 2 expired)."""
    term_end = anniversary(effective, whole_years(effective, np.full_like(effective, as_of)) + 1)
    lapse = effective + 15 + np.floor(rng.exponential(30.4 / MONTHLY_LAPSE, effective.size)).astype(np.int64)
    first_end = anniversary(effective, np.ones_like(effective))
    expired = (rng.random(effective.size) < NON_RENEWAL) & (first_end <= as_of) & (lapse >= first_end)
    cancelled = (lapse <= as_of) & ~expired
    years = whole_years(effective, np.where(cancelled, lapse - 1, effective))
    expiration = np.where(expired, first_end, np.where(cancelled, anniversary(effective, years + 1), term_end))
    cancellation = np.where(cancelled, lapse, NO_DAY)
    until = np.minimum(np.where(cancelled, lapse, expiration), as_of + 1)
    return expiration, cancellation, until, np.where(cancelled, 1, np.where(expired, 2, 0))


def _relativities(pets: Pets, pet: Ints, effective: Ints) -> tuple[Floats, Floats]:
    """Price and risk by breed and age at the policy's begin."""
    species, breed = pets.species[pet], pets.breed[pet]
    width = max(map(len, BREEDS))
    prices = np.array([[b.price for b in breeds] + [1.0] * (width - len(breeds)) for breeds in BREEDS])
    risks = np.array([[b.risk for b in breeds] + [1.0] * (width - len(breeds)) for breeds in BREEDS])
    years = (effective - pets.born[pet]) / 365.25
    rate = np.array(CLAIMS_PER_YEAR)[species]
    return prices[species, breed] * 1.055**years, risks[species, breed] * rate * (0.8 + 0.07 * years)


def _premiums(rng: np.random.Generator, species: Ints, relativity: Floats, terms: _Terms) -> Ints:
    """Monthly premiums in cents whose mean by species is the market's."""
    limit_factor = np.where(terms.limit_usd == 0, 1.15, 0.85 + terms.limit_usd / 60_000)
    cover = (terms.pct / 80) * (1.18 - terms.deductible_usd / 1500) * limit_factor
    extras = 1 + 0.18 * terms.wellness + 0.06 * terms.dental
    raw = relativity * cover * extras * np.exp(0.06 * rng.standard_normal(species.size))
    means = np.ones(len(MEAN_PREMIUM_USD))
    for kind in range(means.size):
        members = species == kind
        means[kind] = raw[members].mean() if members.any() else 1.0
    cents = raw / means[species] * np.array(MEAN_PREMIUM_USD)[species] * 100
    return np.asarray(np.round(cents), dtype=np.int64)
