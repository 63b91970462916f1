"""Roles and policies, so that a template's permissions can be read back from the laptop's IAM."""

from __future__ import annotations

import json
from typing import Any

from infra.local.deployer.resource import Created, Resource, Target


def role(resource: Resource, target: Target) -> Created:
    """Create a role with its inline policies."""
    iam = target.client("iam")
    name = resource.name("RoleName")
    document = json.dumps(resource.properties["AssumeRolePolicyDocument"])
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    for policy_properties in resource.properties.get("Policies", []):
        _put(iam, name, policy_properties)
    return Created(name, {"Arn": created["Arn"], "RoleId": created["RoleId"]})


def policy(resource: Resource, target: Target) -> Created:
    """Attach an inline policy to each of its roles."""
    for name in resource.properties.get("Roles", []):
        _put(target.client("iam"), name, resource.properties)
    return Created(resource.properties["PolicyName"])


def managed_policy(resource: Resource, target: Target) -> Created:
    """Create a policy of its own."""
    name = resource.name("ManagedPolicyName")
    document = json.dumps(resource.properties["PolicyDocument"])
    arn = target.client("iam").create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    for role_name in resource.properties.get("Roles", []):
        target.client("iam").attach_role_policy(RoleName=role_name, PolicyArn=arn)
    return Created(arn, {"PolicyArn": arn})


def _put(iam: Any, role_name: str, properties: dict[str, Any]) -> None:
    iam.put_role_policy(
        RoleName=role_name,
        PolicyName=properties["PolicyName"],
        PolicyDocument=json.dumps(properties["PolicyDocument"]),
    )
