"""What may be asked of the generator, and how a request that cannot be met is refused."""

from datetime import date
from pathlib import Path

MOST_CLAIMS = 5_000_000


class GenerationError(Exception):
    """The request cannot be carried out; the message says why and what would do. Nothing was written."""


def check_claims(claims: int) -> None:
    if not 1 <= claims <= MOST_CLAIMS:
        raise GenerationError(f"claims must be between 1 and {MOST_CLAIMS:,}, not {claims:,}")


def check_origin(out: Path, seed: int, as_of: date) -> None:
    """Where, which seed and which day."""
    if not 0 <= seed < 2**63:
        raise GenerationError(f"seed must be between 0 and 2^63 - 1, not {seed}")
    if not 1990 <= as_of.year <= 2199:
        raise GenerationError(f"as-of must lie between 1990 and 2199, not {as_of.isoformat()}")
    if out.exists() and not out.is_dir():
        raise GenerationError(f"{out} is a file; name a folder")
