"""The partitions that calls of DynamoDB touch, and the passing of roles."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from infra.constructs.grants import grant_words
from infra.local.iam.calls import Call
from infra.local.iam.needs import needs_of
from infra.local.iam.policies import Decision, Policies, compile_conditions
from infra.names import Arns, Names

ARNS = Arns(Names("laptop"), "aws", "us-east-1", "123456789012")
WORDS = grant_words([])
REGISTRY, RUNTIME = "stepward-laptop-registry", "stepward-laptop-runtime"
LIMITS = "stepward-laptop-limits"
BEDROCK = "arn:aws:bedrock:us-east-1"


def a_call(service: str, target: str, body: dict[str, Any], path: str = "/", method: str = "POST") -> Call:
    data = json.dumps(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": BytesIO(data),
        "HTTP_X_AMZ_TARGET": target,
    }
    return Call(service, "key", environ)


def of_table(operation: str, body: dict[str, Any]) -> Call:
    return a_call("dynamodb", f"DynamoDB_20120810.{operation}", body)


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "x"}}


def is_granted(word: str, call: Call) -> bool:
    """Ask what a word grants, as the guard does of a role that has it alone."""
    allows = WORDS[word](ARNS).allows
    return all(
        any(
            need.action in allow.actions
            and need.resource in allow.resources
            and compile_conditions(allow.conditions)(
                {name.lower(): values for name, values in need.context.items()}
            )
            for allow in allows
        )
        for need in needs_of(call)
    )


@pytest.mark.parametrize(
    ("word", "operation", "body", "holds"),
    [
        ("registry:configure", "PutItem", {"TableName": REGISTRY, "Item": key("T#acme")}, True),
        ("registry:configure", "PutItem", {"TableName": REGISTRY, "Item": key("ACCOUNT")}, True),
        ("registry:configure", "PutItem", {"TableName": REGISTRY, "Item": key("T#acme#AGENT#helper")}, False),
        (
            "registry:configure",
            "PutItem",
            {"TableName": REGISTRY, "Item": key("T#acme#WORKFLOW#flow")},
            False,
        ),
        ("registry:configure", "PutItem", {"TableName": REGISTRY, "Item": key("PLATFORM#TOOLS")}, False),
        (
            "registry:configure",
            "DeleteItem",
            {"TableName": REGISTRY, "Key": key("T#acme#AGENT#helper")},
            False,
        ),
        ("registry:publish-tools", "PutItem", {"TableName": REGISTRY, "Item": key("PLATFORM#TOOLS")}, True),
        (
            "registry:publish-tools",
            "PutItem",
            {"TableName": REGISTRY, "Item": key("T#acme#AGENT#helper")},
            False,
        ),
        (
            "registry:publish-tools",
            "DeleteItem",
            {"TableName": REGISTRY, "Key": key("PLATFORM#TOOLS")},
            False,
        ),
        (
            "registry:publish-tools",
            "Query",
            {
                "TableName": REGISTRY,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": "T#acme#AGENTS"}},
            },
            False,
        ),
        ("limits:providers", "UpdateItem", {"TableName": LIMITS, "Key": key("PROVIDER#openai#ab")}, True),
        ("limits:providers", "GetItem", {"TableName": LIMITS, "Key": key("PROVIDER#openai")}, True),
        ("limits:providers", "GetItem", {"TableName": LIMITS, "Key": key("T#acme#BREAKER#shop")}, False),
        ("limits:providers", "PutItem", {"TableName": LIMITS, "Item": key("PROVIDER#openai")}, False),
        ("runtime:budget", "UpdateItem", {"TableName": RUNTIME, "Key": key("T#acme#BUDGET")}, True),
        ("runtime:budget", "UpdateItem", {"TableName": RUNTIME, "Key": key("T#acme#R#run_1")}, False),
        ("runtime:budget", "DeleteItem", {"TableName": RUNTIME, "Key": key("T#acme#BUDGET")}, False),
        ("runtime:get", "GetItem", {"TableName": RUNTIME, "Key": key("T#acme#R#run_1")}, True),
        ("runtime:get", "UpdateItem", {"TableName": RUNTIME, "Key": key("T#acme#R#run_1")}, False),
        ("runtime:start", "Query", {"TableName": RUNTIME, "KeyConditionExpression": "pk = :pk"}, False),
        ("runtime:start", "Scan", {"TableName": RUNTIME}, False),
        ("runtime:start", "DeleteItem", {"TableName": RUNTIME, "Key": key("T#acme#SLOT")}, False),
        ("runtime:start", "Query", {"TableName": RUNTIME, "IndexName": "GSI1"}, False),
        ("runtime:start", "Query", {"TableName": RUNTIME, "IndexName": "GSI2"}, True),
        (
            "runtime:start",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": RUNTIME, "Item": key("a")}},
                    {"Delete": {"TableName": RUNTIME, "Key": key("b")}},
                ]
            },
            False,
        ),
    ],
)
def test_a_word_ends_at_its_partitions(word: str, operation: str, body: dict[str, Any], holds: bool) -> None:
    assert is_granted(word, of_table(operation, body)) is holds


@pytest.mark.parametrize(
    ("operation", "secret", "decision"),
    [
        ("GetSecretValue", "stepward/laptop/providers/anthropic/shared", Decision.ALLOWED),
        ("GetSecretValue", "stepward/laptop/providers/openai/acme", Decision.ALLOWED),
        ("GetSecretValue", "stepward/prod/providers/openai/acme", Decision.NOT_ALLOWED),
        ("GetSecretValue", "stepward/laptop/other", Decision.NOT_ALLOWED),
        ("GetSecretValue", "mine", Decision.NOT_ALLOWED),
        ("PutSecretValue", "stepward/laptop/providers/openai/acme", Decision.NOT_ALLOWED),
        ("DeleteSecret", "stepward/laptop/providers/openai/acme", Decision.NOT_ALLOWED),
        ("ListSecrets", None, Decision.NOT_ALLOWED),
    ],
)
def test_secrets_are_read_by_their_names_alone(
    operation: str, secret: str | None, decision: Decision
) -> None:
    statements = [
        {"Effect": "Allow", "Action": list(allow.actions), "Resource": list(allow.resources)}
        for allow in WORDS["providers:read"](ARNS).allows
    ]
    (need,) = needs_of(
        a_call("secretsmanager", f"secretsmanager.{operation}", {"SecretId": secret} if secret else {})
    )
    assert Policies([{"Statement": statements}]).decide(need.action, need.resource, dict) is decision


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("global.anthropic.claude-haiku-5-5", f"{BEDROCK}:123456789012:inference-profile/global.anthropic.claude-haiku-5-5"),
        ("amazon.nova-2-lite-v1:0", f"{BEDROCK}::foundation-model/amazon.nova-2-lite-v1:0"),
        (f"{BEDROCK}:123456789012:inference-profile/eu.x", f"{BEDROCK}:123456789012:inference-profile/eu.x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["converse-stream", "invoke"])
def test_a_call_of_a_model_is_about_its_profile_or_itself(model: str, resource: str, action: str) -> None:
    (need,) = needs_of(a_call("bedrock", "", {}, path=f"/model/{model}/{action}"))
    streams = "WithResponseStream" if action == "converse-stream" else ""
    assert (need.action, need.resource) == (f"bedrock:InvokeModel{streams}", resource)
    statements = [
        {"Effect": "Allow", "Action": list(allow.actions), "Resource": list(allow.resources)}
        for allow in WORDS["models:invoke"](ARNS).allows
    ]
    assert Policies([{"Statement": statements}]).decide(need.action, need.resource, dict) is Decision.ALLOWED


def test_what_else_bedrock_does_no_word_allows() -> None:
    (need,) = needs_of(a_call("bedrock", "", {}, path="/guardrail/g/version/1/apply"))
    assert need.resource == "*"


def test_the_partitions_of_a_call_are_named() -> None:
    body = {
        "TransactItems": [
            {"Put": {"TableName": "t", "Item": key("a")}},
            {"Put": {"TableName": "t", "Item": key("b")}},
        ]
    }
    (need,) = needs_of(of_table("TransactWriteItems", body))
    assert (need.action, need.context) == ("dynamodb:PutItem", {"dynamodb:LeadingKeys": ["a", "b"]})
    batch = {"RequestItems": {"t": {"Keys": [key("a"), key("a"), key("c")]}}}
    (need,) = needs_of(of_table("BatchGetItem", batch))
    assert need.context == {"dynamodb:LeadingKeys": ["a", "c"]}


@pytest.mark.parametrize(
    ("word", "call", "role"),
    [
        (
            "schedules:define",
            a_call(
                "scheduler", "", {"GroupName": "stepward-laptop-triggers", "Target": {"RoleArn": ARNS.schedule_role()}},
                "/schedules/one",
            ),
            ARNS.schedule_role(),
        ),
        (
            "workflows:publish",
            a_call(
                "states", "AWSStepFunctions.CreateStateMachine", {"name": "sw-laptop-1", "roleArn": ARNS.workflow_role()}
            ),
            ARNS.workflow_role(),
        ),
    ],
)  # fmt: skip
def test_a_role_is_passed_to_its_own_service(word: str, call: Call, role: str) -> None:
    (need,) = [one for one in needs_of(call) if one.action == "iam:PassRole"]
    (allow,) = [one for one in WORDS[word](ARNS).allows if "iam:PassRole" in one.actions]
    asks = compile_conditions(allow.conditions)
    assert need.resource == role
    assert asks({name.lower(): values for name, values in need.context.items()})
    assert not asks({"iam:passedtoservice": ["ec2.amazonaws.com"]})
    assert not asks({})
