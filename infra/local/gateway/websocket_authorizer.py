"""The authorizer of `$connect`: a function that answers with a policy, which is read as IAM reads one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from infra.local import account
from infra.local.gateway.websocket_events import Event, Visit
from infra.local.gateway.websocket_parts import CONNECT, SocketAuthorizer
from infra.local.iam.policies import Decision, Policies


class ConnectRefused(Exception):
    """The client does not get in."""

    def __init__(self, status: int, text: str) -> None:
        """Keep API Gateway's own words."""
        super().__init__(text)
        self.status = status
        self.body = json.dumps({"message": text})


def authorize(
    authorizer: SocketAuthorizer, visit: Visit, event: Event, invoke: Callable[[bytes], bytes | None]
) -> dict[str, str]:
    """Ask the function and give what it wants to be known of the caller later on."""
    if not all(_source(kind, name, visit, event) for kind, name in authorizer.sources):
        raise ConnectRefused(401, "Unauthorized")
    method_arn = (
        f"arn:{account.PARTITION}:execute-api:{account.REGION}:{account.ACCOUNT_ID}"
        f":{visit.api.id}/{visit.stage}/{CONNECT}"
    )
    question = {key: value for key, value in event.items() if key != "isBase64Encoded"}
    payload = invoke(json.dumps({**question, "type": "REQUEST", "methodArn": method_arn}).encode())
    principal, policies, context = _read(payload)
    if policies.decide("execute-api:Invoke", method_arn, dict) is not Decision.ALLOWED:
        raise ConnectRefused(403, "User is not authorized to access this resource")
    return {**{name: _text(value) for name, value in context.items()}, "principalId": principal}


def _source(kind: str, name: str, visit: Visit, event: Event) -> str | None:
    if kind == "header":
        return visit.request.header(name.lower())
    found: str | None = event.get("queryStringParameters", {}).get(name)
    return found


def _read(payload: bytes | None) -> tuple[str, Policies, dict[str, Any]]:
    """Take an answer apart; one that is no policy is the API's failure, not the client's."""
    try:
        answer = json.loads(payload or b"")
        return str(answer["principalId"]), Policies([answer["policyDocument"]]), answer.get("context") or {}
    except (ValueError, KeyError, TypeError):
        raise ConnectRefused(500, "Internal server error") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
