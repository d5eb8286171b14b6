"""What lasts is left out of collections, and full ones are rare."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from app.collector import FULL_EVERY, rest_while_starting, spare_what_lasts


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


def test_what_is_there_is_not_walked_by_a_full_collection_and_new_garbage_is_collected() -> None:
    there = {"an": ["object", "that", "lasts"]}
    rest_while_starting()
    assert not gc.isenabled()
    spare_what_lasts()
    assert gc.isenabled()
    new: list[object] = []
    new.append(new)
    old = id(there["an"])
    assert gc.get_freeze_count() > 0
    assert old not in {id(one) for one in gc.get_objects()}
    del new
    assert gc.collect() >= 1
    assert gc.get_threshold()[2] == FULL_EVERY
