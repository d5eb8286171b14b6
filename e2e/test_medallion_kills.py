"""The product's notebooks in workers that are killed: each table is old or new, a repeat completes, nothing twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from e2e.notebooks import CHECKOUT, HEADER, original
from local_workspace.tests.live_engine import Bench, bench
from notebooks.tests.grains import GRAINS

CATALOG = "petinsure360"
LAYERS = {"bronze": "01_bronze_ingestion", "silver": "02_silver_transformations", "gold": "03_gold_aggregations"}
DYING = """
import os, signal, threading

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Files:
    def __init__(self, fs, last):
        self._fs, self._left = fs, last
    def put(self, *arguments):
        self._left -= 1
        if self._left < 0:
            die()
        return self._fs.put(*arguments)
    def __getattr__(self, name):
        return getattr(self._fs, name)

class Utils:
    def __init__(self, utils, last):
        self._utils, self.fs = utils, Files(utils.fs, last)
    def __getattr__(self, name):
        return getattr(self._utils, name)

dbutils.widgets.text("writes", "1000")
dbutils.widgets.text("after_s", "")
if dbutils.widgets.get("after_s"):
    threading.Timer(float(dbutils.widgets.get("after_s")), die).start()
dbutils = Utils(dbutils, int(dbutils.widgets.get("writes")))

# COMMAND ----------
"""
"""Before the notebook's first cell: its process dies at a write of a small file, each of which follows a table's, or
after a while."""
NAMED = [("bronze", 6), ("silver", 3), ("gold", 4)]
EVERY = [*(("bronze", n) for n in range(8)), *(("silver", n) for n in range(9)), *(("gold", n) for n in range(8))]
LOG = "silver.quality_results"


class Lake:
    """A workspace with the notebooks; each batch changes every table."""

    def __init__(self, live: Bench) -> None:
        self._live = live
        self._runs = self._batches = 0
        for file in (CHECKOUT / "medallion").glob("*.py"):
            live.write(f"/P/medallion/{file.name}", file.read_text())
        for name in LAYERS.values():
            live.write(f"/P/{name}", HEADER + DYING + original(name).removeprefix(HEADER))

    def land(self) -> None:
        self._batches += 1
        n = self._batches
        at = f"2025-03-{n % 28 + 1:02}T00:00:00Z"
        self._csv("customers", customer_id=f"CUS-{n}", state="TX", marketing_opt_in="true", updated_at=at)
        self._csv("pets", pet_id=f"PET-{n}", customer_id=f"CUS-{n}", species="Dog", breed="Beagle",
                  date_of_birth="2020-01-01", updated_at=at)  # fmt: skip
        self._csv("vet_providers", provider_id=f"VET-{n}", provider_name="Paws", is_in_network="true", updated_at=at)
        policy = {"customer_id": f"CUS-{n}", "pet_id": f"PET-{n}", "monthly_premium": "60.80",
                  "annual_deductible": "100.00", "reimbursement_pct": "80", "annual_limit": "1000.00",
                  "effective_date": "2025-01-01", "expiration_date": "2026-01-01", "updated_at": at}  # fmt: skip
        self._csv("policies", policy_id=f"POL-{n}", **policy)
        old = max(n - 1, 1)
        claims = [self._claim(f"CLM-{n}", n, at), self._claim(f"BAD-{n}", n, at, claim_amount="much")]
        claims += [self._claim(f"CLM-{old}", old, at, paid_amount=f"{n}.00"), self._claim(f"BAD-{n - 2}", old, at)]
        claims += [self._claim(f"EARLIER-{n}", old, at, service_date="2025-02-01", invoice_number="INV")]
        self._file(f"claims/{n}.jsonl", "".join(json.dumps(claim) + "\n" for claim in claims))

    def _claim(self, claim_id: str, n: int, at: str, **more: str) -> dict[str, str]:
        return {"claim_id": claim_id, "policy_id": f"POL-{n}", "pet_id": f"PET-{n}", "customer_id": f"CUS-{n}",
                "provider_id": "VET-1", "claim_type": "Illness", "claim_category": "Dermatology",
                "diagnosis_code": "SKN01", "service_date": "2025-03-01", "submitted_date": "2025-03-01",
                "decision_date": "2025-03-01", "claim_amount": "300.00", "paid_amount": "160.00", "status": "Paid",
                "invoice_number": claim_id, "updated_at": at} | more  # fmt: skip

    def _csv(self, table: str, **row: str) -> None:
        self._file(f"{table}/{self._batches}.csv", f"{','.join(row)}\n{','.join(row.values())}\n")

    def _file(self, path: str, text: str) -> None:
        file = self._live.storage.resolve(f"/Volumes/{CATALOG}/landing/raw") / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, layer: str, **dying: str) -> str:
        """Run a layer's notebook; answers how it ended."""
        self._runs += 1
        given = {"batch_id": str(self._runs), "as_of": "2025-07-31", "task_key": layer} | dying
        return str(self._live.run(self._live.request_of(f"/P/{LAYERS[layer]}", **given)).status)

    def content(self) -> dict[str, list[str]]:
        """The rows of each table, read by delta-rs, without the stamp of the run; each key once."""
        return {table: self._rows(table, key) for table, key in GRAINS.items()}

    def _rows(self, table: str, key: tuple[str, ...]) -> list[str]:
        folder: Path = self._live.storage.table_path(CATALOG, *table.split("."))
        if not (folder / "_delta_log").exists():
            return []
        rows: list[dict[str, Any]] = DeltaTable(str(folder)).to_pyarrow_table().to_pylist()
        keys = [tuple(row[name] for name in key) for row in rows]
        assert len(keys) == len(set(keys)), table
        return sorted(str({name: value for name, value in row.items() if name != "_run_id"}) for row in rows)

    def versions(self) -> dict[str, int]:
        folders = {table: self._live.storage.table_path(CATALOG, *table.split(".")) for table in GRAINS}
        return {table: DeltaTable(str(folder)).version() for table, folder in folders.items()}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with bench(tmp_path_factory.mktemp("kills")) as live:
        yield Lake(live)


