"""What a webhook sends: its address from `with` or from an expression, and the rest of `with` as the body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.tools import http_request
from stepward.tools.base import ToolContext
from stepward.tools.egress import Incoming, Outgoing
from stepward.workflows.checks import examine
from tests.support.workflow_world import Ran, WorkflowWorld

SHOP = "https://shop.example"


class Site:
    """Remembers what was asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Outgoing] = []
        self.answer = (200, "application/json", b'{"ok": true}')
        """Status, content type and body of every answer."""
        self.is_busy = False
        """Whether it has no time for the first request."""
        monkeypatch.setattr(http_request, "send", self._send)

    def _send(self, request: Outgoing) -> Incoming:
        self.asked.append(request)
        status, content_type, body = self.answer
        return Incoming(429 if self.is_busy and len(self.asked) == 1 else status, content_type, body)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(one.body) if one.body is not None else None for one in self.asked]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(monkeypatch)


class ShopWorld(WorkflowWorld):
    """The shop's address is allowed here, no other."""

    def _tools(self, tenant: str, call_id: str) -> ToolContext:
        return ToolContext(tenant, call_id, MemoryDatasets(), (SHOP,), pause=self.pauses.append)


def run(given: Any = None, **said: Any) -> Ran:
    return ShopWorld().run([{"id": "hook", "type": "webhook", **said}], given)


def problems(**said: Any) -> list[tuple[str | None, str]]:
    document = {
        "id": "flow",
        "name": "Flow",
        "version": "1.0.0",
        "tasks": [{"id": "hook", "type": "webhook", **said}],
    }
    return [(one.field, one.detail) for one in examine(document)[1]]


