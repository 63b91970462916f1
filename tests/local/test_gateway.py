"""The front door behaves as API Gateway's HTTP APIs do, in what it lets pass and in how it refuses."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any

import httpx2
import pytest

from infra.local.executor import Trouble
from infra.local.gateway import events
from infra.local.gateway.messages import Request
from infra.local.gateway.routes import Route, RouteTable
from infra.local.laptop import Laptop
from tests.local.patience import wait_for


def event_of(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    event: dict[str, Any] = response.json()["event"]
    return event


def test_the_event_is_payload_2(http: httpx2.Client) -> None:
    event = event_of(
        http.get(
            "/things/a%2Fb%20c?x=1&y=2&x=3&empty=",
            headers=[("X-Many", "1"), ("X-Many", "2"), ("Cookie", "a=1; b=2")],
        )
    )
    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /things/{id}"
    assert event["pathParameters"] == {"id": "a/b c"}
    assert event["rawQueryString"] == "x=1&y=2&x=3&empty="
    assert event["queryStringParameters"] == {"x": "1,3", "y": "2", "empty": ""}
    assert event["headers"]["x-many"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["requestContext"]["http"]["method"] == "GET"
    assert "body" not in event


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/things/special", "GET /things/special"),
        ("/things/other", "GET /things/{id}"),
        ("/things/a/b", "GET /things/{rest+}"),
        ("/any/1", "GET /any/{id}"),
    ],
)
def test_the_most_specific_route_wins(http: httpx2.Client, path: str, key: str) -> None:
    assert event_of(http.get(path))["routeKey"] == key


def test_any_takes_what_no_method_takes(http: httpx2.Client) -> None:
    assert event_of(http.delete("/any/1"))["routeKey"] == "ANY /any/{id}"


def test_default_takes_the_rest() -> None:
    table = RouteTable([Route("$default", "rest", 30, None), Route("GET /a", "a", 30, None)])
    assert [found[0].function for path in ("/a", "/b") if (found := table.find("GET", path))] == ["a", "rest"]


@pytest.mark.parametrize("path", ["/nothing", "/things", "/things/", "/echo"])
def test_no_route_is_404(http: httpx2.Client, path: str) -> None:
    response = http.get(path)
    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


def test_structured_answers_set_status_headers_cookies_and_body(http: httpx2.Client) -> None:
    answer = {
        "statusCode": 201,
        "headers": {"X-One": 1, "Content-Type": "text/csv"},
        "cookies": ["a=1", "b=2"],
        "body": base64.b64encode(b"\x00\xff").decode(),
        "isBase64Encoded": True,
    }
    response = http.post("/echo", json={"answer": answer})
    assert (response.status_code, response.content, response.headers["x-one"]) == (201, b"\x00\xff", "1")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["content-type"] == "text/csv"


@pytest.mark.parametrize("answer", ["text", 5, [1], {"no": "status"}, None])
def test_plain_answers_become_the_body(http: httpx2.Client, answer: Any) -> None:
    response = http.post("/echo", json={"answer": answer})
    assert (response.status_code, response.json()) == (200, answer)
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("answer", [{"statusCode": "many"}, {"statusCode": 200, "body": {"an": "object"}}])
def test_answers_that_make_no_sense_are_500(http: httpx2.Client, answer: Any) -> None:
    assert http.post("/echo", json={"answer": answer}).status_code == 500


def test_a_function_that_fails_is_500_and_is_told(http: httpx2.Client, troubles: list[Trouble]) -> None:
    troubles.clear()
    responses = [http.post("/echo", json={"raise": "Bug"}), http.get("/broken")]
    assert [(r.status_code, r.json()["message"]) for r in responses] == [(500, "Internal Server Error")] * 2
    assert [(trouble.function, trouble.what) for trouble in troubles] == [
        ("echo", "raised an error"),
        ("broken", "failed while starting"),
    ]


def test_an_integration_that_takes_too_long_is_503(http: httpx2.Client) -> None:
    response = http.post("/hasty", json={"sleep_s": 1})
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_10_mb_is_413_that_a_browser_can_read(http: httpx2.Client, chunked: bool) -> None:
    body = b"x" * 10_485_761
    content = iter([body[:5_000_000], body[5_000_000:]]) if chunked else body
    response = http.post("/echo", content=content, headers={"Origin": "https://app.example.com"})
    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"


@pytest.mark.parametrize(("text", "status"), [("é" * 2_600_000, 200), ("é" * 3_200_000, 413)])
def test_payloads_are_measured_in_utf_8(http: httpx2.Client, text: str, status: int) -> None:
    body = json.dumps({"answer": "small", "text": text}, ensure_ascii=False).encode()
    response = http.post("/echo", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status


@pytest.mark.parametrize(
    "request_text",
    [
        "POST /echo HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
        "GET http://[bad HTTP/1.1\r\n\r\n",
        "GET nothing HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400_at_once(laptop: Laptop, request_text: str) -> None:
    port = int(laptop.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request_text.encode())
        answer = b""
        while block := connection.recv(65_536):
            answer += block
    assert answer.split(b" ", 2)[1] == b"400", answer
    assert answer.endswith(b'{"message": "Bad Request"}')


@pytest.mark.parametrize(
    ("kind", "is_base64"),
    [
        ("application/json", False),
        ("text/plain; charset=utf-8", False),
        ("application/problem+json", False),
        ("application/octet-stream", True),
        ("application/x-www-form-urlencoded", True),
        (None, True),
    ],
)
def test_bodies_are_text_or_base64_by_their_type(kind: str | None, is_base64: bool) -> None:
    headers = [("content-type", kind)] if kind else []
    event = events.payload(
        Request("POST", "/echo", headers, b"{}"), Route("POST /echo", "f", 30, None), {}, "api"
    )
    assert event["isBase64Encoded"] is is_base64
    assert event["body"] == (base64.b64encode(b"{}").decode() if is_base64 else "{}")


def test_chunked_bodies_arrive_whole(http: httpx2.Client) -> None:
    chunks = iter([b'{"ans', b'wer": 5}'])
    assert http.post("/echo", content=chunks, headers={"content-type": "application/json"}).json() == 5


def test_preflights_are_answered_without_a_function(http: httpx2.Client) -> None:
    asked = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    response = http.options("/echo", headers=asked)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    assert response.headers["access-control-allow-methods"] == "GET,POST"
    assert response.headers["access-control-max-age"] == "60"
    stranger = http.options("/echo", headers=asked | {"Origin": "https://elsewhere.example.com"})
    assert not [name for name in stranger.headers if name.startswith("access-control")]


def test_cors_headers_are_the_apis_own(http: httpx2.Client) -> None:
    answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": "{}"}
    response = http.post("/echo", json={"answer": answer}, headers={"Origin": "https://app.example.com"})
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "access-control-allow-origin" not in http.post("/echo", json={"answer": answer}).headers


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/guarded", None, 200),
        ("/guarded", "wrong", 403),
        ("/guarded", "crash", 500),
        ("/guarded", "nonsense", 500),
        ("/sourced", None, 401),
        ("/sourced", "right", 200),
    ],
)
def test_the_authorizer_decides(http: httpx2.Client, path: str, key: str | None, status: int) -> None:
    response = http.get(path, headers={"x-key": key} if key else {})
    assert response.status_code == status
    if status == 200:
        context = event_of(response)["requestContext"]["authorizer"]["lambda"]
        assert context["tenant"] == "acme"
        assert {"routeArn", "routeKey", "headers", "requestContext", "type"} <= set(context["saw"])
    else:
        words = {401: "Unauthorized", 403: "Forbidden", 500: "Internal Server Error"}
        assert response.json() == {"message": words[status]}


def test_connections_are_kept(http: httpx2.Client) -> None:
    first, second = http.get("/things/1"), http.get("/things/2")
    stream = "network_stream"
    assert first.extensions[stream].get_extra_info("client_addr") == second.extensions[stream].get_extra_info(
        "client_addr"
    )


def test_the_log_names_routes_and_no_paths(laptop: Laptop, http: httpx2.Client) -> None:
    """A path may hold a secret: the address that answers a workflow's task does."""
    http.get("/things/s3cret?x=s3cret")
    http.get("/nowhere/s3cret")
    log = laptop.log_dir / "http-api.log"
    wait_for(lambda: "GET (no route) 404" in log.read_text() or None)
    assert "GET /things/{id} 200" in log.read_text()
    assert "s3cret" not in log.read_text()
