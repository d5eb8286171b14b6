"""A Spark Connect engine inside the test process, with tables under a temporary folder."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from local_workspace.engine.delta_log import newest_commits
from medallion.bronze import run_bronze
from medallion.gold import run_gold
from medallion.result import Result
from medallion.run import Commit, from_parameters
from medallion.silver import run_silver
from notebooks.tests import engines

collect_ignore = [] if os.environ.get("SPARK_REMOTE") else ["test_engines_agree.py"]
AS_OF = "2025-07-31"
Row = dict[str, Any]


def customer(**more: str) -> Row:
    return {
        "customer_id": "CUS-1",
        "first_name": "Ada",
        "last_name": "Byron",
        "state": "TX",
        "customer_since": "2024-07-31",
        "marketing_opt_in": "true",
        "updated_at": "2025-01-01T00:00:00Z",
    } | more


def pet(**more: str) -> Row:
    return {
        "pet_id": "PET-1",
        "customer_id": "CUS-1",
        "pet_name": "Rex",
        "species": "Dog",
        "breed": "Beagle",
        "date_of_birth": "2020-01-01",
        "weight_kg": "12.5",
        "pre_existing_conditions": "",
        "condition_onset_on": "",
        "is_active": "true",
        "updated_at": "2025-01-01T00:00:00Z",
    } | more


def provider(**more: str) -> Row:
    return {
        "provider_id": "VET-1",
        "provider_name": "Paws",
        "provider_type": "Clinic",
        "is_in_network": "true",
        "updated_at": "2025-01-01T00:00:00Z",
    } | more


def a_policy(**more: str) -> Row:
    """60.80 a month, 100 deductible, 80 %, 1,000 a year, from January 1st 2025."""
    return {
        "policy_id": "POL-1",
        "customer_id": "CUS-1",
        "pet_id": "PET-1",
        "plan_name": "Plus",
        "monthly_premium": "60.80",
        "annual_deductible": "100.00",
        "reimbursement_pct": "80",
        "annual_limit": "1000.00",
        "effective_date": "2025-01-01",
        "expiration_date": "2026-01-01",
        "cancellation_date": "",
        "status": "Active",
        "accident_wait_days": "0",
        "illness_wait_days": "14",
        "orthopedic_wait_days": "30",
        "includes_wellness": "false",
        "includes_dental": "true",
        "renewal_count": "0",
        "updated_at": "2025-01-01T00:00:00Z",
    } | more


def claim(claim_id: str = "CLM-1", **more: Any) -> Row:
    return {
        "claim_id": claim_id,
        "policy_id": "POL-1",
        "pet_id": "PET-1",
        "customer_id": "CUS-1",
        "provider_id": "VET-1",
        "claim_type": "Illness",
        "claim_category": "Dermatology",
        "diagnosis_code": "SKN01",
        "diagnosis": "Allergic dermatitis",
        "service_date": "2025-03-10",
        "submitted_date": "2025-03-11",
        "decision_date": "2025-03-13",
        "payment_date": "2025-03-15",
        "claim_amount": "300.00",
        "approved_amount": "160.00",
        "paid_amount": "160.00",
        "case_reserve": "0.00",
        "status": "Paid",
        "denial_reason": None,
        "invoice_number": f"INV-{claim_id}",
        "is_emergency": False,
        "updated_at": "2025-03-15T00:00:00Z",
    } | more


def csv_text(rows: list[Row]) -> str:
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def make() -> Any:
    """The row makers, for tests: `make.claim(...)`, `make.csv([...])`."""
    return SimpleNamespace(customer=customer, pet=pet, provider=provider, policy=a_policy, claim=claim, csv=csv_text)


LAYERS: dict[str, Callable[..., Result]] = {"bronze": run_bronze, "silver": run_silver, "gold": run_gold}


@dataclass(frozen=True)
class Entry:
    name: str
    size: int
    modificationTime: int


class FolderFiles:
    """`dbutils.fs` over a local folder."""

    def ls(self, path: str) -> list[Entry]:
        entries = []
        for child in sorted(Path(path).iterdir()):
            stat = child.stat()
            name, size = (f"{child.name}/", 0) if child.is_dir() else (child.name, stat.st_size)
            entries.append(Entry(name, size, int(stat.st_mtime * 1000)))
        return entries

    def mkdirs(self, path: str) -> bool:
        Path(path).mkdir(parents=True, exist_ok=True)
        return True

    def head(self, path: str, max_bytes: int) -> str:
        return Path(path).read_bytes()[:max_bytes].decode()

    def put(self, path: str, contents: str, overwrite: bool) -> bool:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(contents)
        return True


@dataclass
class Workspace:
    """A lake of its own: land files, run layers, read the truth by delta-rs."""

    spark: SparkSession
    root: Path
    catalog: str
    landing: Path
    files: FolderFiles = field(default_factory=FolderFiles)
    runs: int = 0

    def land(self, path: str, content: str | bytes | list[dict[str, Any]]) -> Path:
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def land_book(self, **policy: str) -> None:
        """One customer with one dog on one policy, and one clinic."""
        self.land("customers/customers.csv", csv_text([customer()]))
        self.land("pets/pets.csv", csv_text([pet()]))
        self.land("vet_providers/vet_providers.csv", csv_text([provider()]))
        self.land("policies/policies.csv", csv_text([a_policy(**policy)]))

    def run(self, layer: str, claim_ids: str = "", as_of: str = AS_OF, **more: str) -> Result:
        self.runs += 1
        given = {
            "catalog": self.catalog,
            "landing_path": str(self.landing),
            "control_path": str(self.root / "control"),
            "claim_ids": claim_ids,
            "batch_id": f"run-{self.runs}",
            "as_of": as_of,
            "task_key": layer,
        } | more
        now = lambda: datetime(2025, 8, 1, tzinfo=UTC)  # noqa: E731 - a fixed clock
        run = from_parameters(self.spark, self.files, given, last_commit=self.last_commit, now=now)
        return LAYERS[layer](run)

    def run_all(self, claim_ids: str = "", as_of: str = AS_OF) -> dict[str, Result]:
        return {layer: self.run(layer, claim_ids, as_of) for layer in LAYERS}

    def delta(self, table: str) -> DeltaTable:
        return DeltaTable(str(self.folder(table)))

    def folder(self, table: str) -> Path:
        schema, name = table.rsplit(".", 2)[-2:]
        return self.root / "tables" / schema / name

    def version(self, table: str) -> int:
        return int(self.delta(table).version())

    def last_commit(self, table: str) -> Commit:
        (newest,) = newest_commits(self.folder(table), 1)
        return Commit(newest["version"], str(newest["timestamp"]))

    def rows(self, table: str) -> list[dict[str, Any]]:
        return list(self.delta(table).to_pyarrow_table().to_pylist())

    def by(self, table: str, key: str) -> dict[Any, dict[str, Any]]:
        return {row[key]: row for row in self.rows(table)}

    def drop(self, table: str) -> None:
        """As if the table had never been written."""
        self.spark.sql(f"DROP TABLE {self.catalog}.{table}")
        shutil.rmtree(self.root / "tables" / table.replace(".", "/"), ignore_errors=True)

    def versions(self) -> dict[str, int]:
        folders = sorted((self.root / "tables").glob("*/*/_delta_log"))
        return {f"{f.parent.parent.name}.{f.parent.name}": DeltaTable(str(f.parent)).version() for f in folders}


CATALOGS = [f"lake{n}" for n in range(200)]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    with engines.session(CATALOGS) as session:
        yield session


@pytest.fixture(scope="session")
def catalogs() -> Iterator[str]:
    """Names for new lakes. They come again after 200: no test needs so many at once."""
    return itertools.cycle(CATALOGS)


@pytest.fixture
def workspace(spark: SparkSession, catalogs: Iterator[str], tmp_path: Path) -> Workspace:
    return make_workspace(spark, next(catalogs), tmp_path)


@pytest.fixture(scope="module")
def module_workspace(
    spark: SparkSession, catalogs: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """One lake for all tests of a module that only look at it."""
    return make_workspace(spark, next(catalogs), tmp_path_factory.mktemp("lake"))


@pytest.fixture
def fresh(
    spark: SparkSession, catalogs: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Workspace]:
    """Makes lakes, for tests that need several; `landing` is the landing zone of another one."""

    def make_another(landing: Path | None = None) -> Workspace:
        workspace = make_workspace(spark, next(catalogs), tmp_path_factory.mktemp("lake"))
        workspace.landing = landing or workspace.landing
        return workspace

    return make_another


def make_workspace(spark: SparkSession, catalog: str, root: Path) -> Workspace:
    """Schemas and an empty landing zone under `root`."""
    for schema in ("bronze", "silver", "gold"):
        spark.sql(f"DROP SCHEMA IF EXISTS {catalog}.{schema} CASCADE")
        spark.sql(f"CREATE SCHEMA {catalog}.{schema} LOCATION '{root}/tables/{schema}'")
    (root / "landing").mkdir(parents=True)
    return Workspace(spark, root, catalog, root / "landing")
