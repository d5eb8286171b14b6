"""A Spark Connect engine inside the test process, with tables under a temporary folder."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from medallion.bronze import run_bronze
from medallion.gold import run_gold
from medallion.result import Result
from medallion.run import from_parameters
from medallion.silver import run_silver

AS_OF = "2025-07-31"
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
    files: FolderFiles = field(default_factory=FolderFiles)
    runs: int = 0

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def land(self, path: str, content: str | bytes | list[dict[str, Any]]) -> Path:
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

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
        run = from_parameters(self.spark, self.files, given, table_version=self.version, now=now)
        return LAYERS[layer](run)

    def run_all(self, claim_ids: str = "", as_of: str = AS_OF) -> dict[str, Result]:
        return {layer: self.run(layer, claim_ids, as_of) for layer in LAYERS}

    def delta(self, table: str) -> DeltaTable:
        schema, name = table.rsplit(".", 2)[-2:]
        return DeltaTable(str(self.root / "tables" / schema / name))

    def version(self, table: str) -> int:
        return int(self.delta(table).version())

    def rows(self, table: str) -> list[dict[str, Any]]:
        return list(self.delta(table).to_pyarrow_table().to_pylist())

    def by(self, table: str, key: str) -> dict[Any, dict[str, Any]]:
        return {row[key]: row for row in self.rows(table)}

    def versions(self) -> dict[str, int]:
        folders = sorted((self.root / "tables").glob("*/*/_delta_log"))
        return {f"{f.parent.parent.name}.{f.parent.name}": DeltaTable(str(f.parent)).version() for f in folders}


CATALOGS = [f"lake{n}" for n in range(200)]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    os.environ["RUST_LOG"] = "error"
    catalogs = ", ".join(f'{{type="memory", name="{name}", initial_database=["default"]}}' for name in CATALOGS)
    os.environ["SAIL_CATALOG__LIST"] = f"[{catalogs}]"
    os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = CATALOGS[0]
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    session.conf.set("spark.sql.sources.default", "delta")
    session.conf.set("spark.sql.session.timeZone", "UTC")
    yield session
    session.stop()
    server.stop()


@pytest.fixture(scope="session")
def catalogs() -> Iterator[str]:
    return iter(CATALOGS)


@pytest.fixture
def workspace(spark: SparkSession, catalogs: Iterator[str], tmp_path: Path) -> Workspace:
    return make_workspace(spark, next(catalogs), tmp_path)


def make_workspace(spark: SparkSession, catalog: str, root: Path) -> Workspace:
    for schema in ("bronze", "silver", "gold"):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema} LOCATION '{root}/tables/{schema}'")
    (root / "landing").mkdir()
    return Workspace(spark, root, catalog)
