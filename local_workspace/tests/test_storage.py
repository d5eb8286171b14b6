"""Every path form finds its folder, and none finds its way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_workspace.storage import InvalidPath, PathTraversal, Storage, UnsupportedPath


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("/Volumes/petinsure360/landing/raw/claims/a.json", "volumes/petinsure360/landing/raw/claims/a.json"),
        ("/Volumes/PetInsure360/Landing/Raw/Claims/A.json", "volumes/petinsure360/landing/raw/Claims/A.json"),
        ("dbfs:/Volumes/c/s/v/x", "volumes/c/s/v/x"),
        ("/dbfs/Volumes/c/s/v/x", "volumes/c/s/v/x"),
        ("dbfs:/tmp/x y", "dbfs/tmp/x y"),
        ("dbfs:///tmp/x", "dbfs/tmp/x"),
        ("/dbfs/tmp/x", "dbfs/tmp/x"),
        ("/mnt/lake/x", "dbfs/mnt/lake/x"),
        ("/tmp/x", "dbfs/tmp/x"),
        ("/Workspace/Users/a/b.py", "files/Workspace/Users/a/b.py"),
        ("abfss://raw@lake.dfs.core.windows.net/claims/*.json", "abfss/lake/raw/claims/*.json"),
        ("/Volumes/c/s/v/ts=10%3A00", "volumes/c/s/v/ts=10%3A00"),
    ],
)
def test_a_path_form_has_one_place(storage: Storage, uri: str, place: str) -> None:
    assert storage.resolve(uri) == storage.root / place


@pytest.mark.parametrize(
    "uri",
    [
        "/Volumes/c/s/v/../../../../../etc/passwd",
        "/Volumes/c/s/v/%2e%2e/%2e%2e/x",
        "/Volumes/c/s/v/%252e%252e%252fx",
        "/Volumes/c/s/v/..\\..\\x",
        "dbfs:/a/../../b",
        "/dbfs/a/\0b",
        "/dbfs/a/%00b",
        "file:/etc/passwd",
        "abfss://raw@lake.dfs.core.windows.net/../../x",
        "/Workspace/../workspace.db",
    ],
)
def test_a_path_that_leaves_its_root_is_refused(storage: Storage, uri: str) -> None:
    with pytest.raises(PathTraversal):
        storage.resolve(uri)


@pytest.mark.parametrize("uri", ["claims/a.json", "", "s3://bucket/x", "abfss://raw@lake.example.com/x", "https://x/y"])
def test_a_path_without_storage_behind_it_is_refused(storage: Storage, uri: str) -> None:
    with pytest.raises(UnsupportedPath):
        storage.resolve(uri)


def test_a_link_to_the_outside_is_refused(storage: Storage, tmp_path: Path) -> None:
    volume = storage.volume_path("c", "s", "v")
    volume.mkdir(parents=True)
    (volume / "out").symlink_to("/etc")
    with pytest.raises(PathTraversal):
        storage.resolve("/Volumes/c/s/v/out/passwd")


def test_a_local_path_is_taken_inside_the_data_directory_only(storage: Storage) -> None:
    inside = storage.table_path("c", "s", "t")
    assert storage.resolve(str(inside)) == inside
    assert storage.resolve(f"file://{inside}") == inside


def test_workspace_paths_with_and_without_their_root_are_the_same(storage: Storage) -> None:
    assert storage.workspace_file("/PetInsure360/01") == storage.workspace_file("/Workspace/PetInsure360/01")
    with pytest.raises(UnsupportedPath):
        storage.workspace_file("PetInsure360/01")


def test_a_name_with_a_slash_is_no_table(storage: Storage) -> None:
    with pytest.raises(PathTraversal):
        storage.table_path("c", "s", "../t")


_SEGMENT = st.text(st.characters(codec="utf-8", exclude_characters="/\\%\0"), min_size=1).filter(
    lambda s: s not in (".", "..")
)


@given(st.lists(_SEGMENT, max_size=4))
def test_a_resolved_path_goes_back_to_its_uri(tmp_path_factory: pytest.TempPathFactory, segments: list[str]) -> None:
    storage = Storage(tmp_path_factory.getbasetemp() / "laws")
    uri = "/".join(["/Volumes/c/s/v", *segments])
    assert storage.to_uri(storage.resolve(uri)) == uri


@given(st.text(max_size=60))
def test_no_text_at_all_names_a_place_outside(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    storage = Storage(tmp_path_factory.getbasetemp() / "laws")
    try:
        path = storage.resolve(text)
    except InvalidPath:
        return
    assert path.resolve().is_relative_to(storage.data_dir)
