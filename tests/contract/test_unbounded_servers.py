"""Servers that send without end, or what cannot be: nothing fills the function's memory, and no count makes odd money."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from stepward.domain.errors import ProviderFault, ProviderRefused, ProviderUnavailable, StreamCut
from stepward.models import bounded_http, reply_builder, streams
from stepward.testing.fake_llm.answers import frame
from tests.contract.test_hostile_servers import BEGUN, ENDED, message, named
from tests.support.model_clients import VENDORS, Vendor
from tests.support.raw_server import raw_server

pytestmark = pytest.mark.enable_socket
ANTHROPIC, OPENAI, CHAT, BEDROCK = VENDORS
OF_SDKS = pytest.mark.parametrize("vendor", [ANTHROPIC, OPENAI, CHAT], ids=lambda vendor: vendor.kind)
MEGABYTE = b"x" * 1_000_000


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bounded_http, "MOST_LINE_BYTES", 1_000_000)
    yield
    streams.close()


def _fault(vendor: Vendor, **served: Any) -> ProviderFault:
    with raw_server(**served) as server, pytest.raises(ProviderFault) as caught:
        vendor.ask_at(server.url, vendor.request())
    return caught.value


@OF_SDKS
def test_a_line_without_end_is_left(vendor: Vendor) -> None:
    fault = _fault(vendor, raw=[b"data: ", *[MEGABYTE] * 8])
    assert isinstance(fault, ProviderUnavailable)
    assert "a line of the answer has more than 1,000,000 bytes" in fault.detail


@OF_SDKS
def test_lines_that_are_no_events_are_not_read_for_ever(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "MOST_ANSWER_BYTES", 1_000_000)
    fault = _fault(vendor, raw=[b": ping" * 20_000 + b"\n\n"] * 40)
    assert isinstance(fault, ProviderUnavailable)
    assert "the answer has more than 1,000,000 bytes" in fault.detail


@OF_SDKS
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_gzip_bomb_is_not_unpacked(vendor: Vendor, status: int) -> None:
    bomb = gzip.compress(MEGABYTE * 20)
    fault = _fault(vendor, raw=[bomb], headers={"content-encoding": "gzip"}, status=status)
    assert isinstance(fault, ProviderRefused if status == 400 else ProviderUnavailable)
    assert len(str(fault)) < 600


def test_an_answer_that_is_gzipped_though_nobody_asked_for_it_is_read() -> None:
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in (BEGUN, ENDED))
    packed = gzip.compress(body)
    with raw_server(raw=[packed[:20], packed[20:]], headers={"content-encoding": "gzip"}) as server:
        assert CHAT.ask_at(server.url, CHAT.request()).text == "Hi."


def _sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


GZIP = {"content-encoding": "gzip"}


@pytest.mark.parametrize("cut", [1, 20, 10_000])
def test_an_answer_in_several_gzip_members_is_read_whole(cut: int) -> None:
    packed = gzip.compress(_sse(BEGUN)) + gzip.compress(b"") + gzip.compress(_sse(ENDED))
    pieces = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    with raw_server(raw=pieces, headers=GZIP) as server:
        assert CHAT.ask_at(server.url, CHAT.request()).text == "Hi."


@pytest.mark.parametrize("trailing", [b"\0" * 512, b"garbage", b"\x1f"], ids=str)
def test_what_stands_behind_a_gzipped_answer_changes_nothing_of_it(trailing: bytes) -> None:
    with raw_server(raw=[gzip.compress(_sse(BEGUN, ENDED)), trailing], headers=GZIP) as server:
        assert CHAT.ask_at(server.url, CHAT.request()).text == "Hi."
        assert CHAT.ask_at(server.url, CHAT.request()).text == "Hi."


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (gzip.compress(b": ping\n\n"), MEGABYTE),
        (b"\x1f\x8b\x08\x08" + bytes(6), MEGABYTE),
        (gzip.compress(b": ping\n\n"), gzip.compress(b"") * 50_000),
    ],
    ids=["behind its end", "in its name", "in empty members"],
)
def test_bytes_that_unpack_to_nothing_are_not_read_for_ever(
    status: int, beginning: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "MOST_ANSWER_BYTES", 2_000_000)
    with raw_server(raw=[beginning, *[more] * 60], headers=GZIP, status=status) as server:
        with pytest.raises(ProviderFault) as caught:
            CHAT.ask_at(server.url, CHAT.request())
        assert server.sent_bytes < 30_000_000
    assert isinstance(caught.value, ProviderRefused if status == 400 else ProviderUnavailable)


def test_an_event_is_not_held_back_where_a_piece_ends_in_the_middle_of_a_run() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b": " + b"x" * 65_700 + b"\n\n"
    sent = packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)
    bounded = bounded_http._Bounded(httpx2.Response(200, content=b""), is_compressed=True)
    assert b"".join(bounded._unpacked(sent)) == body


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "gzip"])
def test_an_answer_that_is_written_otherwise_than_it_says_is_a_clear_fault(coding: str) -> None:
    fault = _fault(CHAT, raw=[b"data: {}\n\n"], headers={"content-encoding": coding})
    assert isinstance(fault, ProviderUnavailable)
    assert "not written as it says" in fault.detail or "was not asked for" in fault.detail


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.kind)
@pytest.mark.parametrize(("status", "kind"), [(400, ProviderRefused), (503, ProviderUnavailable)])
def test_of_an_endless_refusal_the_beginning_is_read(
    vendor: Vendor, status: int, kind: type[ProviderFault]
) -> None:
    with raw_server(status=status, raw=[MEGABYTE] * 50) as server:
        with pytest.raises(kind) as caught:
            vendor.ask_at(server.url, vendor.request())
        assert server.sent_bytes < 20_000_000
    assert len(str(caught.value)) < 600


ODD_COUNTS = [-5, False, "seven", None, float("nan"), [1]]


@pytest.mark.parametrize("odd", ODD_COUNTS, ids=str)
def test_a_count_that_is_none_is_estimated_by_bytes(odd: Any) -> None:
    events = message({"type": "text", "text": ""}, {"type": "text_delta", "text": "word " * 36})
    events[0]["message"]["usage"] = {"input_tokens": odd, "output_tokens": odd}
    events[-2]["usage"] = {"output_tokens": odd}
    with raw_server(*named(events)) as server:
        usage = ANTHROPIC.ask_at(server.url, ANTHROPIC.request()).usage
    assert (usage.output_tokens, usage.is_estimated) == (50, True)
    assert 50 < usage.input_tokens < 500


def test_a_count_that_no_call_can_take_is_bounded_at_anthropic_too() -> None:
    events = message({"type": "text", "text": "Hi."})
    absurd = {"cache_read_input_tokens": 10**40, "cache_creation_input_tokens": -3, "input_tokens": 2.5}
    events[0]["message"]["usage"] = {**absurd, "output_tokens": 1}
    events[-2]["usage"] = {"output_tokens": 3, "output_tokens_details": {"thinking_tokens": 10**9}}
    with raw_server(*named(events)) as server:
        usage = ANTHROPIC.ask_at(server.url, ANTHROPIC.request()).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (3, 10**9, 0)
    assert (usage.output_tokens, usage.reasoning_tokens) == (3, 3)


def test_a_later_count_of_nothing_takes_back_nothing_that_was_counted() -> None:
    events = message({"type": "text", "text": "Hi."})
    events[0]["message"]["usage"] = {"input_tokens": 70, "cache_read_input_tokens": 900, "output_tokens": 1}
    nothing = {"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    events[-2]["usage"] = {**nothing, "output_tokens": 3}
    with raw_server(*named(events)) as server:
        usage = ANTHROPIC.ask_at(server.url, ANTHROPIC.request()).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (70, 900, 3)
    assert not usage.is_estimated


def test_a_cache_gives_no_more_than_the_prompt_has() -> None:
    counted = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 900}}
    with raw_server(BEGUN, {**ENDED, "usage": counted}) as server:
        usage = CHAT.ask_at(server.url, CHAT.request()).usage
    assert (usage.input_tokens, usage.cache_read_tokens) == (0, 5)


def _converse(*events: tuple[str, dict[str, Any]], is_ended: bool = True) -> Any:
    kind = {"content-type": "application/vnd.amazon.eventstream"}
    frames = [frame("event", name, body) for name, body in events]
    return raw_server(raw=frames, headers=kind, is_ended=is_ended)


TEXT = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi."}})
STOP = ("messageStop", {"stopReason": "end_turn"})


def _counted(**usage: Any) -> tuple[str, dict[str, Any]]:
    return "metadata", {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7, **usage}}


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_whole_reply_of_bedrock_is_kept_where_only_the_connections_end_goes_wrong(is_counted: bool) -> None:
    with _converse(TEXT, STOP, *([_counted()] if is_counted else []), is_ended=False) as server:
        reply = BEDROCK.ask_at(server.url, BEDROCK.request())
    assert (reply.text, reply.stop, reply.usage.is_estimated) == ("Hi.", "end", not is_counted)
    assert reply.usage.input_tokens > 0 < reply.usage.output_tokens


def test_a_reply_of_bedrock_that_is_not_whole_is_cut_and_its_prompt_is_paid() -> None:
    with _converse(TEXT, is_ended=False) as server, pytest.raises(StreamCut) as caught:
        BEDROCK.ask_at(server.url, BEDROCK.request())
    partial: Any = caught.value.partial
    assert partial.usage.is_estimated
    assert partial.usage.input_tokens > 10


def test_a_reply_of_bedrock_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_builder, "MOST_BYTES", 100)
    words = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "x" * 60}})
    with _converse(*[words] * 50, STOP, _counted()) as server:
        reply = BEDROCK.ask_at(server.url, BEDROCK.request())
    assert (len(reply.text), reply.stop) == (120, "length")


@pytest.mark.parametrize("odd", [-5, 10**40, 2.5, "7", True], ids=str)
def test_counts_of_bedrock_are_bounded(odd: Any) -> None:
    counted = _counted(inputTokens=odd, cacheReadInputTokens=odd, cacheWriteInputTokens=odd)
    with _converse(TEXT, STOP, counted) as server:
        usage = BEDROCK.ask_at(server.url, BEDROCK.request()).usage
    assert all(0 <= tokens <= 10**9 for tokens in usage.model_dump().values())
    assert usage.prompt_tokens > 0


@pytest.mark.parametrize(
    "odd",
    [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": 5}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {}}}),
        ("metadata", {"usage": {"cacheDetails": [{}]}}),
    ],
    ids=lambda odd: str(odd)[:60],
)
def test_an_event_of_another_shape_breaks_no_call_of_bedrock(odd: tuple[str, dict[str, Any]]) -> None:
    with _converse(TEXT, odd, STOP, _counted()) as server:
        try:
            reply = BEDROCK.ask_at(server.url, BEDROCK.request())
        except StreamCut as cut:
            reply = cut.partial  # type: ignore[assignment]
    assert reply.text.startswith("Hi.")
