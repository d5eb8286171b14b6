"""The catalog: names, folders and what several processes see of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from local_workspace.engine.catalog import (
    Catalog,
    CatalogError,
    SecurableExists,
    SecurableNotEmpty,
    SecurableNotFound,
)
from local_workspace.storage import Storage


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(Storage(tmp_path))


def write_table(catalog: Catalog, full_name: str, /, **columns: list[object]) -> Path:
    folder = catalog.storage.table_path(*full_name.split("."))
    write_deltalake(str(folder), pa.table(columns))
    return folder


def test_a_new_workspace_has_the_default_catalog_with_a_default_schema(catalog: Catalog) -> None:
    assert [each.name for each in catalog.list_catalogs()] == ["hive_metastore", "main", "petinsure360"]
    assert [each.full_name for each in catalog.list_schemas("petinsure360")] == ["petinsure360.default"]


def test_names_are_lower_case_and_unique(catalog: Catalog) -> None:
    assert catalog.create_schema("PetInsure360", "Silver").full_name == "petinsure360.silver"
    with pytest.raises(SecurableExists):
        catalog.create_schema("petinsure360", "SILVER")
    assert catalog.create_schema("petinsure360", "silver", if_not_exists=True).name == "silver"


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "..", "a b", "x" * 256])
def test_a_bad_name_is_refused(catalog: Catalog, name: str) -> None:
    with pytest.raises(CatalogError):
        catalog.create_schema("petinsure360", name)


def test_another_process_sees_what_was_created(catalog: Catalog) -> None:
    before = catalog.generation()
    catalog.create_catalog("other")
    assert catalog.generation() > before
    assert Catalog(Storage(catalog.storage.data_dir)).get_catalog("other").name == "other"


def test_a_folder_with_a_delta_log_is_a_table_with_columns(catalog: Catalog) -> None:
    folder = write_table(catalog, "main.default.claims", id=[1], name=["x"], tags=[["a"]])
    table = catalog.get_table("main", "default", "CLAIMS")
    assert (table.table_type, table.data_source_format, table.storage_location) == ("MANAGED", "DELTA", str(folder))
    assert [(each.name, each.type_text, each.type_name, each.position) for each in table.columns] == [
        ("id", "bigint", "LONG", 0),
        ("name", "string", "STRING", 1),
        ("tags", "array<string>", "ARRAY", 2),
    ]


def test_dropping_a_managed_table_removes_its_files(catalog: Catalog) -> None:
    folder = write_table(catalog, "main.default.claims", id=[1])
    catalog.delete_table("main", "default", "claims")
    assert not folder.exists()
    with pytest.raises(SecurableNotFound):
        catalog.get_table("main", "default", "claims")


def test_dropping_an_external_table_keeps_its_files(catalog: Catalog) -> None:
    folder = catalog.storage.resolve("abfss://raw@lake.dfs.core.windows.net/claims")
    write_deltalake(str(folder), pa.table({"id": [1]}))
    catalog.register_table("main", "default", "claims", folder)
    assert catalog.get_table("main", "default", "claims").table_type == "EXTERNAL"
    catalog.delete_table("main", "default", "claims")
    assert catalog.list_tables("main", "default") == []
    assert folder.exists()


def test_a_schema_with_tables_is_dropped_by_force_only(catalog: Catalog) -> None:
    catalog.create_schema("main", "silver")
    folder = write_table(catalog, "main.silver.claims", id=[1])
    with pytest.raises(SecurableNotEmpty):
        catalog.delete_schema("main", "silver")
    catalog.delete_schema("main", "silver", force=True)
    assert not folder.exists()


def test_a_dropped_catalog_takes_everything_below_it(catalog: Catalog) -> None:
    catalog.create_catalog("lab")
    catalog.create_schema("lab", "s")
    volume = Path(catalog.create_volume("lab", "s", "v").storage_location)
    with pytest.raises(SecurableNotEmpty):
        catalog.delete_catalog("lab")
    catalog.delete_catalog("lab", force=True)
    assert not volume.exists()
    catalog.create_catalog("lab")
    assert [each.name for each in catalog.list_schemas("lab")] == ["default"]


def test_a_volume_is_a_folder(catalog: Catalog) -> None:
    volume = catalog.create_volume("main", "default", "raw")
    assert Path(volume.storage_location) == catalog.storage.resolve("/Volumes/main/default/raw")
    assert Path(volume.storage_location).is_dir()
    catalog.delete_volume("main", "default", "raw")
    assert not Path(volume.storage_location).exists()


def test_a_table_with_a_broken_log_is_listed_without_columns(catalog: Catalog) -> None:
    log = catalog.storage.table_path("main", "default", "broken") / "_delta_log"
    log.mkdir(parents=True)
    assert [(each.name, each.columns) for each in catalog.list_tables("main", "default")] == [("broken", [])]
