"""What leaves, what comes back, and what is refused before anything leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import InvalidRequest
from stepward.domain.tools import Effect, ToolUse
from stepward.tools import http_request
from stepward.tools.base import Tool, ToolContext
from stepward.tools.catalog import CATALOG, bind, find_tool
from stepward.tools.egress import Incoming, Outgoing
from stepward.tools.execution import execute
from stepward.tools.http_request import HttpRequest, RequestSettings

SHOP = "https://shop.example"
ORDER = {
    "method": "POST",
    "url": SHOP + "/customers/{customer}/orders",
    "query": {"note": "{note}", "lang": "en"},
    "headers": {"X-Trace": "trace {customer}"},
    "body": {"items": "{items}", "memo": "For {customer}", "gift": "{gift}"},
    "arguments": {
        "type": "object",
        "properties": {
            "customer": {"type": "string", "maxLength": 40},
            "items": {"type": "array", "items": {"type": "integer"}},
            "note": {"type": "string"},
            "gift": {"type": "boolean"},
        },
        "required": ["customer", "items"],
    },
}


class Web:
    """Answers from a list, and remembers what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Outgoing] = []
        self.answers: list[Incoming] = []
        monkeypatch.setattr(http_request, "send", self._send)

    def _send(self, request: Outgoing) -> Incoming:
        self.asked.append(request)
        return self.answers.pop(0) if self.answers else Incoming(200, "application/json", b'{"ok": true}')


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(monkeypatch)


PAUSES: list[float] = []


def call(config: dict[str, Any], allow: tuple[str, ...] = (SHOP,), **arguments: Any) -> ToolResult:
    PAUSES.clear()
    context = ToolContext("acme", "run_1:call_1_1", MemoryDatasets(), allow, pause=PAUSES.append)
    asked = ToolCall(id="call_1_1", tool="http_request", arguments=arguments)
    return execute(asked, ToolUse(tool="http_request", config=config), context)


def test_places_are_filled_and_nothing_else_moves(web: Web) -> None:
    result = call(ORDER, customer="a/b c", items=[1, 2])
    sent = web.asked[0]
    assert result.content == {"status": 200, "body": {"ok": True}}
    assert sent.url == SHOP + "/customers/a%2Fb%20c/orders?lang=en"
    assert json.loads(sent.body or b"") == {"items": [1, 2], "memo": "For a/b c"}
    assert sent.headers["Idempotency-Key"] == "run_1:call_1_1"


def test_a_header_takes_no_line_of_its_own(web: Web) -> None:
    result = call(ORDER, customer="a\r\nX-Admin: yes", items=[])
    assert result.error == "ToolFailed"
    assert web.asked == []


def test_wrong_arguments_are_told_together_with_the_schema(web: Web) -> None:
    result = call(ORDER, customer=3, items=["x"], colour="red")
    detail = result.content["detail"]
    assert result.error == "ToolArgumentInvalid"
    assert "customer: it should be string" in detail
    assert "items[0]: it should be integer" in detail
    assert "colour: there is no such argument" in detail
    assert '"required"' in detail
    assert web.asked == []


def test_a_get_is_tried_again_and_a_post_is_not(web: Web) -> None:
    web.answers = [Incoming(503, "text/plain", b"busy")] * 3
    assert call({"url": SHOP + "/{order}"}, order="1").error is None
    assert len(web.asked) == 4
    web.answers = [Incoming(503, "text/plain", b"busy")]
    assert call(ORDER, customer="c", items=[]).error == "outcome_unknown"
    assert len(web.asked) == 5


def test_a_post_that_was_turned_away_did_not_happen(web: Web) -> None:
    web.answers = [Incoming(429, "text/plain", b"later")]
    assert call(ORDER, customer="c", items=[]).error == "ToolUnavailable"


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_time_is_given_it(web: Web, status: int) -> None:
    web.answers = [Incoming(status, "text/plain", b"later", asked_s) for asked_s in (4, 100, None)]
    assert call({"url": SHOP}).error is None
    assert PAUSES[:2] == [4, 100]
    assert 1 <= PAUSES[2] <= 2


def test_a_server_that_asks_for_nothing_is_tried_again_by_the_rule(web: Web) -> None:
    web.answers = [Incoming(503, "text/plain", b"later", 0)]
    assert call({"url": SHOP}).error is None
    assert 0.25 <= PAUSES[0] <= 0.5


