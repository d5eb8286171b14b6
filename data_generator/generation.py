"""Generate a landing zone: the whole history up to the as-of date."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from data_generator import dimensions
from data_generator.book import HISTORY_DAYS, Block, Book, build_book
from data_generator.calibration import PriceLevels, calibrate
from data_generator.claim_rows import Lines, landing_lines
from data_generator.days import day_number, to_date
from data_generator.decisions import decide
from data_generator.drawing import draw_claims
from data_generator.faults import choose_faults
from data_generator.limits import GenerationError, check_claims, check_origin
from data_generator.writing import Landing, claims_file_name

BLOCK_CLAIMS = 100_000
DIMENSIONS = {
    "customers/customers.csv": (dimensions.CUSTOMER_COLUMNS, dimensions.customers),
    "pets/pets.csv": (dimensions.PET_COLUMNS, dimensions.pets),
    "policies/policies.csv": (dimensions.POLICY_COLUMNS, dimensions.policies),
}
PROVIDERS = Path("vet_providers/vet_providers.csv")


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


def generate(out: Path, claims: int, seed: int, as_of: date, *, block_claims: int = BLOCK_CLAIMS) -> Summary:
    """Write a landing zone of `claims` claims into `out`; the same arguments give the same bytes.

    Memory does not grow with the size: the book is made, written and forgotten in blocks of at most `block_claims`
    claims (which is one of the arguments that determine the bytes). Files of the same name are replaced whole.
    Raises: GenerationError.
    """
    check_claims(claims)
    check_origin(out, seed, as_of)
    _refuse_other_data(out, as_of)
    totals: dict[str, int] = {}
    rows = 0
    with Landing(out) as landing:
        levels: PriceLevels | None = None
        for block in Block.of_whole(claims, block_claims):
            book = build_book(block, seed, as_of)
            _land_dimensions(landing, book)
            lines, bad, levels = _claims(book, levels)
            landing.append_claims(lines)
            rows += len(lines.texts)
            totals = {kind: totals.get(kind, 0) + count for kind, count in bad.items()}
        return _summary(book, totals, rows, landing.files)


def _refuse_other_data(out: Path, as_of: date) -> None:
    window = {claims_file_name(day_number(as_of) - age) for age in range(HISTORY_DAYS)}
    foreign = sorted(path.name for path in out.glob("claims/claims_*.jsonl") if path.name not in window)
    if foreign:
        raise GenerationError(f"{out} holds other landing data ({foreign[0]}); name an empty folder or remove it first")


def _land_dimensions(landing: Landing, book: Book) -> None:
    """The block's owners, pets and policies; the first block brings the headers and the providers too."""
    for path, (columns, rows_of) in DIMENSIONS.items():
        header = [] if book.block.number else [dimensions.header(columns)]
        landing.append(Path(path), [*header, rows_of(book)])
    if not book.block.number:
        landing.append(PROVIDERS, [dimensions.header(dimensions.PROVIDER_COLUMNS), dimensions.providers(book)])


def _claims(book: Book, levels: PriceLevels | None) -> tuple[Lines, dict[str, int], PriceLevels]:
    """The block's claims, the faults among them, and the price levels: those given, else what fits this block."""
    propensity = book.policies.propensity
    counts = book.stream("counts").multinomial(book.sizes.claims, propensity / propensity.sum())
    policies = np.repeat(np.arange(counts.size, dtype=np.int64), counts)
    claims = draw_claims(book, dimensions.provider_places(book), policies)
    faults = choose_faults(book, claims)
    faulty = faults.undecidable(claims.size)
    levels = levels or calibrate(book, claims, faulty)
    decisions = decide(book, claims, levels, faulty)
    return landing_lines(book, claims, decisions, faults), faults.counts(), levels


def _summary(book: Book, bad_rows: dict[str, int], rows: int, files: list[Path]) -> Summary:
    days = sorted(path.stem.removeprefix("claims_") for path in files if path.suffix == ".jsonl")
    return Summary(
        seed=book.seed,
        as_of=to_date(book.as_of),
        customers=book.block.whole.customers,
        pets=book.block.whole.pets,
        policies=book.block.whole.policies,
        vet_providers=book.providers,
        claims=book.block.whole.claims,
        claim_rows=rows,
        files=len(files),
        first_day=date.fromisoformat(days[0]),
        last_day=date.fromisoformat(days[-1]),
        bad_rows=bad_rows,
    )
