"""Access-denied responses in the format of each service, which clients distinguish."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from infra.local.iam.calls import Call, Need
from infra.local.iam.policies import Decision
from infra.local.iam.principals import Principal

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers, body."""


def refusal(call: Call, principal: Principal, need: Need, decision: Decision) -> Answer:
    """Return the response that refuses one call."""
    text = _text(call, principal, need, decision)
    if call.service == "s3":
        return _s3(call, text)
    if call.service in ("lambda", "bedrock"):
        return _json("403 Forbidden", {"Message": text}, ("x-amzn-ErrorType", "AccessDeniedException"))
    if call.service == "sqs":
        document = {"__type": "com.amazonaws.sqs#AccessDeniedException", "message": text}
        return _json("403 Forbidden", document, ("x-amzn-query-error", "AccessDenied;Sender"))
    if call.form.get("Action") and not call.header("x-amz-target"):
        return _xml(
            "403 Forbidden",
            f"<ErrorResponse><Error><Type>Sender</Type>{_error(text)}</Error></ErrorResponse>",
        )
    document = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": text}
    return _json("400 Bad Request", document, ("x-amzn-ErrorType", "AccessDeniedException"))


def _text(call: Call, principal: Principal, need: Need, decision: Decision) -> str:
    # SQS writes actions in lower case; S3 puts resources in quotes.
    action = need.action.lower() if call.service == "sqs" else need.action
    resource = f'"{need.resource}"' if call.service == "s3" else need.resource
    reason = (
        "with an explicit deny in an identity-based policy"
        if decision is Decision.DENIED
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}"


def _s3(call: Call, text: str) -> Answer:
    status, headers, body = _xml("403 Forbidden", f"<Error>{_error(text)}</Error>")
    return status, headers, b"" if call.method == "HEAD" else body


def _error(text: str) -> str:
    return f"<Code>AccessDenied</Code><Message>{escape(text)}</Message>"


def _json(status: str, document: dict[str, str], header: tuple[str, str]) -> Answer:
    return (
        status,
        [("Content-Type", "application/x-amz-json-1.0"), header, _request_id()],
        json.dumps(document).encode(),
    )


def _xml(status: str, text: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return status, [("Content-Type", "application/xml"), _request_id()], body


def _request_id() -> tuple[str, str]:
    return "x-amzn-RequestId", str(uuid.uuid4())
