"""The four dimension files as text: customers, pets, policies, vet providers."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from data_generator.arrays import Ints, pick, shares, stream
from data_generator.book import UNLIMITED, Book
from data_generator.conditions import CODES
from data_generator.days import NO_DAY, iso
from data_generator.ids import base36, numbered
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

CHUNK_ROWS = 50_000

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

Column = list[Any]


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


def _chunks(size: int) -> Iterator[tuple[int, Ints]]:
    for number, first in enumerate(range(0, size, CHUNK_ROWS)):
        yield number, np.arange(first, min(first + CHUNK_ROWS, size), dtype=np.int64)


def _zip_codes(places: Ints, rng: np.random.Generator) -> list[str]:
    prefixes = [PLACES[p].zip_prefix for p in places.tolist()]
    return [f"{p}{n:02d}" for p, n in zip(prefixes, rng.integers(1, 100, places.size).tolist(), strict=True)]


def customers(book: Book) -> Iterator[str]:
    """customers.csv in pieces, the header first."""
    yield ",".join(CUSTOMER_COLUMNS) + "\n"
    for number, rows in _chunks(book.sizes.customers):
        yield csv_text(_customer_columns(book, rows, stream(book.seed, "customers", number)))


def _customer_columns(book: Book, rows: Ints, rng: np.random.Generator) -> list[Column]:
    size, ids = rows.size, rows.tolist()
    first = words(FIRST_NAMES, rng.integers(0, len(FIRST_NAMES), size))
    last = words(LAST_NAMES, rng.integers(0, len(LAST_NAMES), size))
    places, since = book.customer_place[rows], book.customer_since[rows]
    mail = [
        f"{f}.{n}.{base36(book.seed)}.{i + 1}@example.com".lower() for f, n, i in zip(first, last, ids, strict=True)
    ]
    numbers, street = rng.integers(1, 9999, size).tolist(), words(STREETS, rng.integers(0, len(STREETS), size))
    born = since - (365.25 * np.clip(rng.normal(42, 14, size), 18, 88)).astype(np.int64)
    return [
        numbered("CUS", book.seed, ids), first, last, mail,
        [f"+1-555-{a:03d}-{b:04d}" for a, b in rng.integers(0, [1000, 10_000], (size, 2)).tolist()],
        [f"{n} {s} Street" for n, s in zip(numbers, street, strict=True)],
        [PLACES[p].city for p in places.tolist()], [PLACES[p].state for p in places.tolist()],
        _zip_codes(places, rng), iso(born), iso(since),
        words(CONTACTS, pick(rng, [6, 2, 2], size)), flags(rng.random(size) < 0.55),
        words(REFERRALS, pick(rng, [30, 25, 18, 10, 12, 5], size)), stamps(since, rng),
    ]  # fmt: skip


def pets(book: Book) -> Iterator[str]:
    """pets.csv in pieces, the header first."""
    yield ",".join(PET_COLUMNS) + "\n"
    for number, rows in _chunks(book.sizes.pets):
        yield csv_text(_pet_columns(book, rows, stream(book.seed, "pet-rows", number)))


def _pet_columns(book: Book, rows: Ints, rng: np.random.Generator) -> list[Column]:
    size, ids, all_pets = rows.size, rows.tolist(), book.pets
    breeds = [BREEDS[s][b] for s, b in zip(all_pets.species[rows].tolist(), all_pets.breed[rows].tolist(), strict=True)]
    spread = np.exp(0.12 * rng.standard_normal(size)).tolist()
    updated = np.maximum(all_pets.adopted[rows], book.customer_since[all_pets.customer[rows]])
    return [
        numbered("PET", book.seed, ids), numbered("CUS", book.seed, all_pets.customer[rows].tolist()),
        words(PET_NAMES, rng.integers(0, len(PET_NAMES), size)), words(SPECIES, all_pets.species[rows]),
        [b.name for b in breeds], words(("Female", "Male"), rng.integers(0, 2, size)), iso(all_pets.born[rows]),
        [f"{b.weight_kg * f:.1f}" for b, f in zip(breeds, spread, strict=True)], flags(rng.random(size) < 0.82),
        [f"985{n:012d}" for n in rng.integers(0, 10**12, size).tolist()],
        [";".join(CODES[c] for c in pair if c >= 0) for pair in all_pets.conditions[rows].tolist()],
        iso(all_pets.onset[rows]), iso(all_pets.adopted[rows]), flags(rng.random(size) < 0.99), stamps(updated, rng),
    ]  # fmt: skip


def policies(book: Book) -> Iterator[str]:
    """policies.csv in pieces, the header first."""
    yield ",".join(POLICY_COLUMNS) + "\n"
    for number, rows in _chunks(book.sizes.policies):
        yield csv_text(_policy_columns(book, rows, stream(book.seed, "policy-rows", number)))


def _policy_columns(book: Book, rows: Ints, rng: np.random.Generator) -> list[Column]:
    terms, ids = book.policies, rows.tolist()
    pet = terms.pet[rows]
    limits, renewed = terms.limit_cents[rows], terms.renewals[rows]
    cancelled = terms.cancellation[rows]
    updated = np.where(cancelled == NO_DAY, terms.effective[rows] + 365 * renewed, cancelled)
    return [
        numbered("POL", book.seed, ids), numbered("PI", book.seed, ids),
        numbered("CUS", book.seed, book.pets.customer[pet].tolist()), numbered("PET", book.seed, pet.tolist()),
        [PLANS[p].name for p in terms.plan[rows].tolist()], money(terms.premium_cents[rows]),
        money(terms.deductible_cents[rows]), terms.pct[rows].tolist(),
        ["" if c == UNLIMITED else t for c, t in zip(limits.tolist(), money(limits), strict=True)],
        iso(terms.effective[rows]), iso(terms.expiration[rows]), iso(cancelled),
        words(POLICY_STATUSES, terms.status[rows]), [0] * rows.size, terms.illness_wait[rows].tolist(),
        terms.orthopedic_wait[rows].tolist(), flags(terms.wellness[rows]), flags(terms.dental[rows]),
        words(PAYMENT_FREQUENCIES, pick(rng, [75, 8, 17], rows.size)), renewed.tolist(),
        stamps(np.minimum(updated, book.as_of), rng),
    ]  # fmt: skip


def provider_places(book: Book) -> Ints:
    """The city of each provider, ascending, so that a city's providers are one range."""
    return np.sort(shares(stream(book.seed, "provider-places"), [p.share for p in PLACES], book.sizes.providers))


