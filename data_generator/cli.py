"""The command line: `python -m data_generator --out DIR --claims N --seed S --as-of DATE`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from data_generator.generation import generate
from data_generator.limits import MOST_CLAIMS, GenerationError
from data_generator.next_day import append_day
from data_generator.scenario_files import land_scenarios

CLAIMS, SEED = 15_000, 1


def _iso_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD") from None


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, whoever calls."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(prog="data_generator", description="Write deterministic landing data.")
    parser.add_argument("--out", type=Path, required=True, help="the landing folder")
    parser.add_argument("--claims", type=int, help=f"how many claims, 1 to {MOST_CLAIMS:,} (default {CLAIMS})")
    parser.add_argument("--seed", type=int, help=f"stands in every id (default {SEED})")
    parser.add_argument("--as-of", type=_iso_date, help="last day landed (default yesterday, UTC)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--append-day", action="store_true", help="add one day to what DIR holds; needs no other option")
    kind.add_argument("--scenarios", action="store_true", help="write the named edge cases instead (see scenarios.py)")
    return parser


def _carry_out(options: argparse.Namespace, today: date) -> Any:
    if options.append_day:
        _refuse(options, ("claims", "seed", "as_of"), "--append-day goes on from what the folder holds")
        return append_day(options.out)
    seed = SEED if options.seed is None else options.seed
    as_of = options.as_of or today - timedelta(days=1)
    if options.scenarios:
        _refuse(options, ("claims",), "--scenarios has claims of its own")
        return land_scenarios(options.out, seed, as_of)
    return generate(options.out, CLAIMS if options.claims is None else options.claims, seed, as_of)


def _refuse(options: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    """An option that would be ignored is a mistake."""
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is not None]
    if given:
        raise GenerationError(f"{why}; leave out {' and '.join(given)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what was asked for and print the summary as JSON.

    Exit code 2 and one line on stderr for arguments that cannot be met.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        summary = _carry_out(options, datetime.now(UTC).date())
    except (GenerationError, OSError) as error:
        parser.error(str(error))
    sys.stdout.write(json.dumps(asdict(summary), default=str, indent=2) + "\n")
    return 0