@pytest.mark.parametrize("name", ["pet", "petId", "pet-id", "PET_2", "payload"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_places_are_filled_and_are_not_in_the_body(site: Site, name: str, method: str) -> None:
    ran = run(
        url=f"{SHOP}/pets/{{{name}}}", method=method, **{"with": {name: "{% 'a/' & 7 %}", "colour": "red"}}
    )
    assert ran.status == "COMPLETED"
    assert site.asked[0].url == f"{SHOP}/pets/a%2F7"
    assert site.bodies == [{"colour": "red"}]
    assert ran.output == {"status": 200, "body": {"ok": True}}


def test_a_get_fills_its_path_and_its_query(site: Site) -> None:
    ran = run(
        url=SHOP + "/pets/{pet}?colour={colour}", method="GET", **{"with": {"pet": 7, "colour": "dark red"}}
    )
    assert ran.status == "COMPLETED"
    assert site.asked[0].url == f"{SHOP}/pets/7?colour=dark%20red"
    assert site.bodies == [None]


@pytest.mark.parametrize(
    ("content_type", "sent", "body"),
    [
        ("application/json", b"42", 42),
        ("application/json; charset=utf-8", b"4.5", 4.5),
        ("application/problem+json", b"true", True),
        ("application/json", b"null", None),
        ("application/json", b'"42"', "42"),
        ("application/json", b"[1]", [1]),
        ("application/json", b"not JSON", "not JSON"),
        ("text/plain", b"42", "42"),
        ("text/plain", b"true", "true"),
        ("", b'{"a": 1}', '{"a": 1}'),
    ],
)
def test_an_answer_is_what_its_json_says_and_else_text(
    site: Site, content_type: str, sent: bytes, body: Any
) -> None:
    site.answer = (200, content_type, sent)
    ran = run(url=SHOP + "/x", **{"with": {}})
    found = ran.output["body"]
    assert (ran.status, found, type(found)) == ("COMPLETED", body, type(body))


@pytest.mark.parametrize(
    ("status", "code", "retryable"), [(404, "ToolFailed", False), (503, "ToolUnavailable", True)]
)
def test_its_error_has_the_status_of_the_answer(site: Site, status: int, code: str, retryable: bool) -> None:
    site.answer = (status, "text/plain", b"no")
    hook = {"id": "hook", "type": "webhook", "url": SHOP + "/x", "method": "GET", "on_error": "continue"}
    end = {
        "id": "end",
        "type": "transform",
        "needs": ["hook"],
        "run_when": "always",
        "output": "{% $errors.hook %}",
    }
    told = ShopWorld().run([hook, end]).outputs["end"]
    assert told.pop("detail")
    assert told == {"code": code, "status": status, "retryable": retryable}


@pytest.mark.parametrize("value", ["..", ".", "", None, [1]])
def test_what_would_make_another_path_is_not_sent(site: Site, value: Any) -> None:
    ran = run({"pet": value}, url=SHOP + "/pets/{pet}", **{"with": {"pet": "{% $input.pet %}"}})
    assert (ran.status, ran.error("hook"), site.asked) == ("FAILED", "ToolArgumentInvalid", [])


def test_an_address_may_come_from_the_input(site: Site) -> None:
    ran = run({"to": f"{SHOP}/hooks/7?sig=a%2Fb"}, url="{% $input.to %}", **{"with": {"colour": "red"}})
    assert ran.status == "COMPLETED"
    assert (site.asked[0].url, site.bodies) == (f"{SHOP}/hooks/7?sig=a%2Fb", [{"colour": "red"}])


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("https://elsewhere.example/x", "ToolFailed"),
        ("https://shop.example@elsewhere.example/x", "OutputMalformed"),
        ("ftp://shop.example/x", "OutputMalformed"),
        (f"{SHOP}/{{secret}}", "OutputMalformed"),
        (f"{SHOP}/pets/../refunds", "OutputMalformed"),
        (f"{SHOP}/pets/%2e%2e/refunds", "OutputMalformed"),
        (f"{SHOP}/pets//refunds", "OutputMalformed"),
        ("{% 1 %}", "OutputMalformed"),
        ("x", "OutputMalformed"),
        (None, "OutputMalformed"),
        (7, "OutputMalformed"),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_an_address_that_came_from_the_input_is_checked_when_it_is_called(
    site: Site, to: Any, error: str, waits: bool
) -> None:
    more = {"wait_for_call": True, "timeout_s": 60} if waits else {}
    ran = run({"to": to}, url="{% $input.to %}", **{"with": {"secret": "s"}}, **more)
    assert (ran.status, ran.error("hook"), site.asked) == ("FAILED", error, [])


def test_the_one_who_is_to_call_is_told_the_address_in_the_place_or_in_the_body(site: Site) -> None:
    calls = {"wait_for_call": True, "timeout_s": 60}
    run(url=SHOP + "/ask/{pet}", **{"with": {"pet": 7}}, **calls)
    run(url=SHOP + "/ask?back={callback_url}", method="GET", **calls)
    assert site.bodies == [{"callback_url": "https://calls.example/hook/1"}, None]
    assert site.asked[1].url == SHOP + "/ask?back=https%3A%2F%2Fcalls.example%2Fhook%2F1"


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_each_attempt_that_waits_has_its_own_address_and_key(site: Site, method: str) -> None:
    site.is_busy = True
    url, retry = f"{SHOP}/ask?back={{callback_url}}", {"max_attempts": 2, "strategy": "immediate"}
    world = ShopWorld()
    world.reach.delay_s = lambda place: 40.0
    hook = {"id": "hook", "type": "webhook", "url": url, "method": method, "retry": retry}
    ran = world.run([{**hook, "wait_for_call": True, "timeout_s": 60}])
    assert ran.status == "COMPLETED"
    first, second = site.asked
    assert first.url != second.url
    key = first.headers["Idempotency-Key"]
    assert key.endswith(":hook")
    assert second.headers["Idempotency-Key"] == f"{key}:2"


def test_a_task_that_does_not_wait_has_one_key_for_all_its_attempts(site: Site) -> None:
    site.is_busy = True
    ran = run(url=f"{SHOP}/ask", retry={"max_attempts": 2, "strategy": "immediate"})
    assert ran.status == "COMPLETED"
    assert len(site.asked) == 2
    assert len({one.headers["Idempotency-Key"] for one in site.asked}) == 1


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"url": SHOP + "/{petId}"}, "url", "the place {petId} has no value"),
        ({"url": SHOP + "/{petId}", "with": {"petid": 1}}, "url", "the place {petId} has no value"),
        ({"url": SHOP + "/{pet+id}", "with": {"pet+id": 1}}, "url", "braces hold the name of a place"),
        ({"url": "https://{host}/x", "with": {"host": "a"}}, "url", "scheme, host and port are fixed"),
        ({"url": SHOP + "/x", "method": "GET", "with": {"pet": 1}}, "with.pet", "a GET has no body"),
        (
            {"url": SHOP + "/x", "method": "GET", "wait_for_call": True, "timeout_s": 9},
            "method",
            "'callback_url' would",
        ),
    ],
)
def test_what_could_not_be_sent_is_refused(said: dict[str, Any], field: str, words: str) -> None:
    found = problems(**said)
    assert any(one == field and words in detail for one, detail in found), found


def test_what_undoes_a_task_fills_its_places_too(site: Site) -> None:
    undo = {
        "id": "u",
        "type": "webhook",
        "method": "DELETE",
        "url": SHOP + "/{n}",
        "with": {"n": "{% $tasks.a %}"},
    }
    ill = {"id": "b", "type": "transform", "needs": ["a"], "output": "{% $error('no') %}"}
    ran = ShopWorld().run([{"id": "a", "type": "transform", "output": 7, "compensate": undo}, ill])
    assert ran.status == "FAILED"
    assert [one.url for one in site.asked] == [f"{SHOP}/7"]
