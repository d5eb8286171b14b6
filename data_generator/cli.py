"""The command line: `python -m data_generator --out DIR --claims N --seed S --as-of DATE`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from data_generator.generation import generate
from data_generator.limits import GenerationError
from data_generator.next_day import append_day
from data_generator.scenario_files import land_scenarios


def _iso_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD") from None


def _parser(today: date) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="data_generator", description="Write deterministic landing data.")
    parser.add_argument("--out", type=Path, required=True, help="the landing folder")
    parser.add_argument("--claims", type=int, default=15_000, help="how many claims, 1 to 5,000,000 (default 15000)")
    parser.add_argument("--seed", type=int, default=1, help="stands in every id (default 1)")
    parser.add_argument(
        "--as-of", type=_iso_date, default=today - timedelta(days=1), help="last day landed (default yesterday, UTC)"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--append-day", action="store_true", help="add one day to what DIR holds; needs no other option")
    kind.add_argument("--scenarios", action="store_true", help="write the named edge cases instead (see scenarios.py)")
    return parser


def _carry_out(options: argparse.Namespace) -> Any:
    if options.append_day:
        return append_day(options.out)
    if options.scenarios:
        return land_scenarios(options.out, options.seed, options.as_of)
    return generate(options.out, options.claims, options.seed, options.as_of)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what was asked for and print the summary as JSON.

    Exit code 2 and one line on stderr for arguments that cannot be met.
    """
    parser = _parser(datetime.now(UTC).date())
    options = parser.parse_args(arguments)
    try:
        summary = _carry_out(options)
    except (GenerationError, OSError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    sys.stdout.write(json.dumps(asdict(summary), default=str, indent=2) + "\n")
    return 0