def providers(book: Book) -> Iterator[str]:
    """vet_providers.csv in pieces, the header first."""
    yield ",".join(PROVIDER_COLUMNS) + "\n"
    places = provider_places(book)
    for number, rows in _chunks(book.sizes.providers):
        yield csv_text(_provider_columns(book, rows, places[rows], stream(book.seed, "providers", number)))


def _provider_columns(book: Book, rows: Ints, places: Ints, rng: np.random.Generator) -> list[Column]:
    size, ids = rows.size, rows.tolist()
    kind = pick(rng, [68, 14, 12, 6], size)
    name = words(PROVIDER_WORDS, rng.integers(0, len(PROVIDER_WORDS), size))
    return [
        numbered("VET", book.seed, ids),
        [f"{n} {PROVIDER_SUFFIXES[k]}" for n, k in zip(name, kind.tolist(), strict=True)], words(PROVIDER_TYPES, kind),
        [PLACES[p].city for p in places.tolist()], [PLACES[p].state for p in places.tolist()], _zip_codes(places, rng),
        flags(rng.random(size) < 0.7), [f"{r:.1f}" for r in np.clip(rng.normal(4.3, 0.4, size), 2, 5).tolist()],
        flags((kind == 1) | (rng.random(size) < 0.2)), numbered("LIC", book.seed, ids),
        stamps(np.full(size, book.start, dtype=np.int64), rng),
    ]  # fmt: skip
