from __future__ import annotations

import pytest

from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.agents.data_files import DataFiles
from stepward.domain.data_paths import MOST_WRITTEN_BYTES
from stepward.domain.errors import InvalidRequest, NotFound

CLIMBING = (
    "../other/a.csv",
    "datasets/../../a",
    "datasets//a",
    "/a",
    "a/",
    "",
    ".",
    "a/ ../b",
    "a\nb",
    "é" * 251,
)


@pytest.fixture
def files() -> DataFiles:
    return DataFiles(MemoryDatasets())


def test_a_file_that_was_written_is_listed_and_read(files: DataFiles) -> None:
    kept = files.write("acme", "datasets/orders.csv", b"a,b\r\n1,2\r\n", "text/csv")
    assert (kept["key"], kept["size_bytes"]) == ("datasets/orders.csv", 10)
    assert files.read("acme", "datasets/orders.csv").body == b"a,b\r\n1,2\r\n"
    listed = files.list("acme", {"prefix": "datasets/"})
    assert [file["key"] for file in listed["files"]] == ["datasets/orders.csv"]
    assert files.list("other", {}) == {"files": [], "next_cursor": None}
    with pytest.raises(NotFound):
        files.read("other", "datasets/orders.csv")


def test_a_list_goes_on_after_its_cursor(files: DataFiles) -> None:
    for number in range(5):
        files.write("acme", f"inbox/{number}.json", b"{}", None)
    keys, cursor = [], {}
    for _ in range(3):
        page = files.list("acme", {"limit": "2", **cursor})
        keys += [file["key"] for file in page["files"]]
        cursor = {"cursor": page["next_cursor"]}
    assert (keys, cursor) == ([f"inbox/{number}.json" for number in range(5)], {"cursor": None})


@pytest.mark.parametrize("key", CLIMBING)
def test_a_key_cannot_leave_the_tenants_files(files: DataFiles, key: str) -> None:
    for call in (lambda: files.read("acme", key), lambda: files.write("acme", key, b"", None)):
        with pytest.raises(InvalidRequest) as caught:
            call()
        assert caught.value.field == "key"
    if key not in ("", "a/"):
        with pytest.raises(InvalidRequest):
            files.list("acme", {"prefix": key})
    with pytest.raises(InvalidRequest):
        files.list("acme", {"cursor": key})


def test_a_file_larger_than_a_request_is_refused_with_its_size(files: DataFiles) -> None:
    with pytest.raises(InvalidRequest, match=r"4,000,001 bytes") as caught:
        files.write("acme", "a.bin", b"x" * (MOST_WRITTEN_BYTES + 1), None)
    assert caught.value.field == "body"
    assert files.write("acme", "a.bin", b"x" * MOST_WRITTEN_BYTES, None)["size_bytes"] == MOST_WRITTEN_BYTES
