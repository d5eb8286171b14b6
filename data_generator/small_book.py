"""A book of a few policies read from landed files, so that new claims are drawn by the same rules as the history's."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from data_generator.arrays import AnyArray, Bools, Ints
from data_generator.book import NOTHING, UNLIMITED, Block, Book, Pets, Policies, Sizes
from data_generator.conditions import CODES
from data_generator.days import NO_DAY, day_number
from data_generator.ids import SCENARIO_MARK
from data_generator.landed import latest, read_table
from data_generator.policy_index import Row
from data_generator.vocabulary import BREEDS, PLACES, PLANS, POLICY_STATUSES, SPECIES

_PLACES = {(place.city, place.state): number for number, place in enumerate(PLACES)}


@dataclass(frozen=True, slots=True)
class SmallBook:
    """`policies` are those of `book`, in order; its pets and customers have the same order."""

    book: Book
    policies: list[Row]
    provider_place: Ints

    @property
    def places(self) -> dict[str, int]:
        """Where each policy stands, by id."""
        return {row["policy_id"]: place for place, row in enumerate(self.policies)}


def read_book(out: Path, seed: int, as_of: date, policies: list[Row]) -> SmallBook:
    """The given policies, with their pets and owners, as in force up to the as-of day."""
    pet_ids, owner_ids = ({row[name] for row in policies} for name in ("pet_id", "customer_id"))
    pets = latest((row for row in read_table(out, "pets") if row["pet_id"] in pet_ids), "pet_id")
    owners = latest((row for row in read_table(out, "customers") if row["customer_id"] in owner_ids), "customer_id")
    provider_place = _provider_places(out)
    mine = [pets[row["pet_id"]] for row in policies]
    sizes = Sizes(0, len(owners), len(mine), len(policies), provider_place.size)
    book = Book(
        block=Block(0, sizes, NOTHING, sizes),
        seed=seed,
        as_of=day_number(as_of),
        customer_place=_places([owners[row["customer_id"]] for row in policies]),
        customer_since=_days(policies, "effective_date"),
        pets=_pets(mine),
        policies=_policies(policies, as_of),
    )
    return SmallBook(book, policies, provider_place)


def _provider_places(out: Path) -> Ints:
    """The city of each provider, in the order of their ids' first appearance."""
    rows = (row for row in read_table(out, "vet_providers") if SCENARIO_MARK not in row["provider_id"])
    places = {row["provider_id"]: _place(row) for row in rows}
    return np.array(list(places.values()), dtype=np.int64)


def _place(row: Row) -> int:
    return _PLACES.get((row["city"], row["state"]), 0)


def _places(rows: list[Row]) -> Ints:
    return np.array([_place(row) for row in rows], dtype=np.int64)


def _days(rows: list[Row], name: str) -> Ints:
    return np.array(
        [day_number(date.fromisoformat(row[name])) if row[name] else NO_DAY for row in rows], dtype=np.int64
    )


def _column(rows: list[Row], name: str, factor: int = 1) -> Ints:
    return np.array([round(float(row[name]) * factor) for row in rows], dtype=np.int64)


def _flags(rows: list[Row], name: str) -> Bools:
    return np.array([row[name] == "true" for row in rows], dtype=np.bool_)


def _pets(rows: list[Row]) -> Pets:
    species = [SPECIES.index(row["species"]) for row in rows]
    breeds = [
        [breed.name for breed in BREEDS[kind]].index(row["breed"]) for kind, row in zip(species, rows, strict=True)
    ]
    known = [[CODES.index(code) for code in row["pre_existing_conditions"].split(";") if code] for row in rows]
    return Pets(
        customer=np.arange(len(rows), dtype=np.int64),
        species=np.array(species, dtype=np.int64),
        breed=np.array(breeds, dtype=np.int64),
        born=_days(rows, "date_of_birth"),
        adopted=_days(rows, "adopted_on"),
        conditions=np.array([[*codes, -1, -1][:2] for codes in known], dtype=np.int64).reshape(-1, 2),
        onset=_days(rows, "condition_onset_on"),
    )


def _policies(rows: list[Row], as_of: date) -> Policies:
    expiration, cancellation = _days(rows, "expiration_date"), _days(rows, "cancellation_date")
    end = np.where(cancellation == NO_DAY, expiration, np.minimum(expiration, cancellation))
    limits: AnyArray = np.array([round(float(row["annual_limit"] or 0) * 100) for row in rows], dtype=np.int64)
    return Policies(
        pet=np.arange(len(rows), dtype=np.int64),
        effective=_days(rows, "effective_date"),
        until=np.minimum(end, day_number(as_of + timedelta(days=1))),
        expiration=expiration,
        cancellation=cancellation,
        status=np.array([POLICY_STATUSES.index(row["status"]) for row in rows], dtype=np.int64),
        renewals=_column(rows, "renewal_count"),
        plan=np.array([[plan.name for plan in PLANS].index(row["plan_name"]) for row in rows], dtype=np.int64),
        premium_cents=_column(rows, "monthly_premium", 100),
        deductible_cents=_column(rows, "annual_deductible", 100),
        pct=_column(rows, "reimbursement_pct"),
        limit_cents=np.where(limits == 0, UNLIMITED, limits),
        illness_wait=_column(rows, "illness_wait_days"),
        orthopedic_wait=_column(rows, "orthopedic_wait_days"),
        wellness=_flags(rows, "includes_wellness"),
        dental=_flags(rows, "includes_dental"),
        propensity=np.ones(len(rows)),
    )
