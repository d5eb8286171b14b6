"""Unity Catalog through the official SDK."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from databricks.sdk.errors import BadRequest, DatabricksError, NotFound
from databricks.sdk.service.catalog import ColumnTypeName, DataSourceFormat, TableType, VolumeType
from deltalake import write_deltalake

from local_workspace.storage import Storage
from local_workspace.tests.serving_app import Served, workspace


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with workspace(tmp_path_factory.mktemp("catalog")) as running:
        yield running


@pytest.fixture
def catalog(served: Served, request: pytest.FixtureRequest) -> str:
    """A catalog of the test's own with one schema."""
    name = "c" + str(abs(hash(request.node.nodeid)))
    served.sdk.catalogs.create(name)
    served.sdk.schemas.create("bronze", name)
    return name


def make_table(served: Served, catalog: str, name: str) -> Path:
    """A managed table as a worker leaves it: a Delta folder in its place."""
    folder = Storage(served.data_dir).table_path(catalog, "bronze", name)
    rows = pa.table({"claim_id": ["CLM-1"], "amount": pa.array([None], pa.decimal128(12, 2)), "n": [1]})
    write_deltalake(str(folder), rows)
    return folder


def test_a_catalog_is_created_found_listed_and_deleted(served: Served) -> None:
    assert served.sdk.catalogs.create("made", comment="ours").name == "made"
    assert served.sdk.catalogs.get("made").name == "made"
    assert "made" in [each.name for each in served.sdk.catalogs.list()]
    served.sdk.catalogs.delete("made")
    with pytest.raises(NotFound, match="Catalog 'made' does not exist"):
        served.sdk.catalogs.get("made")


def test_a_second_catalog_of_the_name_is_refused(served: Served, catalog: str) -> None:
    with pytest.raises(BadRequest, match="already exists"):
        served.sdk.catalogs.create(catalog)


def test_a_catalog_with_something_in_it_needs_force(served: Served, catalog: str) -> None:
    with pytest.raises(BadRequest):
        served.sdk.catalogs.delete(catalog)
    served.sdk.catalogs.delete(catalog, force=True)
    with pytest.raises(NotFound):
        served.sdk.schemas.get(f"{catalog}.bronze")


def test_a_schema_is_created_found_listed_and_deleted(served: Served, catalog: str) -> None:
    assert served.sdk.schemas.create("silver", catalog).full_name == f"{catalog}.silver"
    assert served.sdk.schemas.get(f"{catalog}.silver").catalog_name == catalog
    names = [each.name for each in served.sdk.schemas.list(catalog)]
    assert {"bronze", "silver"} <= set(names)
    with pytest.raises(BadRequest, match="already exists"):
        served.sdk.schemas.create("silver", catalog)
    served.sdk.schemas.delete(f"{catalog}.silver")
    with pytest.raises(NotFound):
        served.sdk.schemas.get(f"{catalog}.silver")


def test_a_schema_needs_its_catalog(served: Served) -> None:
    with pytest.raises(NotFound, match="Catalog 'nowhere' does not exist"):
        served.sdk.schemas.create("x", "nowhere")
    with pytest.raises(NotFound):
        list(served.sdk.schemas.list("nowhere"))


def test_a_created_volume_takes_files_at_once(served: Served, catalog: str) -> None:
    made = served.sdk.volumes.create(catalog, "bronze", "raw", VolumeType.MANAGED)
    assert made.full_name == f"{catalog}.bronze.raw"
    assert made.storage_location == str(Storage(served.data_dir).volume_path(catalog, "bronze", "raw"))
    served.sdk.files.upload(f"/Volumes/{catalog}/bronze/raw/x", io.BytesIO(b"1"))
    assert [each.name for each in served.sdk.volumes.list(catalog, "bronze")] == ["raw"]
    assert served.sdk.volumes.read(f"{catalog}.bronze.raw").volume_id == made.volume_id
    with pytest.raises(BadRequest, match="already exists"):
        served.sdk.volumes.create(catalog, "bronze", "raw", VolumeType.MANAGED)
    served.sdk.volumes.delete(f"{catalog}.bronze.raw")
    with pytest.raises(NotFound):
        served.sdk.files.get_metadata(f"/Volumes/{catalog}/bronze/raw/x")


def test_a_table_tells_its_columns_and_its_folder(served: Served, catalog: str) -> None:
    folder = make_table(served, catalog, "claims")
    found = served.sdk.tables.get(f"{catalog}.bronze.claims")
    assert (found.table_type, found.data_source_format) == (TableType.MANAGED, DataSourceFormat.DELTA)
    assert found.storage_location == str(folder)
    columns = [(column.name, column.type_text, column.type_name, column.position) for column in found.columns or []]
    assert columns == [
        ("claim_id", "string", ColumnTypeName.STRING, 0),
        ("amount", "decimal(12,2)", ColumnTypeName.DECIMAL, 1),
        ("n", "bigint", ColumnTypeName.LONG, 2),
    ]


def test_tables_are_listed_in_pages_and_without_columns_when_asked(served: Served, catalog: str) -> None:
    for name in ("a", "b", "c"):
        make_table(served, catalog, name)
    assert [each.name for each in served.sdk.tables.list(catalog, "bronze", max_results=2)] == ["a", "b", "c"]
    bare = served.http.get(
        "/api/2.1/unity-catalog/tables",
        params={"catalog_name": catalog, "schema_name": "bronze", "max_results": 2, "omit_columns": "true"},
    ).json()
    assert [each["name"] for each in bare["tables"]] == ["a", "b"]
    assert "columns" not in bare["tables"][0]
    assert bare["next_page_token"]


def test_a_deleted_table_is_gone_from_the_disk(served: Served, catalog: str) -> None:
    folder = make_table(served, catalog, "claims")
    assert served.sdk.tables.exists(f"{catalog}.bronze.claims").table_exists
    served.sdk.tables.delete(f"{catalog}.bronze.claims")
    assert not folder.exists()
    assert not served.sdk.tables.exists(f"{catalog}.bronze.claims").table_exists
    with pytest.raises(NotFound, match=f"Table '{catalog}.bronze.claims' does not exist"):
        served.sdk.tables.get(f"{catalog}.bronze.claims")


def test_ids_and_times_of_catalog_objects_survive_a_restart(tmp_path: Path) -> None:
    with workspace(tmp_path) as first:
        first.sdk.catalogs.create("kept")
        first.sdk.schemas.create("s", "kept")
        volume = first.sdk.volumes.create("kept", "s", "v", VolumeType.MANAGED)
    with workspace(tmp_path) as second:
        assert second.sdk.volumes.read("kept.s.v").volume_id == volume.volume_id
        assert "s" in [each.name for each in second.sdk.schemas.list("kept")]


@pytest.mark.parametrize("name", ["", "a.b", "../x", "a/b", "a b"])
def test_an_impossible_name_is_refused(served: Served, name: str) -> None:
    with pytest.raises(DatabricksError) as refused:
        served.sdk.catalogs.create(name)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
