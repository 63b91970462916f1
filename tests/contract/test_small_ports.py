"""What identity and data sets promise."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import NotAuthenticated, NotFound
from stepward.identity.api_keys import ApiKeys


def test_an_issued_key_is_recognised(ports: Any) -> None:
    keys = ApiKeys(ports.identity, ports.clock)
    key = keys.issue("acme", "ci")
    for headers in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}):
        found = keys.recognise(headers)
        assert (found.tenant, found.principal) == ("acme", "ci")


def test_anything_else_is_not(ports: Any) -> None:
    keys = ApiKeys(ports.identity, ports.clock)
    key = keys.issue("acme", "ci")
    wrong = [key[:-1] + ("0" if key[-1] != "0" else "1"), "sw_" + "0" * 16 + "_" + "0" * 64, "nonsense", ""]
    for text in wrong:
        with pytest.raises(NotAuthenticated):
            keys.recognise({"x-api-key": text})
    with pytest.raises(NotAuthenticated):
        keys.recognise({})


def test_an_expired_key_is_refused(ports: Any) -> None:
    keys = ApiKeys(ports.identity, ports.clock)
    key = keys.issue("acme", "ci")
    record = ports.identity.api_key(key.split("_")[1])
    assert record.secret_sha256 not in key
    expired = record.model_copy(update={"key_id": "f" * 16, "expires_at": 1})
    ports.identity.keep(expired)
    with pytest.raises(NotAuthenticated, match="expired"):
        keys.recognise({"x-api-key": f"sw_{'f' * 16}_{key.split('_')[2]}"})


def test_a_data_set_is_read_again_only_when_it_changed(ports: Any) -> None:
    ports.datasets.put("acme", "datasets/a.csv", b"one")
    first = ports.datasets.read("acme", "datasets/a.csv")
    assert first.body == b"one"
    assert ports.datasets.read("acme", "datasets/a.csv", first.version) is None
    assert ports.datasets.is_there("acme", "datasets/a.csv")
    assert not ports.datasets.is_there("acme", "datasets/b.csv")
    assert not ports.datasets.is_there("other", "datasets/a.csv")
    ports.datasets.put("acme", "datasets/a.csv", b"two")
    assert ports.datasets.read("acme", "datasets/a.csv", first.version).body == b"two"


def test_a_missing_data_set_is_said_to_be_missing(ports: Any) -> None:
    ports.datasets.put("other", "datasets/a.csv", b"one")
    with pytest.raises(NotFound):
        ports.datasets.read("acme", "datasets/a.csv")


def test_data_files_are_listed_by_key_and_paged(ports: Any) -> None:
    for key in ("inbox/b.json", "datasets/b.csv", "datasets/a.csv", "datasets/sub/c.csv"):
        assert ports.datasets.write("acme", key, b"one two", "text/csv")
    ports.datasets.write("other", "datasets/z.csv", b"", "text/csv")
    keys = [one.key for one in ports.datasets.list_files("acme", "", 10)]
    assert keys == ["datasets/a.csv", "datasets/b.csv", "datasets/sub/c.csv", "inbox/b.json"]
    assert [one.key for one in ports.datasets.list_files("acme", "datasets/", 2)] == keys[:2]
    assert [one.key for one in ports.datasets.list_files("acme", "datasets/", 2, keys[1])] == keys[2:3]
    assert ports.datasets.list_files("nobody", "", 10) == []
    first = ports.datasets.list_files("acme", "datasets/a", 1)[0]
    assert first.size_bytes == 7
    assert ports.datasets.write("acme", "datasets/a.csv", b"else", "text/csv") != first.version
    assert ports.datasets.read("acme", "datasets/a.csv").body == b"else"


def test_keys_are_listed_and_revoked(ports: Any) -> None:
    keys = ApiKeys(ports.identity, ports.clock)
    mine, others = keys.issue("acme", "ci"), keys.issue("other", "spy")
    keys.revoke(mine.split("_")[1])
    with pytest.raises(NotAuthenticated, match="revoked"):
        keys.recognise({"x-api-key": mine})
    assert keys.recognise({"x-api-key": others}).tenant == "other"
    assert [(one["principal"], one["status"]) for one in keys.keys("acme")] == [("ci", "revoked")]
    assert len(keys.keys(None)) == 2
    first = ports.identity.api_key(mine.split("_")[1]).revoked_at
    assert ports.identity.revoke(mine.split("_")[1], "2030-01-01T00:00:00.000Z")
    assert ports.identity.api_key(mine.split("_")[1]).revoked_at == first
    assert not ports.identity.revoke("0123456789abcdef", first)
