"""Replies that are given again, in both worlds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.tables import TABLES
from stepward.adapters.aws import clients
from stepward.adapters.aws.response_cache import DynamoResponseCache
from stepward.adapters.memory.small_ports import MemoryResponseCache
from stepward.domain.conversation import ModelReply, OpaquePart, TextPart, ToolCall
from stepward.domain.errors import Bug, StoreThrottled
from stepward.domain.money import Usage
from stepward.ports.models import KeptReply, ResponseCache, ResponseKey
from tests.contract.conftest import _create
from tests.support.builders import AT

DIGEST = "0" * 64
KEY = ResponseKey("acme", "helper", "1.0.0", DIGEST)
REPLY = ModelReply(
    text="Zwölf 🎉",
    calls=(ToolCall(id="call_1_1", tool="calculate", arguments={"expression": "6 * 7", "n": 10**30}),),
    usage=Usage(input_tokens=7, cache_write_1h_tokens=3, output_tokens=5, reasoning_tokens=2),
    stop="tools",
    parts=(OpaquePart(vendor="anthropic", data={"signature": "s=="}), TextPart(chars=7)),
    request_id="msg_1",
)
KEPT = KeptReply(reply=REPLY, kept_at=AT, ttl_s=60)


@pytest.fixture(params=["memory", "aws"])
def cache(request: pytest.FixtureRequest) -> Iterator[ResponseCache]:
    if request.param == "memory":
        yield MemoryResponseCache()
        return
    with mock_aws():
        clients.client.cache_clear()
        _create(TABLES["limits"])
        yield DynamoResponseCache("limits")
    clients.client.cache_clear()


def test_a_reply_comes_back_as_it_was(cache: ResponseCache) -> None:
    assert cache.find(KEY) is None
    cache.keep(KEY, KEPT)
    assert cache.find(KEY) == KEPT


def test_the_later_of_two_stays(cache: ResponseCache) -> None:
    later = KEPT.model_copy(update={"ttl_s": 90, "reply": ModelReply(text="Another.")})
    cache.keep(KEY, KEPT)
    cache.keep(KEY, later)
    assert cache.find(KEY) == later


@pytest.mark.parametrize(
    "other",
    [
        ResponseKey("other", "helper", "1.0.0", DIGEST),
        ResponseKey("acme", "other", "1.0.0", DIGEST),
        ResponseKey("acme", "helper", "1.0.1", DIGEST),
        ResponseKey("acme", "helper", "1.0.0", "1" * 64),
    ],
)
def test_another_name_is_another_reply(cache: ResponseCache, other: ResponseKey) -> None:
    cache.keep(KEY, KEPT)
    assert cache.find(other) is None


def test_a_reply_that_has_expired_is_still_told_of_because_stores_remove_late(cache: ResponseCache) -> None:
    cache.keep(KEY, KEPT)
    found = cache.find(KEY)
    assert found is not None
    assert found.expires_at.isoformat() == "2026-01-01T00:01:00+00:00"


@pytest.fixture
def table() -> Iterator[DynamoResponseCache]:
    with mock_aws():
        clients.client.cache_clear()
        _create(TABLES["limits"])
        yield DynamoResponseCache("limits")
    clients.client.cache_clear()


def test_dynamodb_is_told_when_to_remove_it_and_the_tenant_leads_its_key(table: DynamoResponseCache) -> None:
    table.keep(KEY, KEPT)
    (item,) = clients.client("dynamodb").scan(TableName="limits")["Items"]
    assert item["pk"]["S"] == f"T#acme#RESPONSE#helper@1.0.0#{DIGEST}"
    assert item["expires_at"]["N"] == "1767225660"


def test_a_look_is_one_read_and_keeping_is_one_write(table: DynamoResponseCache) -> None:
    seen: list[str] = []
    events = clients.client("dynamodb").meta.events
    events.register("before-call.dynamodb", lambda model, **_: seen.append(model.name))
    table.find(KEY)
    table.keep(KEY, KEPT)
    assert seen == ["GetItem", "PutItem"]


def test_what_another_release_wrote_is_no_reply(
    table: DynamoResponseCache, caplog: pytest.LogCaptureFixture
) -> None:
    key = {"pk": {"S": f"T#acme#RESPONSE#helper@1.0.0#{DIGEST}"}, "sk": {"S": "REPLY"}}
    said = {"reply": {"text": "sk-secret"}, "kept_at": AT, "ttl_s": 60}
    odd = [
        {"reply": {"text": "sk-secret", "news": 1}},
        {"kept_at": "sk-secret"},
        {"kept_at": "2026-01-01T00:00:00"},
        {"ttl_s": 10**18},
        {"kept_at": "9999-12-31T23:59:59.000Z"},
        {"ttl_s": -1},
    ]
    bodies = [{"S": json.dumps({**said, **one})} for one in odd]
    for body in (*({"body": one} for one in bodies), {"body": {"N": "7"}}, {"body": {"BOOL": True}}, {}):
        clients.client("dynamodb").put_item(TableName="limits", Item={**key, **body})
        assert table.find(KEY) is None
    assert "cannot be read" in caplog.text
    assert "sk-secret" not in caplog.text


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ProvisionedThroughputExceededException", StoreThrottled), ("AccessDeniedException", Bug)],
)
def test_what_dynamodb_says_is_told_as_ours(
    table: DynamoResponseCache, monkeypatch: pytest.MonkeyPatch, code: str, kind: type[Exception]
) -> None:
    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetItem")

    dynamodb = clients.client("dynamodb")
    monkeypatch.setattr(dynamodb, "get_item", refused)
    monkeypatch.setattr(dynamodb, "put_item", refused)
    with pytest.raises(kind, match="looking into the response cache"):
        table.find(KEY)
    with pytest.raises(kind, match="keeping a reply in the response cache"):
        table.keep(KEY, KEPT)
