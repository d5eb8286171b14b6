"""Generate a landing zone: the whole history up to the as-of date."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from data_generator import dimensions
from data_generator.arrays import Ints, stream
from data_generator.book import HISTORY_DAYS, Book, Sizes, build_book
from data_generator.calibration import PriceLevels, calibrate
from data_generator.claim_rows import Lines, landing_lines
from data_generator.days import day_number, to_date
from data_generator.decisions import decide
from data_generator.drawing import draw_claims
from data_generator.faults import choose_faults
from data_generator.limits import GenerationError, check_claims, check_origin
from data_generator.writing import Landing, claims_file_name

CHUNK_CLAIMS = 100_000
DIMENSIONS = {
    "customers/customers.csv": dimensions.customers,
    "pets/pets.csv": dimensions.pets,
    "policies/policies.csv": dimensions.policies,
    "vet_providers/vet_providers.csv": dimensions.providers,
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What was landed. `claims` counts distinct claim ids, `claim_rows` lines, `bad_rows` deliberate faults by kind."""

    seed: int
    as_of: date
    customers: int
    pets: int
    policies: int
    vet_providers: int
    claims: int
    claim_rows: int
    files: int
    first_day: date
    last_day: date
    bad_rows: dict[str, int]


def generate(out: Path, claims: int, seed: int, as_of: date, *, chunk_claims: int = CHUNK_CLAIMS) -> Summary:
    """Write a landing zone of `claims` claims into `out`; the same arguments give the same bytes.

    Memory stays bounded: claims are made for some policies at a time, about `chunk_claims` of them (which is one of the
    arguments that determine the bytes). Files of the same name are replaced whole.
    Raises: GenerationError.
    """
    check_claims(claims)
    check_origin(out, seed, as_of)
    _refuse_other_data(out, as_of)
    book = build_book(Sizes.for_claims(claims), seed, as_of)
    totals: dict[str, int] = {}
    rows = 0
    with Landing(out) as landing:
        for path, pieces in DIMENSIONS.items():
            landing.append(Path(path), pieces(book))
        for lines, bad in _claims(book, chunk_claims):
            landing.append_claims(lines)
            rows += len(lines.texts)
            totals = {kind: totals.get(kind, 0) + count for kind, count in bad.items()}
        return _summary(book, totals, rows, landing.files)


def _refuse_other_data(out: Path, as_of: date) -> None:
    window = {claims_file_name(day_number(as_of) - age) for age in range(HISTORY_DAYS)}
    foreign = sorted(path.name for path in out.glob("claims/claims_*.jsonl") if path.name not in window)
    if foreign:
        raise GenerationError(f"{out} holds other landing data ({foreign[0]}); name an empty folder or remove it first")


def _claims(book: Book, chunk_claims: int) -> Iterator[tuple[Lines, dict[str, int]]]:
    """The claims of some policies at a time, with the faults among them."""
    propensity = book.policies.propensity
    counts = stream(book.seed, "counts").multinomial(book.sizes.claims, propensity / propensity.sum())
    provider_place = dimensions.provider_places(book)
    levels: PriceLevels | None = None
    first = 0
    for chunk, policies in enumerate(_policy_chunks(counts, chunk_claims)):
        claims = draw_claims(book, provider_place, np.repeat(policies, counts[policies]), chunk)
        faults = choose_faults(book, claims, chunk)
        faulty = faults.undecidable(claims.size)
        levels = levels or calibrate(book, claims, policies, faulty)
        decisions = decide(book, claims, levels, faulty, chunk)
        yield landing_lines(book, claims, decisions, faults, first, chunk), faults.counts()
        first += claims.size


def _policy_chunks(counts: Ints, chunk_claims: int) -> Iterator[Ints]:
    """Ranges of policies with about that many claims together."""
    number = np.cumsum(counts) // (chunk_claims + 1)
    bounds = np.append(np.flatnonzero(np.diff(number, prepend=-1)), counts.size)
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield np.arange(low, high, dtype=np.int64)


def _summary(book: Book, bad_rows: dict[str, int], rows: int, files: list[Path]) -> Summary:
    days = sorted(path.stem.removeprefix("claims_") for path in files if path.suffix == ".jsonl")
    return Summary(
        seed=book.seed,
        as_of=to_date(book.as_of),
        customers=book.sizes.customers,
        pets=book.sizes.pets,
        policies=book.sizes.policies,
        vet_providers=book.sizes.providers,
        claims=book.sizes.claims,
        claim_rows=rows,
        files=len(files),
        first_day=date.fromisoformat(days[0]),
        last_day=date.fromisoformat(days[-1]),
        bad_rows=bad_rows,
    )
