"""A WSGI application before the local AWS that passes what the caller's role grants.

It checks every call of every function, and refuses in the format of the service, which clients distinguish. A caller
without a known key is the operator: the laptop itself, a test, a person's own client.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from xml.sax.saxutils import escape

from infra.local import account
from infra.local.iam.calls import Call, Need, read_call
from infra.local.iam.needs import needs_of
from infra.local.iam.policies import Context, Decision, Policies
from infra.local.iam.principals import Principal, PrincipalOf, Roles
from infra.local.iam.s3_needs import bucket_arn

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers, body."""


def refusal(call: Call, principal: Principal, need: Need, decision: Decision) -> Answer:
    """Return the response that refuses one call."""
    text = _message(call, principal, need, decision)
    if call.service == "s3":
        return _s3_answer(call, text)
    if call.service in ("lambda", "bedrock"):
        return _json_answer("403 Forbidden", {"Message": text}, ("x-amzn-ErrorType", "AccessDeniedException"))
    if call.service == "sqs":
        document = {"__type": "com.amazonaws.sqs#AccessDeniedException", "message": text}
        return _json_answer("403 Forbidden", document, ("x-amzn-query-error", "AccessDenied;Sender"))
    if call.form.get("Action") and not call.header("x-amz-target"):
        return _xml_answer(
            "403 Forbidden",
            f"<ErrorResponse><Error><Type>Sender</Type>{_error_xml(text)}</Error></ErrorResponse>",
        )
    document = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": text}
    return _json_answer("400 Bad Request", document, ("x-amzn-ErrorType", "AccessDeniedException"))


def _message(call: Call, principal: Principal, need: Need, decision: Decision) -> str:
    # SQS writes actions in lower case; S3 puts resources in quotes.
    action = need.action.lower() if call.service == "sqs" else need.action
    resource = f'"{need.resource}"' if call.service == "s3" else need.resource
    reason = (
        "with an explicit deny in an identity-based policy"
        if decision is Decision.DENIED
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}"


def _s3_answer(call: Call, text: str) -> Answer:
    status, headers, body = _xml_answer("403 Forbidden", f"<Error>{_error_xml(text)}</Error>")
    return status, headers, b"" if call.method == "HEAD" else body


def _error_xml(text: str) -> str:
    return f"<Code>AccessDenied</Code><Message>{escape(text)}</Message>"


def _json_answer(status: str, document: dict[str, str], header: tuple[str, str]) -> Answer:
    return (
        status,
        [("Content-Type", "application/x-amz-json-1.0"), header, _request_id()],
        json.dumps(document).encode(),
    )


def _xml_answer(status: str, text: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return status, [("Content-Type", "application/xml"), _request_id()], body


def _request_id() -> tuple[str, str]:
    return "x-amzn-RequestId", str(uuid.uuid4())


_FREE = frozenset({"sts:GetCallerIdentity"})
"""Actions that need no permission."""


class Guard:
    """A WSGI application around moto's."""

    def __init__(self, application: WSGIApplication) -> None:
        """Pass every call until roles are bound."""
        self._application = application
        self._bound: tuple[PrincipalOf, Roles] | None = None
        self.used: set[tuple[str, str, str]] = set()
        """(role, action, resource) of every permission that was used."""
        self.refused: set[tuple[str, str, str]] = set()
        """(role, action, resource) of every permission that was lacking."""

    def bind(self, principal_of: PrincipalOf, roles: Roles) -> None:
        """Hold later callers to their roles."""
        self._bound = principal_of, roles

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass one request to the application, or refuse it."""
        call = read_call(environ)
        if call is None or self._bound is None:
            return self._application(environ, start_response)
        principal_of, roles = self._bound
        principal = principal_of(call.access_key)
        policies = None if principal is None else roles.policies(principal.role)
        if principal is not None and policies is not None:
            return self._guarded(call, principal, policies, start_response)
        try:
            return self._application(environ, start_response)
        finally:
            if call.service == "iam":
                roles.forget()

    def refusal(self, access_key: str, need: Need) -> str | None:
        """Return why a key lacks a permission, for calls that moto does not get; None if granted."""
        if self._bound is None:
            return None
        principal_of, roles = self._bound
        principal = principal_of(access_key)
        policies = None if principal is None else roles.policies(principal.role)
        if principal is None or policies is None:
            return None
        decision = self._decide(principal, policies, need)
        return None if decision is Decision.ALLOWED else f"{principal.arn}: {need.action}: {decision.value}"

    def may_invoke(self, access_key: str, function_arn: str) -> bool:
        """Return whether a key may invoke a function, for invocations that bypass this guard."""
        return self.refusal(access_key, Need("lambda:InvokeFunction", function_arn)) is None

    def _guarded(
        self, call: Call, principal: Principal, policies: Policies, start_response: StartResponse
    ) -> Iterable[bytes]:
        for need in needs_of(call):
            decision = self._decide(principal, policies, need)
            if decision is not Decision.ALLOWED:
                return _send(refusal(call, principal, need, decision), start_response)
        if call.service == "s3" and call.method in ("GET", "HEAD"):
            return self._hiding(call, principal, policies, start_response)
        return self._application(call.environ, start_response)

    def _decide(self, principal: Principal, policies: Policies, need: Need) -> Decision:
        if need.action in _FREE:
            return Decision.ALLOWED
        decision = policies.decide(need.action, need.resource, lambda: _context(principal, need))
        recorded = self.used if decision is Decision.ALLOWED else self.refused
        recorded.add((principal.role, need.action, need.resource))
        return decision

    def _hiding(
        self, call: Call, principal: Principal, policies: Policies, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Refuse instead of 404 if the caller may not list the bucket, as S3 does.

        Otherwise the answer would disclose which objects the bucket lacks.
        """
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            started.append((status, headers))
            return written.append

        body = b"".join(self._application(call.environ, start))
        # An application that fails may start a second time, which replaces the first.
        status, headers = started[-1]
        if status.startswith("404") and "/" in call.path.strip("/"):
            need = Need("s3:ListBucket", bucket_arn(call.path.strip("/").split("/", 1)[0]))
            decision = policies.decide(need.action, need.resource, lambda: _context(principal, need))
            if decision is not Decision.ALLOWED:
                return _send(refusal(call, principal, need, decision), start_response)
        start_response(status, headers)
        return iter([*written, body])


def _context(principal: Principal, need: Need) -> Context:
    base: Mapping[str, list[str]] = {
        "aws:principalarn": [f"arn:{account.PARTITION}:iam::{account.ACCOUNT_ID}:role/{principal.role}"],
        "aws:principalaccount": [account.ACCOUNT_ID],
        "aws:resourceaccount": [account.ACCOUNT_ID],
        "aws:requestedregion": [account.REGION],
        "aws:securetransport": ["true"],
        "aws:currenttime": [datetime.now(UTC).isoformat()],
    }
    return {**base, **{name.lower(): values for name, values in need.context.items()}}


def _send(answer: Answer, start_response: StartResponse) -> Iterator[bytes]:
    status, headers, body = answer
    start_response(status, headers)
    return iter([body])
