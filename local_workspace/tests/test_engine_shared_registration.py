"""A table that another session has just made is left to that session to tell the server of."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_workspace.engine import shared_registration
from local_workspace.engine.catalog import Catalog
from local_workspace.engine.shared_registration import FIRST_COMMIT, SharedRegistrar
from local_workspace.storage import Storage


class Server:
    """Answers what a registrar asks; is told of the table by its maker when it was asked so often."""

    def __init__(self, told_at: int | None) -> None:
        self._told_at = told_at
        self._asked = 0
        self._place = ""
        self.created: list[str] = []

    def __call__(self, statement: str) -> Any:
        rows: list[Any] = []
        if statement.startswith("CREATE SCHEMA"):
            self._place = statement.split("'")[1]
        elif statement.startswith("DESCRIBE SCHEMA"):
            rows = [("Location", self._place)]
        elif statement.startswith("SHOW TABLES") and "silver" in statement:
            self._asked += 1
            if self._told_at is not None and self._asked > self._told_at:
                rows = [{"tableName": "claims", "isTemporary": False}]
        elif statement.startswith("CREATE TABLE"):
            self.created.append(statement)
        return SimpleNamespace(collect=lambda: rows)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    made = Catalog(Storage(tmp_path))
    made.create_schema("petinsure360", "silver")
    return made


def told(catalog: Catalog, *, told_at: int | None, age_s: float, committed: bool = True) -> Server:
    schema = next(each for each in catalog.list_schemas("petinsure360") if each.name == "silver")
    commit = Path(schema.storage_location, "claims", "_delta_log", FIRST_COMMIT)
    commit.parent.mkdir(parents=True)
    if committed:
        commit.write_text("{}")
    os.utime(commit if committed else commit.parent, (time.time() - age_s,) * 2)
    server = Server(told_at)
    SharedRegistrar(catalog, server, only=("petinsure360",)).sync()
    return server


@pytest.mark.parametrize("committed", [True, False])
def test_a_table_whose_maker_tells_of_it_is_not_told_again(catalog: Catalog, committed: bool) -> None:
    assert told(catalog, told_at=4, age_s=0, committed=committed).created == []


@pytest.mark.parametrize("committed", [True, False])
def test_a_table_from_before_is_told_at_once(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _s: pytest.fail("waited"))
    assert len(told(catalog, told_at=None, age_s=3600, committed=committed).created) == 1


def test_a_new_table_that_nobody_tells_of_is_told_after_a_while(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_registration, "MAKER_TELLS_WITHIN_S", 0.2)
    assert len(told(catalog, told_at=None, age_s=0).created) == 1
