"""What goes wrong comes out as one of four errors with its fix, and only what is safe is repeated."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest

from stepward import sdk
from stepward.domain.retries import retry_after_s
from stepward.sdk import ApiError, BadCall, Stepward, StepwardError, Unreachable
from stepward.sdk.transport import ATTEMPTS, unreachable
from tests.unit.sdk.fake_api import FakeApi, a_run, ok, problem


def test_a_problem_document_becomes_a_typed_error() -> None:
    wrong = [{"field": "tools[0].tool", "detail": "no such tool", "fix": "use calculate"}]
    api = FakeApi(
        [problem(400, "InvalidRequest", "Two fields are wrong.", field="id", fix="Mend them.", errors=wrong)]
    )
    with pytest.raises(ApiError) as caught:
        api.client().register_agent({"id": "A"})
    error = caught.value
    assert (error.status, error.code, error.field, error.fix) == (400, "InvalidRequest", "id", "Mend them.")
    assert error.errors[0].field == "tools[0].tool"
    assert error.problem["errors"] == wrong
    assert str(error) == (
        "InvalidRequest 400 (id): Two fields are wrong. Fix: Mend them. [tools[0].tool: no such tool]"
    )


@pytest.mark.parametrize(
    ("response", "code", "said"),
    [
        (
            httpx2.Response(502, html="<h1>Bad gateway</h1>"),
            "Http502",
            "127.0.0.1 answered 502 (Bad Gateway)",
        ),
        (httpx2.Response(403, json={"message": "Forbidden"}), "Http403", "(Forbidden)"),
        (httpx2.Response(200, html="<h1>Welcome</h1>"), "Http200", "not a Stepward document"),
        (httpx2.Response(200, json=[1]), "Http200", "not a Stepward document"),
        (httpx2.Response(301, headers={"location": "https://x"}), "Http301", "Moved Permanently"),
    ],
)
def test_what_is_not_stepward_is_said_not_to_be(response: httpx2.Response, code: str, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        FakeApi([response]).client().agents()
    assert caught.value.code == code
    assert said in str(caught.value)
    assert "Check that the URL" in str(caught.value)


REFUSED = httpx2.ConnectError("Connection refused")


def test_what_is_too_large_is_not_blamed_on_the_address() -> None:
    with pytest.raises(ApiError, match=r"larger than the stage takes in.*Send less"):
        FakeApi([httpx2.Response(413, json={"message": "Request Too Long"})]).client().agents()


@pytest.mark.parametrize(
    "first",
    [REFUSED, httpx2.ReadTimeout("slow"), problem(429, "RateLimited"), problem(503, "StoreThrottled")],
)
@pytest.mark.parametrize("call", [lambda s: s.run("run_01"), lambda s: s.start_run("a", "hi")])
def test_a_passing_fault_is_repeated_where_that_is_safe(first: Any, call: Callable[[Stepward], Any]) -> None:
    api = FakeApi([first, first, ok(a_run())])
    assert call(api.client())["id"] == "run_01"
    assert len(api.requests) == 3
    assert len({r.headers.get("idempotency-key") for r in api.requests}) == 1


@pytest.mark.parametrize("call", [lambda s: s.cancel("run_01"), lambda s: s.register_agent({})])
def test_a_write_without_a_key_is_sent_once(call: Callable[[Stepward], Any]) -> None:
    api = FakeApi([problem(503, "StoreThrottled")])
    with pytest.raises(ApiError, match="StoreThrottled"):
        call(api.client())
    assert len(api.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_lasting_refusal_is_not_repeated(status: int) -> None:
    api = FakeApi([problem(status, "Anything")])
    with pytest.raises(ApiError):
        api.client().agents()
    assert len(api.requests) == 1


def test_repeating_is_bounded() -> None:
    api = FakeApi([REFUSED])
    with pytest.raises(Unreachable, match="stepward up"):
        api.client().agents()
    assert len(api.requests) == ATTEMPTS
    assert sum(api.pauses_s) < 5


def test_retry_after_is_honoured() -> None:
    api = FakeApi([problem(429, "RateLimited", headers={"retry-after": "7"}), ok({"agents": []})])
    api.client().agents()
    assert api.pauses_s == [7.0]


def test_a_retry_after_beyond_patience_is_handed_to_the_caller() -> None:
    api = FakeApi([problem(429, "RateLimited", headers={"retry-after": "3600"})])
    with pytest.raises(ApiError) as caught:
        api.client().agents()
    assert caught.value.retry_after_s == 3600
    assert api.pauses_s == []


def test_retry_after_reads_seconds_dates_and_nonsense() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (retry_after_s(soon) or 0) <= 60
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert (retry_after_s(None), retry_after_s("soon"), retry_after_s("2")) == (None, None, 2.0)


@pytest.mark.parametrize("url", ["127.0.0.1:8400", "ftp://x", "http://", "", "http://[::1"])
def test_a_wrong_url_is_a_bad_call(url: str) -> None:
    with pytest.raises(BadCall, match=r"http://127\.0\.0\.1:8400"):
        Stepward(url, "sw_x")


@pytest.mark.parametrize("key", ["sw_x\n", " sw_x", "sw_é", "sw x\r\nx-other: 1"])
def test_a_key_that_breaks_a_header_is_a_bad_call(key: str) -> None:
    with pytest.raises(BadCall, match="API key"):
        Stepward("http://127.0.0.1:8400", key)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x", datetime.now(UTC)])
def test_what_json_cannot_say_is_a_bad_call(value: object) -> None:
    api = FakeApi([ok({})])
    with pytest.raises(BadCall, match="not JSON"):
        api.client().register_agent({"x": value})
    assert api.requests == []


def lower_errors() -> list[type[httpx2.RequestError]]:
    found = [getattr(httpx2, name) for name in dir(httpx2)]
    return [e for e in found if inspect.isclass(e) and issubclass(e, httpx2.RequestError)]


@pytest.mark.parametrize("kind", lower_errors())
def test_every_error_of_the_http_library_is_translated(kind: type[httpx2.RequestError]) -> None:
    error = unreachable("http://x", kind("broken"))
    assert isinstance(error, Unreachable)
    assert error.fix


def test_the_key_is_in_no_text_of_the_client() -> None:
    api = FakeApi([REFUSED])
    client = api.client(key="sw_secret")
    with pytest.raises(Unreachable) as caught:
        client.agents()
    assert "sw_secret" not in repr(client) + str(caught.value) + repr(caught.value)


def test_all_errors_share_a_base_and_are_exported() -> None:
    errors = [getattr(sdk, name) for name in sdk.__all__ if inspect.isclass(getattr(sdk, name))]
    raised = [e for e in errors if issubclass(e, Exception)]
    assert len(raised) == 7
    assert all(issubclass(e, StepwardError) for e in raised)
