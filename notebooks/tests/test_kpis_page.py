"""docs/kpis.md, which the dashboard shows, tells of every figure and of every rule."""

import re
from pathlib import Path

import pytest

from medallion.gold import TABLES
from medallion.rules import rules_of
from medallion.schemas import ENTITIES

PAGE = (Path(__file__).parents[2] / "docs" / "kpis.md").read_text()
SECTIONS = {part.split()[0]: part for part in PAGE.split("\n## ")[1:]}


@pytest.fixture(scope="module")
def lake(module_workspace, make):
    module_workspace.land_book()
    module_workspace.land("claims/a.jsonl", [make.claim()])
    module_workspace.run_all()
    return module_workspace


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_gold_is_explained_with_the_grain_of_its_table(lake, table):
    columns = {field.name for field in lake.delta(table).schema().fields}
    told = set(re.findall(r"`([a-z0-9_]+)`", SECTIONS[table])) | {"as_of"}
    assert {name for name in columns if not name.startswith("_")} - told == set()
    assert "Grain:" in SECTIONS[table]


@pytest.mark.parametrize("table", [table for table in TABLES if table != "gold.claims_analytics"])
def test_every_aggregate_has_units_and_what_it_leaves_out(table):
    assert "| column | unit | formula |" in SECTIONS[table]
    assert "Excluded:" in SECTIONS[table]


def test_every_rule_is_in_the_list_of_rules_with_its_severity():
    rows = [line.split("|")[1:4] for line in SECTIONS["What"].splitlines() if line.startswith("| `")]
    told = [(name, severity, where) for names, severity, where in rows for name in re.findall(r"`([^`]+)`", names)]
    for entity in ENTITIES:
        for rule in rules_of(entity.table):
            if re.search(r"_present$|_is_(date|timestamp|money|int|number|flag)$", rule.name):
                continue  # told as `<column>_present` and `<column>_is_<type>`
            places = [where for name, severity, where in told if name == rule.name and rule.severity in severity]
            assert any(entity.table in where or "all" in where for where in places), (entity.table, rule.name)
