"""The rows of the four dimension files as text: customers, pets, policies, vet providers."""

from typing import Any

import numpy as np

from data_generator.arrays import Ints, pick, shares, stream
from data_generator.book import UNLIMITED, Book
from data_generator.conditions import CODES
from data_generator.days import NO_DAY, iso
from data_generator.ids import base36
from data_generator.vocabulary import (
    BREEDS,
    CONTACTS,
    FIRST_NAMES,
    LAST_NAMES,
    PAYMENT_FREQUENCIES,
    PET_NAMES,
    PLACES,
    PLANS,
    POLICY_STATUSES,
    PROVIDER_SUFFIXES,
    PROVIDER_TYPES,
    PROVIDER_WORDS,
    REFERRALS,
    SPECIES,
    STREETS,
    names,
)

CUSTOMER_COLUMNS = names(
    "customer_id first_name last_name email phone address city state zip_code date_of_birth customer_since "
    "preferred_contact marketing_opt_in referral_source updated_at"
)
PET_COLUMNS = names(
    "pet_id customer_id pet_name species breed gender date_of_birth weight_kg is_neutered microchip_id "
    "pre_existing_conditions condition_onset_on adopted_on is_active updated_at"
)
POLICY_COLUMNS = names(
    "policy_id policy_number customer_id pet_id plan_name monthly_premium annual_deductible reimbursement_pct "
    "annual_limit effective_date expiration_date cancellation_date status accident_wait_days illness_wait_days "
    "orthopedic_wait_days includes_wellness includes_dental payment_frequency renewal_count updated_at"
)
PROVIDER_COLUMNS = names(
    "provider_id provider_name provider_type city state zip_code is_in_network average_rating accepts_emergency "
    "license_number updated_at"
)

CHIPS, CHIP_STEP = 10**12, 618_033_988_751

Column = list[Any]


def header(columns: tuple[str, ...]) -> str:
    return ",".join(columns) + "\n"


def csv_text(columns: list[Column]) -> str:
    """Rows of values that need no quoting (the vocabulary has no commas, quotes or line breaks)."""
    return "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))


def money(cents: Ints) -> list[str]:
    """Decimal text with two places; cents are not negative."""
    return [f"{c // 100}.{c % 100:02d}" for c in cents.tolist()]


def flags(values: Any) -> list[str]:
    return ["true" if value else "false" for value in values.tolist()]


def words(vocabulary: tuple[str, ...], indices: Ints) -> list[str]:
    return [vocabulary[i] for i in indices.tolist()]


def stamps(days: Ints, rng: np.random.Generator) -> list[str]:
    """UTC instants at a random second of the given days."""
    seconds = rng.integers(0, 86_400, days.size).tolist()
    return [f"{d}T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z" for d, s in zip(iso(days), seconds, strict=True)]


def _zip_codes(places: Ints, rng: np.random.Generator) -> list[str]:
    prefixes = [PLACES[p].zip_prefix for p in places.tolist()]
    return [f"{p}{n:02d}" for p, n in zip(prefixes, rng.integers(1, 100, places.size).tolist(), strict=True)]


def customers(book: Book) -> str:
    """The block's rows of customers.csv."""
    rng, size = book.stream("customers"), book.sizes.customers
    ids = book.ids("CUS", np.arange(size))
    first = words(FIRST_NAMES, rng.integers(0, len(FIRST_NAMES), size))
    last = words(LAST_NAMES, rng.integers(0, len(LAST_NAMES), size))
    places, since = book.customer_place, book.customer_since
    count = range(book.block.before.customers + 1, book.block.before.customers + size + 1)
    mails = [f"{f}.{n}.{base36(book.seed)}.{i}" for f, n, i in zip(first, last, count, strict=True)]
    numbers, street = rng.integers(1, 9999, size).tolist(), words(STREETS, rng.integers(0, len(STREETS), size))
    born = since - (365.25 * np.clip(rng.normal(42, 14, size), 18, 88)).astype(np.int64)
    columns: list[Column] = [
        ids, first, last, [f"{mail}@example.com".lower() for mail in mails],
        [f"+1-555-{a:03d}-{b:04d}" for a, b in rng.integers(0, [1000, 10_000], (size, 2)).tolist()],
        [f"{n} {s} Street" for n, s in zip(numbers, street, strict=True)],
        [PLACES[p].city for p in places.tolist()], [PLACES[p].state for p in places.tolist()],
        _zip_codes(places, rng), iso(born), iso(since),
        words(CONTACTS, pick(rng, [6, 2, 2], size)), flags(rng.random(size) < 0.55),
        words(REFERRALS, pick(rng, [30, 25, 18, 10, 12, 5], size)), stamps(since, rng),
    ]  # fmt: skip
    return csv_text(columns)


