from datetime import date
from pathlib import Path

import pytest

from data_generator.generation import Summary, generate
from data_generator.tests.reading import LandedZone

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="session")
def landed_at(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """The default size, seed 7."""
    out = tmp_path_factory.mktemp("landing")
    return out, generate(out, 15_000, 7, AS_OF)


@pytest.fixture(scope="session")
def summary(landed_at: tuple[Path, Summary]) -> Summary:
    return landed_at[1]


@pytest.fixture(scope="session")
def zone(landed_at: tuple[Path, Summary]) -> LandedZone:
    return LandedZone.read(landed_at[0], AS_OF)
