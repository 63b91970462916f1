"""The WebSocket API behaves as API Gateway's do towards real clients: who gets in, what is routed where, what ends it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import HttpApiParts
from infra.local.gateway.websocket import IDLE_LIMIT_S, LIFE_LIMIT_S
from infra.local.gateway.websocket_parts import socket_api_of
from infra.local.laptop import Laptop
from tests.local.kept import wait_kept
from tests.local.patience import wait_for

MESSAGE_BYTES = 131_072
FRAME_BYTES = 32_768


@contextmanager
def client(
    laptop: Laptop, path: str = "/live", query: str = "token=right", **more: Any
) -> Iterator[ClientConnection]:
    url = f"{laptop.url.replace('http', 'ws')}{path}?{query}"
    with connect(url, proxy=None, compression=None, open_timeout=20, **more) as opened:
        yield opened


@pytest.fixture
def word() -> str:
    return f"w{uuid.uuid4().hex}"


def said(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=20))


def status_of(laptop: Laptop, **more: Any) -> tuple[int, bytes]:
    with pytest.raises(InvalidStatus) as refused, client(laptop, **more):
        pass
    return refused.value.response.status_code, refused.value.response.body


def id_of(laptop: Laptop, word: str) -> str:
    return str(wait_kept(laptop, word)[0]["requestContext"]["connectionId"])


def management(laptop: Laptop) -> Any:
    import boto3

    return boto3.client("apigatewaymanagementapi", endpoint_url=f"{laptop.url}/live", region_name="us-east-1")


def test_connect_message_and_disconnect_reach_the_room(laptop: Laptop, word: str) -> None:
    with client(laptop, query=f"token=right&word={word}&word=again") as socket:
        socket.send(json.dumps({"action": "nothing", "word": word}))
        assert said(socket)["route"] == "$default"
        socket.close(4001, "enough")
    first = wait_kept(laptop, word)[0]
    found = wait_kept(laptop, first["requestContext"]["connectionId"], 3)
    events = {event["requestContext"]["eventType"]: event for event in found}
    assert set(events) == {"CONNECT", "MESSAGE", "DISCONNECT"}
    entered, left = events["CONNECT"], events["DISCONNECT"]["requestContext"]
    assert entered["multiValueQueryStringParameters"]["word"] == [word, "again"]
    assert entered["queryStringParameters"]["word"] == "again"
    assert entered["stageVariables"] == {"colour": "green"}
    assert "body" not in entered
    assert events["MESSAGE"]["body"] == json.dumps({"action": "nothing", "word": word})
    assert events["MESSAGE"]["requestContext"]["messageId"]
    assert (left["disconnectStatusCode"], left["disconnectReason"]) == (4001, "enough")
    assert {event["requestContext"]["stage"] for event in found} == {"live"}


def test_what_the_authorizer_says_is_known_all_the_time(laptop: Laptop, word: str) -> None:
    with client(laptop) as socket:
        socket.send(json.dumps({"word": word}))
        said(socket)
    context = wait_kept(laptop, word)[0]["requestContext"]
    assert context["authorizer"] == {"principalId": "somebody", "tenant": "acme", "level": "3", "ok": "true"}


@pytest.mark.parametrize(
    ("query", "path", "status"),
    [
        ("", "/live", 401),
        ("token=wrong", "/live", 403),
        ("token=crash", "/live", 500),
        ("token=right&wish=refuse", "/live", 418),
        ("token=right&wish=crash", "/live", 502),
        ("token=right", "/elsewhere", 403),
    ],
)
def test_who_does_not_get_in(laptop: Laptop, query: str, path: str, status: int) -> None:
    assert status_of(laptop, query=query, path=path)[0] == status


def test_the_room_chooses_the_subprotocol(laptop: Laptop) -> None:
    with client(laptop, subprotocols=["one", "two"]) as socket:
        assert socket.subprotocol == "two"


@pytest.mark.parametrize(
    "message", ["no json", "[1]", '"post"', '{"action": 5}', '{"action": "$connect"}', "{}"]
)
def test_what_names_no_route_goes_to_the_default(laptop: Laptop, message: str) -> None:
    with client(laptop) as socket:
        socket.send(message)
        assert said(socket) == {"route": "$default", "saw": message}


def test_a_room_answers_by_the_management_endpoint(laptop: Laptop) -> None:
    with client(laptop) as socket:
        socket.send(json.dumps({"action": "post", "texts": ["one", "zwei: ö"]}))
        assert [socket.recv(timeout=20), socket.recv(timeout=20)] == ["one", "zwei: ö"]


def test_a_room_that_fails_is_told_to_the_client(laptop: Laptop) -> None:
    with client(laptop) as socket:
        socket.send('{"action": "crash"}')
        answer = said(socket)
        assert answer["message"] == "Internal server error"
        assert set(answer) == {"message", "connectionId", "requestId"}
        socket.send("still here?")
        assert said(socket)["saw"] == "still here?"


def test_a_message_may_have_128_kb_in_frames_of_32(laptop: Laptop) -> None:
    text = json.dumps({"filling": "x" * (MESSAGE_BYTES - 15)})
    assert len(text) == MESSAGE_BYTES
    with client(laptop, max_size=None) as socket:
        socket.send(text[at : at + FRAME_BYTES] for at in range(0, len(text), FRAME_BYTES))
        assert said(socket)["saw"] == text


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (["x" * (FRAME_BYTES + 1)], 1009),
        (["x" * FRAME_BYTES] * 4 + ["x"], 1009),
        ([b"binary"], 1003),
    ],
)
def test_too_long_or_not_text_ends_the_connection(laptop: Laptop, message: list[Any], code: int) -> None:
    with client(laptop) as socket, pytest.raises(ConnectionClosed) as ended:
        socket.send(iter(message))
        socket.recv(timeout=20)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == code


def test_a_connection_can_be_looked_at_and_ended(laptop: Laptop, word: str) -> None:
    api = management(laptop)
    with client(laptop, query=f"token=right&word={word}", user_agent_header="me") as socket:
        name = id_of(laptop, word)
        found = api.get_connection(ConnectionId=name)
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "me"}
        assert found["ConnectedAt"] <= found["LastActiveAt"]
        with pytest.raises(ClientError) as too_long:
            api.post_to_connection(ConnectionId=name, Data=b"x" * (MESSAGE_BYTES + 1))
        assert too_long.value.response["Error"]["Code"] == "PayloadTooLargeException"
        api.delete_connection(ConnectionId=name)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)
    wait_for(lambda: _is_gone(api, name) or None)


def _is_gone(api: Any, name: str) -> bool:
    try:
        api.post_to_connection(ConnectionId=name, Data=b"hello?")
    except api.exceptions.GoneException as gone:
        assert gone.response["ResponseMetadata"]["HTTPStatusCode"] == 410
        return True
    return False


def test_nobody_manages_connections_without_a_signature(laptop: Laptop, http: httpx2.Client) -> None:
    assert http.post("/live/@connections/abc", content=b"x").status_code == 403


def test_a_room_needs_the_permission_to_manage_connections(laptop: Laptop) -> None:
    iam, role = laptop.client("iam"), laptop.physical_id("AWS::IAM::Role", "-Role")
    denial = {
        "Effect": "Deny",
        "Action": "execute-api:ManageConnections",
        "Resource": "arn:aws:execute-api:*:*:*/live/POST/@connections/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    iam.put_role_policy(RoleName=role, PolicyName="Denied", PolicyDocument=document)
    try:
        with client(laptop) as socket:
            socket.send(json.dumps({"action": "post", "texts": ["one"]}))
            assert said(socket)["message"] == "Internal server error"
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Denied")


@pytest.mark.parametrize("limit_s", [IDLE_LIMIT_S, LIFE_LIMIT_S])
def test_time_ends_a_connection(laptop: Laptop, word: str, limit_s: float) -> None:
    with client(laptop, query=f"token=right&word={word}") as socket:
        name = id_of(laptop, word)
        laptop.clock.advance(limit_s + 1)
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(timeout=20)
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1001, "Going away")
    left = next(e for e in wait_kept(laptop, name, 2) if e["requestContext"]["eventType"] == "DISCONNECT")
    assert left["requestContext"]["disconnectStatusCode"] == 1001


def test_traffic_keeps_a_connection(laptop: Laptop) -> None:
    with client(laptop) as socket:
        for _ in range(3):
            laptop.clock.advance(IDLE_LIMIT_S - 60)
            socket.send("still here")
            assert said(socket)["saw"] == "still here"


def test_the_http_api_is_on_the_same_port(http: httpx2.Client) -> None:
    assert http.get("/things/1").status_code == 200


def test_a_handshake_that_is_none_is_refused(http: httpx2.Client) -> None:
    response = http.get("/live?token=right", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert response.status_code == 400


@pytest.mark.parametrize("expression", ["$request.header.x", "", "${request.body.a} ${request.body.b}"])
def test_a_selection_that_the_laptop_does_not_know_fails_the_deployment(expression: str) -> None:
    parts = HttpApiParts({"A": {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": expression}})
    with pytest.raises(DeployError, match="RouteSelectionExpression"):
        socket_api_of(parts)