def pets(book: Book) -> str:
    """The block's rows of pets.csv."""
    rng, size, every = book.stream("pet-rows"), book.sizes.pets, book.pets
    breeds = [BREEDS[s][b] for s, b in zip(every.species.tolist(), every.breed.tolist(), strict=True)]
    spread = np.exp(0.12 * rng.standard_normal(size)).tolist()
    updated = np.maximum(every.adopted, book.customer_since[every.customer])
    columns: list[Column] = [
        book.ids("PET", np.arange(size)), book.ids("CUS", every.customer),
        words(PET_NAMES, rng.integers(0, len(PET_NAMES), size)), words(SPECIES, every.species),
        [b.name for b in breeds], words(("Female", "Male"), rng.integers(0, 2, size)), iso(every.born),
        [f"{b.weight_kg * f:.1f}" for b, f in zip(breeds, spread, strict=True)], flags(rng.random(size) < 0.82),
        _microchips(book),
        [";".join(CODES[c] for c in pair if c >= 0) for pair in every.conditions.tolist()],
        iso(every.onset), iso(every.adopted), flags(rng.random(size) < 0.99), stamps(updated, rng),
    ]  # fmt: skip
    return csv_text(columns)


def _microchips(book: Book) -> list[str]:
    """15 digits that no other pet of the seed has: a walk through all of them in steps prime to their number."""
    first = int(stream(book.seed, "microchips").integers(0, CHIPS)) + book.block.before.pets * CHIP_STEP
    return [f"985{(first + n * CHIP_STEP) % CHIPS:012d}" for n in range(book.sizes.pets)]


def policies(book: Book) -> str:
    """The block's rows of policies.csv."""
    rng, terms, size = book.stream("policy-rows"), book.policies, book.sizes.policies
    limits, cancelled = terms.limit_cents, terms.cancellation
    updated = np.where(cancelled == NO_DAY, terms.effective + 365 * terms.renewals, cancelled)
    columns: list[Column] = [
        book.ids("POL", np.arange(size)), book.ids("PI", np.arange(size)),
        book.ids("CUS", book.pets.customer[terms.pet]), book.ids("PET", terms.pet),
        [PLANS[p].name for p in terms.plan.tolist()], money(terms.premium_cents),
        money(terms.deductible_cents), terms.pct.tolist(),
        ["" if c == UNLIMITED else t for c, t in zip(limits.tolist(), money(limits), strict=True)],
        iso(terms.effective), iso(terms.expiration), iso(cancelled),
        words(POLICY_STATUSES, terms.status), [0] * size, terms.illness_wait.tolist(),
        terms.orthopedic_wait.tolist(), flags(terms.wellness), flags(terms.dental),
        words(PAYMENT_FREQUENCIES, pick(rng, [75, 8, 17], size)), terms.renewals.tolist(),
        stamps(np.minimum(updated, book.as_of), rng),
    ]  # fmt: skip
    return csv_text(columns)


def provider_places(book: Book) -> Ints:
    """The city of each provider, ascending, so that a city's providers are one range."""
    return np.sort(shares(stream(book.seed, "provider-places"), [p.share for p in PLACES], book.providers))


def providers(book: Book) -> str:
    """Every row of vet_providers.csv, whichever block is asked."""
    rng, size, places = stream(book.seed, "providers"), book.providers, provider_places(book)
    kind = pick(rng, [68, 14, 12, 6], size)
    name = words(PROVIDER_WORDS, rng.integers(0, len(PROVIDER_WORDS), size))
    columns: list[Column] = [
        book.ids("VET", np.arange(size)),
        [f"{n} {PROVIDER_SUFFIXES[k]}" for n, k in zip(name, kind.tolist(), strict=True)], words(PROVIDER_TYPES, kind),
        [PLACES[p].city for p in places.tolist()], [PLACES[p].state for p in places.tolist()], _zip_codes(places, rng),
        flags(rng.random(size) < 0.7), [f"{r:.1f}" for r in np.clip(rng.normal(4.3, 0.4, size), 2, 5).tolist()],
        flags((kind == 1) | (rng.random(size) < 0.2)), book.ids("LIC", np.arange(size)),
        stamps(np.full(size, book.start, dtype=np.int64), rng),
    ]  # fmt: skip
    return csv_text(columns)
