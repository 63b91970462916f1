"""Files that a run shows its model: what is refused at the start, and what becomes of one that is changed later."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.fork import ForkRun
from stepward.agents.start import Start
from stepward.domain.attachments import media_type_of
from stepward.domain.conversation import ModelReply, ModelRequest, ToolCall
from stepward.domain.errors import Conflict, InvalidRequest
from stepward.domain.journal import Created, parse_record
from stepward.domain.money import Price
from stepward.domain.runs import RunKey
from stepward.ports.models import CallContext
from tests.support.attached_files import FILES, GIF, JPEG, PDF, WEBP, a_png
from tests.support.builders import a_created, an_agent_body
from tests.support.driver import ACME, World

MODEL = "claude-sonnet-5-5"
BLIND = "house/llama"
PRICE = Price(input_usd_per_mtok="1", output_usd_per_mtok="2", source="our contract", as_of="2026-11-30")
PADDED = PDF.replace(b"%%EOF", b"%" + b" " * 4_500_001 + b"\n%%EOF")
BIG = a_png()[:-12] + b"\x00" * 6_000_000 + a_png()[-12:]


class Looking:
    """A model that notes what it is shown; it calls the calculator first."""

    longest_call_s = 30.0

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []
        self.seen: list[dict[str, bytes]] = []

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        self.requests.append(request)
        self.seen.append(dict(call.attached))
        if request.turn > 1:
            return ModelReply(text="Done.")
        asked = ToolCall(id="call_1_1", tool="calculate", arguments={"expression": "1 + 1"})
        return ModelReply(calls=(asked,), stop="tools")

    def estimate_input_tokens(self, _: ModelRequest) -> int:
        return 10


@pytest.fixture
def world() -> World:
    world = World(backend=Looking())
    world.register(an_agent_body(model=MODEL, tools=[{"tool": "calculate"}]))
    for key, (body, _) in FILES.items():
        world.datasets.put("acme", key, body)
    return world


def start(world: World, *keys: Any, agent: str = "helper", key: str | None = None, **said: Any) -> RunKey:
    body = {"input": "Look.", "rehearse": False, "attachments": list(keys), **said}
    return world.starter(ACME, agent, body, key)[0].key


def refused(world: World, *keys: Any, **said: Any) -> InvalidRequest:
    before = len(world.runtime.heads)
    with pytest.raises(InvalidRequest) as caught:
        start(world, *keys, **said)
    assert len(world.runtime.heads) == before
    return caught.value


def test_a_model_is_shown_every_file_at_every_turn(world: World) -> None:
    key = start(world, *FILES)
    ended = world.finish(key)
    assert ended["status"] == "COMPLETED"
    assert [(one["key"], one["media_type"]) for one in ended["attachments"]] == [
        (name, kind) for name, (_, kind) in FILES.items()
    ]
    assert world.backend.seen == [{name: body for name, (body, _) in FILES.items()}] * 2
    assert world.backend.requests[0].attachments == world.backend.requests[1].attachments


@pytest.mark.parametrize(
    "path", ["../other/a.png", "photos/../../other/1.png", "/photos/1.png", "", ".", "a\nb.png", "tenants//x"]
)
def test_a_path_that_leads_elsewhere_is_refused(world: World, path: str) -> None:
    world.datasets.put("other", "a.png", a_png())
    assert refused(world, "photos/1.png", path).field == "attachments.1"


def test_files_of_another_tenant_are_not_there(world: World) -> None:
    world.datasets.put("other", "secret.png", a_png())
    error = refused(world, "secret.png")
    assert (error.field, error.fix) == ("attachments.0", "stepward data put secret.png FILE")
    assert "no data file" in error.detail


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.png", b"", "0 bytes"),
        ("a.png", b"not an image", "is no image/png: its content is text/plain"),
        ("a.png", JPEG, "is no image/png: its content is image/jpeg"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "is no image/png"),
        ("a.png", a_png()[:-5], "is no image/png"),
        ("a.png", a_png(0, 1), "is no image/png"),
        ("a.jpg", JPEG[:-2], "is no image/jpeg"),
        ("a.gif", b"GIF89a/*<script>alert(1)</script>*/", "is no image/gif"),
        ("a.webp", WEBP[:-4], "is no image/webp"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WAVE", "is no image/webp"),
        ("a.pdf", a_png() + PDF, "is no application/pdf"),
        ("a.pdf", b"MZ" + PDF, "is no application/pdf"),
        ("a.pdf", PDF[:30], "is no application/pdf"),
        ("a.txt", PDF, "is no text/plain: its content is application/pdf"),
        ("a.txt", b"GIF89a and so on", "is no text/plain"),
        ("a.csv", b"a,b\x00", "is no text/csv"),
        ("a.md", b"\xff\xfe#\x00", "is no text/markdown"),
        ("a.txt", b" \n", "is no text/plain"),
        ("a.html", b"<p>Hello</p>", "of no type that models take"),
        ("a.exe", b"MZ\x90\x00", "of no type that models take"),
        ("a.png", BIG, "6,000,0"),
        ("a.pdf", PADDED, "a document may have 4,500,000"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(
    world: World, name: str, body: bytes, says: str
) -> None:
    world.datasets.put("acme", name, body)
    error = refused(world, name, rehearse=True)
    assert error.field == "attachments.0"
    assert says in error.detail
    assert error.fix


def test_a_type_is_told_by_the_content_where_the_name_tells_none() -> None:
    assert [media_type_of(body) for body in (a_png(), JPEG, GIF, WEBP, PDF)] == [
        "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf",
    ]  # fmt: skip


def test_files_are_bounded_together_and_named_once(world: World) -> None:
    for number in range(4):
        world.datasets.put("acme", f"{number}.pdf", PADDED.replace(b" " * 600_000, b"", 1))
    assert "together they may have 15,000,000" in refused(world, *(f"{n}.pdf" for n in range(4))).detail
    assert "twice" in refused(world, "photos/1.png", "photos/1.png").detail
    assert refused(world, *(f"{n}.png" for n in range(11))).field == "attachments"
    assert refused(world, 7).field == "attachments.0"


def test_a_model_that_takes_no_images_is_shown_none(world: World) -> None:
    world.agreed = {BLIND: PRICE}
    world.register(an_agent_body(id="blind", model=BLIND, tools=[]))
    error = refused(world, "photos/1.png", agent="blind")
    assert (error.field, "takes no images" in error.detail) == ("attachments.0", True)
    assert world.show(start(world, "photos/1.png", agent="blind", rehearse=True))["rehearsed"]


def test_an_agent_that_may_be_handed_to_takes_the_files_too(world: World) -> None:
    world.agreed = {BLIND: PRICE}
    world.register(an_agent_body(id="blind", model=BLIND, tools=[]))
    hand_off = {"tool": "hand_off", "config": {"agent": "blind"}}
    world.register(an_agent_body(id="first", model=MODEL, tools=[hand_off]))
    error = refused(world, "photos/1.png", agent="first")
    assert (error.field, "'first' may hand over to 'blind'" in error.detail) == ("attachments.0", True)
    assert world.show(start(world, "photos/1.png", agent="first", rehearse=True))["rehearsed"]
    assert start(world, agent="first")


def test_bedrock_takes_five_documents(world: World) -> None:
    world.register(an_agent_body(id="rock", model="bedrock/claude-haiku-5-5", tools=[]))
    for number in range(6):
        world.datasets.put("acme", f"{number}.txt", b"Hello.")
    assert refused(world, *(f"{n}.txt" for n in range(6)), agent="rock").field == "attachments.5"


@pytest.mark.parametrize(("body", "says"), [(JPEG, "is another one"), (None, "is gone")])
def test_a_file_that_was_changed_since_ends_the_run_before_the_model_is_asked(
    world: World, body: bytes | None, says: str
) -> None:
    key = start(world, "photos/2.JPG", "photos/1.png")
    if body is None:
        del world.datasets._files["acme", "photos/1.png"]
    else:
        world.datasets.put("acme", "photos/1.png", body)
    ended = world.finish(key)
    assert (ended["status"], ended["error"]["code"]) == ("FAILED", "AttachmentChanged")
    assert f"'photos/1.png' {says}" in ended["error"]["detail"]
    assert world.backend.requests == []
    assert ended["totals"]["cost_usd_micros"] == 0


def test_a_rehearsal_reads_nothing_again(world: World) -> None:
    world.backend = None
    key = start(world, "photos/1.png", rehearse=True)
    del world.datasets._files["acme", "photos/1.png"]
    assert world.finish(key)["status"] == "COMPLETED"


def test_a_fork_keeps_what_its_source_was_given(world: World) -> None:
    source = start(world, "photos/1.png")
    world.finish(source)
    fork = ForkRun(Start(world.ports, world.registry), world._definition, lambda _: {})
    key = fork(ACME, source.run, {"turn": 1}, None)[0].key
    assert world.show(key)["attachments"] == world.show(source)["attachments"]
    blind = ForkRun(Start(world.ports, world.registry), world._definition, lambda _: {BLIND: PRICE})
    with pytest.raises(InvalidRequest) as caught:
        blind(ACME, source.run, {"turn": 1, "model": BLIND}, None)
    assert caught.value.field == "attachments.0"


def test_a_key_means_the_same_files(world: World) -> None:
    first = start(world, "photos/1.png", key="k-1")
    assert start(world, "photos/1.png", key="k-1") == first
    with pytest.raises(Conflict):
        start(world, "photos/3.gif", key="k-1")


def test_a_journal_without_files_says_nothing_of_them(world: World) -> None:
    old = a_created().model_dump_json()
    assert "attachments" not in old
    record = parse_record(old)
    assert isinstance(record, Created)
    assert record.model_dump_json() == old
    given = world.journal.load(start(world, "photos/1.png")).records[0].record
    assert parse_record(given.model_dump_json()) == given