@pytest.mark.parametrize("asked_s", [121, 3_600])
def test_more_time_than_there_is_is_told_at_once(web: Web, asked_s: float) -> None:
    web.answers = [Incoming(429, "text/plain", b"later", asked_s)]
    result = call({"url": SHOP})
    assert (result.error, result.content["retry_after_s"], PAUSES) == ("ToolUnavailable", asked_s, [])
    assert f"called again in {asked_s:g} s" in result.content["detail"]


def test_time_is_given_only_while_a_function_has_it(web: Web) -> None:
    web.answers = [Incoming(429, "text/plain", b"later", 100)] * 4
    result = call({"url": SHOP})
    assert (result.error, PAUSES) == ("ToolUnavailable", [100, 100])


def test_what_must_happen_once_is_told_when_it_may_be_called_again(web: Web) -> None:
    web.answers = [Incoming(429, "text/plain", b"later", 7)]
    assert call(ORDER, customer="c", items=[]).content["retry_after_s"] == 7
    assert PAUSES == []


def test_an_answer_that_is_not_expected_is_shown(web: Web) -> None:
    web.answers = [Incoming(404, "text/plain", b"no such order")]
    result = call({"url": SHOP + "/{order}"}, order="1")
    assert result.error == "ToolFailed"
    assert "answered 404: no such order" in result.content["detail"]
    web.answers = [Incoming(404, "text/plain", b"no such order")]
    assert call({"url": SHOP + "/{order}", "expect": [200, 404]}, order="1").content["status"] == 404


def test_a_stage_that_no_longer_allows_the_host_is_obeyed(web: Web) -> None:
    assert "not on the allow-list" in call({"url": SHOP + "/{order}"}, (), order="1").content["detail"]
    assert web.asked == []


def test_the_effect_follows_the_method_unless_the_agent_knows_better() -> None:
    def effect(**config: Any) -> Effect:
        return bind(ToolUse(tool="http_request", config={"url": SHOP, **config})).effect

    assert effect() is Effect.NONE
    assert effect(method="DELETE") is Effect.ONCE
    assert effect(method="PUT", effect="idempotent") is Effect.IDEMPOTENT


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"url": "https://{host}/x"}, "places stand in the path"),
        ({"url": "https://me:secret@shop.example/"}, "places stand in the path"),
        ({"url": "ftp://shop.example/"}, "url"),
        ({"headers": {"Host": "other"}}, "Host is set by the platform"),
        ({"headers": {"X": "a\nb"}}, "headers.X"),
        ({"method": "GET"}, "a GET has none"),
        ({"arguments": {"type": "object", "properties": {}}}, "'customer' is not described"),
        ({"body": None}, "'gift' is nowhere in the request"),
        ({"url": SHOP + "/{customer}/{note}"}, "'note' is in the path"),
        ({"arguments": {"type": "object", "oneOf": []}}, "'oneOf' cannot be checked"),
    ],
)
def test_settings_that_could_not_work_are_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        RequestSettings.model_validate(ORDER | changed)


def test_a_host_that_the_stage_does_not_allow_is_refused_at_registration() -> None:
    with pytest.raises(InvalidRequest, match="not on this stage's allow-list") as refused:
        HttpRequest().check_settings(RequestSettings.model_validate(ORDER), ["https://other.example"])
    assert refused.value.field == "config.url"


@pytest.mark.parametrize(
    ("effect", "has_key"), [(None, False), ("none", False), ("once", True), ("idempotent", True)]
)
def test_a_get_that_has_an_effect_carries_the_key_of_its_call(
    web: Web, effect: str | None, has_key: bool
) -> None:
    call({"url": SHOP + "/restart", **({"effect": effect} if effect else {})})
    assert ("Idempotency-Key" in web.asked[0].headers) is has_key


def test_it_alone_is_tried_again_where_an_agent_says_nothing() -> None:
    assert [name for name in CATALOG if type(find_tool(name)).retry_with is not Tool.retry_with] == [
        "http_request"
    ]
    read = {"method": "GET", "url": SHOP + "/orders"}
    assert bind(ToolUse(tool="http_request", config=read)).retry.attempts == 4
    assert bind(ToolUse(tool="http_get", config={"allow": [SHOP]})).retry.attempts == 1