def _die_and_complete(lake: Lake, layer: str, **dying: str) -> str:
    """Land a batch, run to the layer that dies, then run everything again; answers how the layer ended."""
    lake.land()
    for earlier in LAYERS:
        if earlier == layer:
            break
        assert lake.run(earlier) == "success"
    before = lake.content()
    ended = lake.run(layer, **dying)
    killed = lake.content()
    assert [lake.run(name) for name in LAYERS] == ["success"] * 3
    after = lake.content()
    for table in before:
        if table == LOG:  # grows with each run
            assert set(before[table]) <= set(killed[table]) <= set(after[table])
        else:
            assert killed[table] in (before[table], after[table]), table
    versions = lake.versions()
    assert [lake.run(name) for name in LAYERS] == ["success"] * 3
    assert lake.versions() == versions
    return ended


@pytest.mark.parametrize(("layer", "writes"), NAMED)
def test_a_notebook_that_dies_leaves_each_table_old_or_new_and_a_repeat_completes_it(
    lake: Lake, layer: str, writes: int
) -> None:
    assert _die_and_complete(lake, layer, writes=str(writes)) == "crashed"


@pytest.mark.long
@pytest.mark.parametrize(("layer", "writes"), EVERY)
def test_the_same_at_every_named_point(lake: Lake, layer: str, writes: int) -> None:
    assert _die_and_complete(lake, layer, writes=str(writes)) == "crashed"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(30))
def test_the_same_at_any_moment(lake: Lake, seed: int) -> None:
    moment = random.Random(seed)
    _die_and_complete(lake, moment.choice(list(LAYERS)), after_s=f"{moment.uniform(0, 1.5):.3f}")
