"""Workspace objects as the official SDK and plain HTTP clients see them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk.errors import BadRequest, DatabricksError, NotFound, ResourceAlreadyExists
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

from local_workspace.objects.source import notebook_source
from local_workspace.storage import Storage
from local_workspace.tests.serving_app import Served, workspace

NOTEBOOK = b"# Databricks notebook source\nprint(1)\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with workspace(tmp_path_factory.mktemp("objects")) as running:
        yield running


@pytest.fixture
def folder(served: Served, request: pytest.FixtureRequest) -> str:
    path = f"/Shared/{request.node.name}"
    served.sdk.workspace.mkdirs(path)
    return path


def test_a_notebook_uploaded_as_source_comes_back_byte_for_byte(served: Served, folder: str) -> None:
    served.sdk.workspace.upload(f"{folder}/nb", NOTEBOOK, format=ImportFormat.SOURCE, language=Language.PYTHON)
    assert served.sdk.workspace.download(f"{folder}/nb").read() == NOTEBOOK
    found = served.sdk.workspace.get_status(f"{folder}/nb")
    assert (found.object_type, found.language) == (ObjectType.NOTEBOOK, Language.PYTHON)
    assert found.object_id
    assert found.modified_at


def test_auto_turns_a_file_with_the_header_into_a_notebook_without_its_extension(served: Served, folder: str) -> None:
    served.sdk.workspace.upload(f"{folder}/01_bronze.py", NOTEBOOK, format=ImportFormat.AUTO)
    assert served.sdk.workspace.get_status(f"{folder}/01_bronze").object_type is ObjectType.NOTEBOOK
    with pytest.raises(NotFound, match="doesn't exist"):
        served.sdk.workspace.get_status(f"{folder}/01_bronze.py")


def test_auto_keeps_a_plain_module_as_a_file(served: Served, folder: str) -> None:
    served.sdk.workspace.upload(f"{folder}/rules.py", b"LIMIT = 3\n", format=ImportFormat.AUTO)
    found = served.sdk.workspace.get_status(f"{folder}/rules.py")
    assert (found.object_type, found.size) == (ObjectType.FILE, 10)


def test_a_source_without_header_gets_the_header_of_its_language(served: Served, folder: str) -> None:
    content = base64.b64encode(b"SELECT 1\n").decode()
    served.sdk.workspace.import_(f"{folder}/q", content=content, format=ImportFormat.SOURCE, language=Language.SQL)
    exported = served.sdk.workspace.export(f"{folder}/q", format=ExportFormat.SOURCE)
    assert base64.b64decode(exported.content or "") == b"-- Databricks notebook source\nSELECT 1\n"
    assert exported.file_type == "sql"


def test_source_without_language_or_header_is_refused(served: Served, folder: str) -> None:
    with pytest.raises(BadRequest, match="language is required"):
        served.sdk.workspace.import_(f"{folder}/x", content=base64.b64encode(b"1").decode())


def test_a_second_import_needs_overwrite(served: Served, folder: str) -> None:
    path = f"{folder}/nb"
    served.sdk.workspace.upload(path, NOTEBOOK, language=Language.PYTHON)
    with pytest.raises((BadRequest, ResourceAlreadyExists)) as refused:
        served.sdk.workspace.upload(path, NOTEBOOK, language=Language.PYTHON)
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"
    before = served.sdk.workspace.get_status(path).object_id
    served.sdk.workspace.upload(path, NOTEBOOK + b"\n", language=Language.PYTHON, overwrite=True)
    assert served.sdk.workspace.get_status(path).object_id == before


def test_a_file_does_not_overwrite_a_notebook(served: Served, folder: str) -> None:
    served.sdk.workspace.upload(f"{folder}/nb", NOTEBOOK, language=Language.PYTHON)
    with pytest.raises(DatabricksError, match="type mismatch"):
        served.sdk.workspace.upload(f"{folder}/nb", b"x", format=ImportFormat.RAW, overwrite=True)


def test_the_parent_folder_must_exist(served: Served) -> None:
    with pytest.raises(NotFound, match=r"The parent folder \(/Shared/nowhere\) does not exist"):
        served.sdk.workspace.upload("/Shared/nowhere/nb", NOTEBOOK, language=Language.PYTHON)


def test_a_list_shows_what_lies_in_a_folder_and_recursion_goes_down(served: Served, folder: str) -> None:
    served.sdk.workspace.mkdirs(f"{folder}/a/b")
    served.sdk.workspace.upload(f"{folder}/a/b/nb", NOTEBOOK, language=Language.PYTHON)
    served.sdk.workspace.upload(f"{folder}/z.txt", b"z", format=ImportFormat.RAW)
    assert [each.path for each in served.sdk.workspace.list(folder)] == [f"{folder}/a", f"{folder}/z.txt"]
    below = {each.path for each in served.sdk.workspace.list(folder, recursive=True)}
    assert below == {f"{folder}/a/b/nb", f"{folder}/z.txt"}


def test_an_empty_folder_lists_as_an_empty_object(served: Served, folder: str) -> None:
    reply = served.http.get("/api/2.0/workspace/list", params={"path": folder})
    assert (reply.status_code, reply.json()) == (200, {})


def test_deleting_a_folder_with_something_in_it_needs_recursive(served: Served, folder: str) -> None:
    served.sdk.workspace.mkdirs(f"{folder}/sub")
    with pytest.raises(BadRequest) as refused:
        served.sdk.workspace.delete(folder)
    assert refused.value.error_code == "DIRECTORY_NOT_EMPTY"
    served.sdk.workspace.delete(folder, recursive=True)
    with pytest.raises(NotFound):
        served.sdk.workspace.get_status(folder)


def test_workspace_and_plain_paths_name_the_same_object(served: Served, folder: str) -> None:
    served.sdk.workspace.upload(f"/Workspace{folder}/nb", NOTEBOOK, language=Language.PYTHON)
    one, other = (served.sdk.workspace.get_status(path) for path in (f"{folder}/nb", f"/Workspace{folder}/nb"))
    assert (one.object_id, one.path) == (other.object_id, f"{folder}/nb")


@pytest.mark.parametrize("path", ["/Shared/../../x", "/Shared/%2e%2e/x", "relative", "/Shared/a\0b"])
def test_a_path_that_leaves_the_workspace_is_400(served: Served, path: str) -> None:
    reply = served.http.post("/api/2.0/workspace/mkdirs", json={"path": path})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_more_than_ten_megabytes_are_refused(served: Served, folder: str) -> None:
    with pytest.raises(BadRequest) as refused:
        served.sdk.workspace.upload(f"{folder}/big", io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), format=ImportFormat.RAW)
    assert refused.value.error_code == "MAX_NOTEBOOK_SIZE_EXCEEDED"
    assert served.http.get("/api/2.0/workspace/list", params={"path": folder}).json() == {}


def test_the_lock_of_a_bundle_is_taken_once(served: Served, folder: str) -> None:
    address = f"/api/2.0/workspace-files/import-file{folder}/deploy.lock"
    assert served.http.post(address, params={"overwrite": "false"}, content=b'{"ID":"1"}').json() == {}
    assert served.http.post(address, params={"overwrite": "false"}, content=b'{"ID":"2"}').status_code == 409
    assert served.http.get(f"/api/2.0/workspace-files{folder}/deploy.lock").content == b'{"ID":"1"}'


def test_a_jupyter_notebook_becomes_cells_of_source(served: Served, folder: str) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "x = 1\nx"},
        {"cell_type": "code", "source": ["%sql\n", "SELECT 1"]},
    ]
    served.sdk.workspace.upload(f"{folder}/j.ipynb", json.dumps({"cells": cells}).encode(), format=ImportFormat.AUTO)
    assert served.sdk.workspace.download(f"{folder}/j").read().decode() == (
        "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n# MAGIC text\n\n# COMMAND ----------\n\n"
        "x = 1\nx\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT 1\n"
    )


def test_a_worker_finds_a_notebook_on_disk_without_the_server(served: Served, folder: str) -> None:
    served.sdk.workspace.upload(f"{folder}/nb", NOTEBOOK, language=Language.PYTHON)
    found = notebook_source(Storage(served.data_dir), f"/Workspace{folder}/nb")
    assert (found.path, found.language, found.source) == (f"{folder}/nb", "PYTHON", NOTEBOOK.decode())
    assert found.file.read_bytes() == NOTEBOOK


def test_a_file_put_on_disk_by_hand_is_an_object_with_a_lasting_id(served: Served, folder: str) -> None:
    Storage(served.data_dir).workspace_file(f"{folder}/by_hand").write_bytes(NOTEBOOK)
    found = served.sdk.workspace.get_status(f"{folder}/by_hand")
    assert found.object_type is ObjectType.NOTEBOOK
    assert served.sdk.workspace.get_status(f"{folder}/by_hand").object_id == found.object_id


def test_objects_and_their_ids_survive_a_restart(tmp_path: Path) -> None:
    with workspace(tmp_path) as first:
        first.sdk.workspace.upload("/Shared/nb", NOTEBOOK, language=Language.PYTHON)
        before = first.sdk.workspace.get_status("/Shared/nb")
    with workspace(tmp_path) as second:
        assert second.sdk.workspace.get_status("/Shared/nb").as_dict() == before.as_dict()
