"""The permissions that calls need, by the service authorization reference."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local import account
from infra.local.engine.states import tokens
from infra.local.iam.calls import Call, Need, arn
from infra.local.iam.dynamodb_needs import dynamodb_needs
from infra.local.iam.s3_needs import s3_needs

_FUNCTION = re.compile(r"^/20\d\d-\d\d-\d\d/functions/([^/]+)(?:/(invocations|invoke-async))?/?$")
_MODEL = re.compile(r"^/model/(.+)/(converse|converse-stream|invoke|invoke-with-response-stream)$")
_PROFILE = re.compile(r"^(us|eu|apac|jp|au|global)\.")
_SCHEDULE = re.compile(r"^/schedules/([^/]+)$")
_SCHEDULE_VERBS = {"POST": "Create", "GET": "Get", "PUT": "Update", "DELETE": "Delete"}


def needs_of(call: Call) -> list[Need]:
    """List the permissions that a call needs; an unknown call needs its whole service."""
    if call.service in _BY_SERVICE:
        return _BY_SERVICE[call.service](call)
    target, _, operation = call.header("x-amz-target").partition(".")
    if operation:
        service, resource_of = _BY_TARGET.get(target, (call.service, _everything))
        return [Need(f"{service}:{operation}", resource_of(call.document))]
    action = call.form.get("Action") or call.query.get("Action")
    return [Need(f"{call.service}:{action or call.method + ' ' + call.path}", "*")]


def _dynamodb(call: Call) -> list[Need]:
    return dynamodb_needs(call, call.header("x-amz-target").partition(".")[2])


def _lambda(call: Call) -> list[Need]:
    found = _FUNCTION.match(call.path)
    if found is None:
        return [Need(f"lambda:{call.method} {call.path}", "*")]
    action = "InvokeFunction" if found[2] else f"{_SCHEDULE_VERBS[call.method]}Function"
    return [Need(f"lambda:{action}", account.function_arn(account.function_name(found[1])))]


def _bedrock(call: Call) -> list[Need]:
    found = _MODEL.match(call.path)
    if found is None:
        return [Need(f"bedrock:{call.method} {call.path}", "*")]
    action = "InvokeModelWithResponseStream" if found[2].endswith("stream") else "InvokeModel"
    name = found[1]
    if name.startswith("arn:"):
        return [Need(f"bedrock:{action}", name)]
    # AWS has a list of the inference profiles across regions; the laptop knows one by its prefix.
    if _PROFILE.match(name):
        return [Need(f"bedrock:{action}", arn("bedrock", f"inference-profile/{name}"))]
    return [
        Need(
            f"bedrock:{action}", f"arn:{account.PARTITION}:bedrock:{account.REGION}::foundation-model/{name}"
        )
    ]


def _scheduler(call: Call) -> list[Need]:
    found = _SCHEDULE.match(call.path)
    if found is None:
        return [Need(f"scheduler:{call.method} {call.path}", "*")]
    group = call.document.get("GroupName") or call.query.get("groupName") or "default"
    needs = [
        Need(
            f"scheduler:{_SCHEDULE_VERBS[call.method]}Schedule",
            arn("scheduler", f"schedule/{group}/{found[1]}"),
        )
    ]
    return [*needs, *_passed(call.document.get("Target", {}).get("RoleArn"), "scheduler.amazonaws.com")]


def _states(call: Call) -> list[Need]:
    operation, body = call.header("x-amz-target").partition(".")[2], call.document
    machine, execution = body.get("stateMachineArn"), body.get("executionArn")
    if operation.startswith("SendTask"):
        backend = stepfunctions_parser_backends[account.ACCOUNT_ID][account.REGION]
        machine = tokens.machine_of(backend, body.get("taskToken", ""))
        if machine is None:
            return []  # a late answer changes nothing: the service itself refuses the token
    if operation == "CreateStateMachine":
        machine = arn("states", f"stateMachine:{body.get('name')}")
    return [
        Need(f"states:{operation}", str(execution or machine or "*")),
        *_passed(body.get("roleArn"), "states.amazonaws.com"),
    ]


def _passed(role: str | None, service: str) -> list[Need]:
    return [Need("iam:PassRole", role, {"iam:PassedToService": [service]})] if role else []


def _sqs(call: Call) -> list[Need]:
    operation = call.header("x-amz-target").partition(".")[2] or call.form.get("Action", "")
    url = call.document.get("QueueUrl") or call.form.get("QueueUrl", "")
    queue = urlsplit(url).path.rsplit("/", 1)[-1] or call.document.get("QueueName")
    # The batch actions have no permissions of their own.
    return [Need(f"sqs:{operation.removesuffix('Batch')}", arn("sqs", queue) if queue else "*")]


def _events(call: Call) -> list[Need]:
    operation, body = call.header("x-amz-target").partition(".")[2], call.document
    if operation == "PutEvents":
        buses = dict.fromkeys(entry.get("EventBusName") or "default" for entry in body.get("Entries", []))
        return [Need("events:PutEvents", _bus_arn(bus)) for bus in buses]
    name = body.get("Name") or body.get("Rule")
    bus = body.get("EventBusName")
    path = f"rule/{bus}/{name}" if bus and bus != "default" else f"rule/{name}"
    return [Need(f"events:{operation}", arn("events", path) if name else "*")]


def _bus_arn(bus: str) -> str:
    return bus if bus.startswith("arn:") else arn("events", f"event-bus/{bus}")


def _everything(_: dict[str, Any]) -> str:
    return "*"


def _secret(body: dict[str, Any]) -> str:
    # AWS appends six characters to a secret's name; question marks fit every pattern that would fit those.
    name = str(body.get("SecretId") or body.get("Name") or "*")
    return name if name.startswith("arn:") or name == "*" else arn("secretsmanager", f"secret:{name}-??????")


def _parameter(body: dict[str, Any]) -> str:
    name = str(body.get("Name") or body.get("Path") or "").lstrip("/")
    return arn("ssm", f"parameter/{name}") if name else "*"


def _key(body: dict[str, Any]) -> str:
    name = str(body.get("KeyId") or "*")
    return name if name.startswith("arn:") or name == "*" else arn("kms", f"key/{name}")


def _log_group(body: dict[str, Any]) -> str:
    group, stream = body.get("logGroupName"), body.get("logStreamName")
    if not group:
        return "*"
    return arn("logs", f"log-group:{group}:" + (f"log-stream:{stream}" if stream else ""))


_BY_SERVICE: Mapping[str, Callable[[Call], list[Need]]] = {
    "bedrock": _bedrock,
    "dynamodb": _dynamodb,
    "events": _events,
    "lambda": _lambda,
    "s3": s3_needs,
    "scheduler": _scheduler,
    "sqs": _sqs,
    "states": _states,
}
"""Signing name → what lists the permissions of the service's calls."""

_BY_TARGET: Mapping[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "secretsmanager": ("secretsmanager", _secret),
    "AmazonSSM": ("ssm", _parameter),
    "TrentService": ("kms", _key),
    "Logs_20140328": ("logs", _log_group),
    "GraniteServiceVersion20100801": ("cloudwatch", _everything),
}
"""Prefix of `X-Amz-Target` → the service's name in policies, and what reads its resource."""
