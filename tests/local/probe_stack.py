"""A function that makes any AWS call it is asked for, and machines with roles of their own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.laptop import Laptop

PROBE = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handle(event, context):
    client = boto3.client(event["service"], config=Config(retries={"total_max_attempts": 1}))
    try:
        getattr(client, event["call"])(**event.get("with", {}))
    except ClientError as error:
        return {**error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    return {"Code": "OK"}
"""

ROLE = "small-probe-role"
USER = f"arn:aws:sts::123456789012:assumed-role/{ROLE}/small-probe"


def probe(trust: dict[str, Any], function: dict[str, Any]) -> dict[str, Any]:
    """The role, without a policy, and the function that has it."""
    function["Properties"]["Role"] = {"Fn::GetAtt": ["ProbeRole", "Arn"]}
    properties = {"RoleName": ROLE, "AssumeRolePolicyDocument": trust}
    return {"ProbeRole": {"Type": "AWS::IAM::Role", "Properties": properties}, "ProbeFunction": function}


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*") -> dict[str, Any]:
    return allow(action, resource, Effect="Deny")


@contextmanager
def granted(laptop: Laptop, *statements: dict[str, Any]) -> Iterator[None]:
    """Give the role these statements, and take them back."""
    iam = laptop.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=ROLE, PolicyName="Grants", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="Grants")


def machine(laptop: Laptop, role: str = ROLE) -> str:
    """Return the machine that calls the echo function once more, with another role."""
    states = laptop.client("stepfunctions")
    known = states.describe_state_machine(
        stateMachineArn=laptop.physical_id("AWS::StepFunctions::StateMachine")
    )
    arn = f"arn:aws:iam::123456789012:role/{role}"
    made = states.create_state_machine(name=uuid.uuid4().hex, definition=known["definition"], roleArn=arn)
    return str(made["stateMachineArn"])


def call(laptop: Laptop, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """Let the function make a call; `Code` is OK or the error's."""
    event = json.dumps({"service": service, "call": operation, "with": arguments})
    answer = laptop.client("lambda").invoke(FunctionName="small-probe", Payload=event)
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    return found
