"""Volumes through the Files API and DBFS, with the official SDK as client."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk.errors import AlreadyExists, BadRequest, DatabricksError, NotFound
from databricks.sdk.service.catalog import VolumeType
from starlette.types import Message

from local_workspace.api.files import OpenFileResponse
from local_workspace.storage import Storage
from local_workspace.tests.serving_app import Served, workspace

VOLUME = "/Volumes/petinsure360/landing/raw"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with workspace(tmp_path_factory.mktemp("files")) as running:
        running.sdk.schemas.create("landing", "petinsure360")
        running.sdk.volumes.create("petinsure360", "landing", "raw", VolumeType.MANAGED)
        yield running


@pytest.fixture
def folder(served: Served, request: pytest.FixtureRequest) -> str:
    path = f"{VOLUME}/{request.node.name}"
    served.sdk.files.create_directory(path)
    return path


def download(served: Served, path: str) -> bytes:
    contents = served.sdk.files.download(path).contents
    assert contents is not None
    return contents.read()


def test_a_file_comes_back_as_it_went_in_with_size_and_time(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/claims.jsonl", io.BytesIO(b'{"claim_id":"CLM-1"}\n'))
    assert download(served, f"{folder}/claims.jsonl") == b'{"claim_id":"CLM-1"}\n'
    seen = served.sdk.files.get_metadata(f"{folder}/claims.jsonl")
    assert seen.content_length == 21
    assert seen.last_modified


def test_an_upload_makes_its_parent_folders(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/2026/11/x.csv", io.BytesIO(b"1"))
    served.sdk.files.get_directory_metadata(f"{folder}/2026/11")


def test_without_overwrite_the_first_file_stays(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"first"))
    with pytest.raises(AlreadyExists):
        served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"second"), overwrite=False)
    assert download(served, f"{folder}/x") == b"first"
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"second"), overwrite=True)
    assert download(served, f"{folder}/x") == b"second"


@pytest.mark.parametrize("name", ["with space.csv", "umlaut-ä.csv", "50%.csv", "a+b&c=d.csv", "hash#1.csv", "q?.csv"])
def test_odd_names_travel_percent_encoded(served: Served, folder: str, name: str) -> None:
    served.sdk.files.upload(f"{folder}/{name}", io.BytesIO(name.encode()))
    assert [entry.name for entry in served.sdk.files.list_directory_contents(folder)] == [name]
    assert download(served, f"{folder}/{name}") == name.encode()


def test_a_listing_pages_through_all_entries_in_order(served: Served, folder: str) -> None:
    names = [f"{number:03}.csv" for number in range(7)]
    for name in reversed(names):
        served.sdk.files.upload(f"{folder}/{name}", io.BytesIO(b"12"))
    served.sdk.files.create_directory(f"{folder}/sub")
    entries = list(served.sdk.files.list_directory_contents(folder, page_size=3))
    assert [entry.name for entry in entries] == [*names, "sub"]
    assert (entries[0].path, entries[0].file_size, entries[0].is_directory) == (f"{folder}/000.csv", 2, False)
    assert entries[0].last_modified
    assert entries[-1].is_directory


def test_the_last_page_has_no_token(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"1"))
    reply = served.http.get(f"/api/2.0/fs/directories{folder}", params={"page_size": 1}).json()
    assert "next_page_token" not in reply


def test_only_an_empty_directory_is_deleted(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"1"))
    with pytest.raises(BadRequest) as refused:
        served.sdk.files.delete_directory(folder)
    assert refused.value.error_code == "DIRECTORY_NOT_EMPTY"
    served.sdk.files.delete(f"{folder}/x")
    served.sdk.files.delete_directory(folder)
    with pytest.raises(NotFound):
        served.sdk.files.get_directory_metadata(folder)


def test_what_is_missing_is_not_found(served: Served, folder: str) -> None:
    for call in (served.sdk.files.delete, served.sdk.files.get_metadata, served.sdk.files.download):
        with pytest.raises(NotFound):
            call(f"{folder}/none")


def test_a_volume_that_does_not_exist_takes_no_files(served: Served) -> None:
    with pytest.raises(NotFound, match=r"Volume 'petinsure360.landing.other' does not exist"):
        served.sdk.files.upload("/Volumes/petinsure360/landing/other/x", io.BytesIO(b"1"))


@pytest.mark.parametrize(
    "path",
    [f"{VOLUME}/%2e%2e/%2e%2e/x", f"{VOLUME}/..%2f..%2fx", f"{VOLUME}/a%00b", f"{VOLUME}/%252e%252e/x", "/etc/passwd"],
)
def test_a_path_that_leaves_the_volume_is_400(served: Served, path: str) -> None:
    reply = served.http.get(f"/api/2.0/fs/files{path}")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_link_to_the_outside_is_not_followed(served: Served, folder: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    Storage(served.data_dir).resolve(folder).joinpath("link").symlink_to(tmp_path)
    assert served.http.get(f"/api/2.0/fs/files{folder}/link/secret").status_code == 400


def test_a_file_beyond_the_limit_of_json_bodies_is_streamed(served: Served, folder: str) -> None:
    size = 20 * 1024 * 1024
    served.sdk.files.upload(f"{folder}/big", io.BytesIO(b"x" * size))
    assert served.sdk.files.get_metadata(f"{folder}/big").content_length == size


def test_the_sdk_uploads_and_downloads_what_it_would_send_in_parts(served: Served, folder: str) -> None:
    content = b"0123456789abcdef" * (52 * 65536)
    served.sdk.files.upload(f"{folder}/parts", io.BytesIO(content))
    assert download(served, f"{folder}/parts") == content


def test_a_range_of_a_file_is_served_while_it_is_unmodified(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"0123456789"))
    address = f"/api/2.0/fs/files{folder}/x"
    whole = served.http.get(address)
    same = {"Range": "bytes=4-6", "If-Unmodified-Since": whole.headers["last-modified"]}
    assert (served.http.get(address, headers=same).status_code, served.http.get(address, headers=same).text) == (
        206,
        "456",
    )
    old = {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert served.http.get(address, headers=old).status_code == 412


async def test_a_file_that_is_replaced_while_it_is_served_arrives_as_it_was(tmp_path: Path) -> None:
    """A progress file is replaced many times a run, and read as often."""
    file, sent = tmp_path / "x", bytearray()
    file.write_bytes(b"9")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            (tmp_path / "y").write_bytes(b"10")
            (tmp_path / "y").replace(file)
        sent.extend(message.get("body", b""))

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}
    response = OpenFileResponse(file)
    await response(scope, receive, send)
    assert (bytes(sent), response.headers["content-length"]) == (b"9", "1")


def test_an_upload_leaves_nothing_behind_but_the_file(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"1"))
    assert [path.name for path in Storage(served.data_dir).resolve(folder).iterdir()] == ["x"]
    assert list((Storage(served.data_dir).root / "uploads").iterdir()) == []


def test_parts_that_a_killed_server_left_are_gone_after_the_next_start(tmp_path: Path) -> None:
    left = Storage(tmp_path).root / "uploads" / "part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    with workspace(tmp_path):
        assert not left.exists()


def test_dbfs_writes_in_blocks_and_reads_back(served: Served) -> None:
    content = b"block" * 500_000
    with served.sdk.dbfs.open("/lw/big.bin", write=True, overwrite=True) as file:
        file.write(content)
    with served.sdk.dbfs.open("/lw/big.bin", read=True) as file:
        assert file.read() == content


def test_dbfs_put_takes_base64_and_forms(served: Served) -> None:
    served.sdk.dbfs.put("dbfs:/lw/a.txt", contents="aGVsbG8=", overwrite=True)
    form = served.http.post(
        "/api/2.0/dbfs/put", data={"path": "/lw/b.txt", "overwrite": "true"}, files={"file": b"form"}
    )
    assert form.json() == {}
    sizes = {entry.path: entry.file_size for entry in served.sdk.dbfs.list("/lw")}
    assert (sizes["/lw/a.txt"], sizes["/lw/b.txt"]) == (5, 4)


def test_dbfs_refuses_to_overwrite_unasked_and_to_move_onto_something(served: Served) -> None:
    served.sdk.dbfs.put("/lw2/a", contents="YQ==")
    served.sdk.dbfs.put("/lw2/b", contents="Yg==")
    for refused in (
        lambda: served.sdk.dbfs.put("/lw2/a", contents="YQ=="),
        lambda: served.sdk.dbfs.move("/lw2/a", "/lw2/b"),
    ):
        with pytest.raises(DatabricksError) as fault:
            refused()
        assert fault.value.error_code == "RESOURCE_ALREADY_EXISTS"
    served.sdk.dbfs.move("/lw2/a", "/lw2/c/a")
    assert served.sdk.dbfs.get_status("/lw2/c/a").file_size == 1


def test_dbfs_deletes_a_full_directory_only_recursively(served: Served) -> None:
    served.sdk.dbfs.mkdirs("/lw3/sub")
    with pytest.raises(BadRequest):
        # the SDK's own delete walks the tree by itself
        served.sdk.api_client.do("POST", "/api/2.0/dbfs/delete", body={"path": "/lw3"})
    served.sdk.api_client.do("POST", "/api/2.0/dbfs/delete", body={"path": "/lw3", "recursive": True})
    with pytest.raises(NotFound):
        served.sdk.dbfs.get_status("/lw3")


def test_a_volume_is_the_same_place_through_dbfs_and_the_files_api(served: Served, folder: str) -> None:
    served.sdk.files.upload(f"{folder}/x", io.BytesIO(b"same"))
    reply = served.http.get("/api/2.0/dbfs/read", params={"path": f"dbfs:{folder}/x"}).json()
    assert reply == {"bytes_read": 4, "data": "c2FtZQ=="}


@pytest.mark.parametrize("path", ["/../x", "/a/%2e%2e/%2e%2e/x", "relative", "file:/etc/passwd"])
def test_dbfs_refuses_paths_that_lead_out(served: Served, path: str) -> None:
    assert served.http.get("/api/2.0/dbfs/get-status", params={"path": path}).status_code == 400
    assert served.http.get("/api/2.0/dbfs/read", params={"path": path}).status_code == 400
