"""Every provider's client, by its real SDK over loopback: the same conversation, the same faults, the same words."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.conversation import Exchange, OpaquePart
from stepward.domain.errors import (
    ContextTooLong,
    KeyMissing,
    KeyRefused,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.models import streams
from stepward.ports.models import Delta
from stepward.testing.fake_llm import FakeProvider
from tests.support.model_clients import PLANTED_KEY, VENDORS, Vendor, answered

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.kind),
]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def test_an_answer_comes_with_its_usage_and_the_vendors_name_for_the_call(
    vendor: Vendor, provider: FakeProvider
) -> None:
    provider.script({"text": "It is on its way.", "usage": {"input_tokens": 41, "output_tokens": 7}})
    reply = vendor.ask(provider, vendor.request())
    assert (reply.text, reply.stop, reply.calls) == ("It is on its way.", "end", ())
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (41, 7)
    assert reply.request_id


def test_parallel_calls_are_named_by_us_and_their_results_are_taken(
    vendor: Vendor, provider: FakeProvider
) -> None:
    provider.script(
        {
            "text": "I look.",
            "calls": [
                {"tool": "find_order", "arguments": {"order_id": "SO-1", "count": 12345678901234567890}},
                {"tool": "find_order", "arguments": {"order_id": 'Ü\n"2"'}},
            ],
        },
        "Both are there.",
    )
    first = vendor.ask(provider, vendor.request())
    assert first.stop == "tools"
    assert [(call.id, call.arguments) for call in first.calls] == [
        ("call_1_1", {"order_id": "SO-1", "count": 12345678901234567890}),
        ("call_1_2", {"order_id": 'Ü\n"2"'}),
    ]
    history = (answered(first, {"status": "sent"}, "gone"),)
    assert vendor.ask(provider, vendor.request(history=history)).text == "Both are there."


def test_the_beginning_of_a_prompt_stays_equal_to_the_byte(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script({"calls": [{"tool": "find_order", "arguments": {"order_id": "1"}}]}, "Done.", "Done.")
    first = vendor.ask(provider, vendor.request())
    history = (answered(first, {"b": 1, "a": 2}),)
    for _ in range(2):
        vendor.ask(provider, vendor.request(history=history))
    bodies = [json.dumps(request.body) for request in provider.requests if request.body]
    assert bodies[1] == bodies[2]


def test_a_tool_without_arguments_may_be_sent_none(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script({"calls": [{"tool": "find_order", "arguments_text": ""}]})
    assert vendor.ask(provider, vendor.request()).calls[0].arguments == {}


@pytest.mark.parametrize("fault", ["unreadable_arguments", "duplicate_ids"])
def test_what_a_model_gets_wrong_about_calls_is_kept_and_can_be_answered(
    vendor: Vendor, provider: FakeProvider, fault: str
) -> None:
    call = {"tool": "find_order", "arguments": {"order_id": "1"}}
    provider.script({"calls": [call, call], "fault": fault}, "Sorry.")
    reply = vendor.ask(provider, vendor.request())
    assert [one.id for one in reply.calls] == ["call_1_1", "call_1_2"]
    if fault == "unreadable_arguments":
        assert (reply.calls[0].arguments, bool(reply.calls[0].arguments_text)) == (None, True)
    failed = answered(reply, {"error": "x"}, {"error": "x"}, error="ToolArgumentInvalid")
    assert vendor.ask(provider, vendor.request(history=(failed,))).text == "Sorry."


@pytest.mark.parametrize(
    ("fault", "stop"),
    [
        ("length", "length"),
        ("context", "context"),
        ("refusal", "refused"),
        ("pause", "pause"),
        ("content_filter", "filtered"),
    ],
)
def test_every_ending_has_its_name_and_no_cut_call_is_read(
    vendor: Vendor, provider: FakeProvider, fault: str, stop: str
) -> None:
    if fault not in vendor.endings:
        pytest.skip(f"{vendor.kind} has no ending {fault}")
    provider.script(
        {
            "text": "Well,",
            "calls": [{"tool": "find_order", "arguments": {"order_id": "SO-1"}}],
            "fault": fault,
        }
    )
    reply = vendor.ask(provider, vendor.request())
    assert reply.stop == stop
    assert stop == "pause" or reply.calls == ()
    assert reply.usage.input_tokens > 0


def test_an_empty_answer_is_no_fault_and_can_be_gone_on_from(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script({"fault": "empty"}, "Here.")
    empty = vendor.ask(provider, vendor.request())
    assert empty.is_empty
    history = (Exchange(reply=empty, note="Answer now."),)
    assert vendor.ask(provider, vendor.request(history=history)).text == "Here."


REFUSALS: list[tuple[str, type[ProviderFault]]] = [
    ("400", ProviderRefused),
    ("401", KeyRefused),
    ("403", KeyRefused),
    ("408", ProviderUnavailable),
    ("409", ProviderUnavailable),
    ("413", ContextTooLong),
    ("429", ProviderThrottled),
    ("quota", ProviderRefused),
    ("500", ProviderUnavailable),
    ("503", ProviderUnavailable),
    ("504", ProviderUnavailable),
    ("529", ProviderThrottled),
    ("html", ProviderUnavailable),
    ("html_ok", ProviderUnavailable),
    ("hang", ProviderUnavailable),
]


@pytest.mark.parametrize(("fault", "kind"), REFUSALS, ids=[name for name, _ in REFUSALS])
def test_every_refusal_says_who_must_act_and_nothing_of_the_key(
    vendor: Vendor, provider: FakeProvider, fault: str, kind: type[ProviderFault]
) -> None:
    kind = vendor.says.get(fault, kind)
    if fault == "hang":
        provider.script({"text": "Late.", "fault": {"name": fault, "seconds": 0.2}})
    else:
        provider.fault(fault)
    with pytest.raises(kind) as caught:
        vendor.ask(provider, vendor.request())
    assert type(caught.value) is kind
    said = f"{caught.value.detail} {caught.value.fix}"
    assert PLANTED_KEY[-8:] not in "".join(traceback.format_exception(caught.value))
    assert "<" not in said
    assert caught.value.retryable is kind.retryable


@pytest.mark.parametrize(("more", "seconds"), [({"retry_after_s": 7}, 7.0), ({"retry_after_ms": 1500}, 1.5)])
def test_a_provider_says_when_to_come_back(
    vendor: Vendor, provider: FakeProvider, more: dict[str, Any], seconds: float
) -> None:
    provider.fault("429", **more)
    with pytest.raises(ProviderThrottled) as caught:
        vendor.ask(provider, vendor.request())
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(("fault", "marked", "retryable"), [("400", True, True), ("500", False, False)])
def test_the_vendors_own_word_about_retrying_counts(
    vendor: Vendor, provider: FakeProvider, fault: str, marked: bool, retryable: bool
) -> None:
    if vendor.kind == "bedrock":
        pytest.skip("AWS marks nothing")
    provider.fault(fault, should_retry=marked)
    with pytest.raises(ProviderFault) as caught:
        vendor.ask(provider, vendor.request())
    assert caught.value.retryable is retryable


@pytest.mark.parametrize("fault", ["cut", "stream_error", "malformed_json"])
def test_a_stream_that_breaks_off_brings_what_is_to_be_paid(
    vendor: Vendor, provider: FakeProvider, fault: str
) -> None:
    provider.script({"text": "word " * 200, "fault": fault})
    with pytest.raises(StreamCut) as caught:
        vendor.ask(provider, vendor.request())
    partial: Any = caught.value.partial
    assert partial.stop == "cut"
    assert partial.usage.output_tokens > 0
    assert partial.usage.input_tokens > 0


def test_a_stream_that_stalls_is_cut(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script({"text": "word " * 40, "fault": {"name": "stall", "seconds": 20}})
    with pytest.raises(ProviderUnavailable, match="nothing came"):
        vendor.ask(provider, vendor.request(), access={"silence_s": 0.2})


def test_a_reply_that_nobody_waits_for_is_left_and_the_provider_notices(
    vendor: Vendor, provider: FakeProvider
) -> None:
    provider.script({"text": "word " * 400, "fault": {"name": "slow", "seconds": 0.05}})
    reply = vendor.ask(provider, vendor.request(), is_over=lambda: True)
    assert reply.stop == "cut"
    assert (reply.usage.input_tokens > 0, reply.usage.is_estimated) == (True, True)
    assert provider.wait_until(lambda requests: requests[-1].disconnected, 60)


def test_a_call_that_is_given_up_before_its_provider_says_anything_is_paid_for_its_prompt(
    vendor: Vendor, provider: FakeProvider
) -> None:
    provider.script({"text": "Never.", "fault": {"name": "hang", "seconds": 60}})
    usage = vendor.ask(provider, vendor.request(input="word " * 720), is_over=lambda: True).usage
    assert 1_000 < usage.input_tokens < 1_500
    assert (usage.output_tokens, usage.is_estimated) == (0, True)


def test_pieces_are_shown_as_they_come(vendor: Vendor, provider: FakeProvider) -> None:
    provider.script({"text": "one two", "calls": [{"tool": "find_order", "arguments": {"order_id": "1"}}]})
    seen: list[Delta] = []
    vendor.ask(provider, vendor.request(), on_delta=seen.append)
    assert "".join(delta.text for delta in seen if delta.kind == "text") == "one two"
    assert "order_id" in "".join(delta.text for delta in seen if delta.kind == "arguments")


def test_thinking_comes_back_whole_and_in_order(vendor: Vendor, provider: FakeProvider) -> None:
    if not vendor.thinks:
        pytest.skip(f"{vendor.kind} gives nothing back of what a model thinks")
    call = {"tool": "find_order", "arguments": {"order_id": "1"}}
    provider.script({"thinking": "Hm.", "text": "I look.", "calls": [call]}, "Found.")
    request = vendor.request(options={"thinking": True})
    first = vendor.ask(provider, request)
    assert isinstance(first.parts[0], OpaquePart)
    again = first.model_validate_json(first.model_dump_json())
    history = (answered(again, {"found": True}),)
    assert vendor.ask(provider, vendor.request(options={"thinking": True}, history=history)).text == "Found."


def test_without_a_key_nobody_is_asked(vendor: Vendor, provider: FakeProvider) -> None:
    if vendor.kind == "bedrock":
        pytest.skip("the function's own role is the key")
    with pytest.raises(KeyMissing) as caught:
        vendor.ask(provider, vendor.request(), access={"key": None})
    assert "provider_keys set" in str(caught.value.fix)
    assert provider.requests == []


def test_a_prompt_that_is_cached_is_counted_apart(vendor: Vendor, provider: FakeProvider) -> None:
    if not vendor.capabilities.cache_ttls:
        pytest.skip(f"{vendor.kind} caches nothing by request")
    provider.script("One.", "Two.")
    request = vendor.request(prompt="Help. " * 4_000)
    first, second = (vendor.ask(provider, request).usage for _ in range(2))
    assert first.cache_write_tokens > 1_000
    assert second.cache_read_tokens == first.cache_write_tokens
    assert first.prompt_tokens == second.prompt_tokens


def test_an_answers_schema_is_closed_as_vendors_want_it(vendor: Vendor, provider: FakeProvider) -> None:
    if not vendor.capabilities.structured_output:
        pytest.skip(f"{vendor.kind} is not asked for structured output here")
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    provider.script({"text": '{"city": "Ulm"}'})
    assert vendor.ask(provider, vendor.request(output_schema=schema)).text == '{"city": "Ulm"}'
    sent = json.dumps(provider.requests[-1].body).replace("\\", "")
    assert '"additionalProperties": false' in sent.partition('"city"')[2]
