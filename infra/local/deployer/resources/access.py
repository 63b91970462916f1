"""Handlers of roles and policies."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from botocore.client import BaseClient

from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import Created, Record, Resource, Target
from infra.local.iam.policies import Policies, UnknownCondition


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
    """Create a managed policy, and attach it to its roles."""
    name = resource.name("ManagedPolicyName")
    document = _checked(resource.properties["PolicyDocument"])
    arn = target.client("iam").create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    for role_name in resource.properties.get("Roles", []):
        target.client("iam").attach_role_policy(RoleName=role_name, PolicyArn=arn)
    return Created(arn, {"PolicyArn": arn})


def _put(iam: BaseClient, role_name: str, properties: dict[str, Any]) -> None:
    iam.put_role_policy(
        RoleName=role_name,
        PolicyName=properties["PolicyName"],
        PolicyDocument=_checked(properties["PolicyDocument"]),
    )


def _checked(document: dict[str, Any]) -> str:
    """Return a policy as JSON; refuse at deployment one that the laptop cannot evaluate."""
    try:
        Policies([document])
    except UnknownCondition as unknown:
        raise DeployError(str(unknown)) from None
    return json.dumps(document)


def update_role(resource: Resource, before: Record, target: Target) -> Created:
    """Replace the trust policy and the inline policies of a role."""
    iam, name = target.client("iam"), before.created.ref
    document = json.dumps(resource.properties["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
    for policy_name in _policy_names(before.resource) - _policy_names(resource):
        iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
    for policy_properties in resource.properties.get("Policies", []):
        _put(iam, name, policy_properties)
    return before.created


def delete_role(record: Record, target: Target) -> None:
    """Delete a role with its inline policies, and detach its managed ones."""
    iam, name = target.client("iam"), record.created.ref
    for policy_name in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
    iam.delete_role(RoleName=name)


def update_policy(resource: Resource, before: Record, target: Target) -> Created:
    """Replace an inline policy in its old and new roles."""
    delete_policy(before, target)
    return policy(resource, target)


def delete_policy(record: Record, target: Target) -> None:
    """Delete an inline policy from those of its roles that still exist."""
    iam, name = target.client("iam"), record.resource.properties["PolicyName"]
    for role_name in record.resource.properties.get("Roles", []):
        with contextlib.suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_policy(RoleName=role_name, PolicyName=name)


def update_managed_policy(resource: Resource, before: Record, target: Target) -> Created:
    """Give a managed policy a new default version, and attach it to its new roles."""
    iam, arn = target.client("iam"), before.created.ref
    old = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = _checked(resource.properties["PolicyDocument"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    # A policy has five versions at most.
    iam.delete_policy_version(PolicyArn=arn, VersionId=old)
    wanted, had = (set(one.properties.get("Roles", [])) for one in (resource, before.resource))
    for role_name in had - wanted:
        iam.detach_role_policy(RoleName=role_name, PolicyArn=arn)
    for role_name in wanted - had:
        iam.attach_role_policy(RoleName=role_name, PolicyArn=arn)
    return before.created


def delete_managed_policy(record: Record, target: Target) -> None:
    """Detach and delete a managed policy."""
    iam, arn = target.client("iam"), record.created.ref
    for role_found in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]:
        iam.detach_role_policy(RoleName=role_found["RoleName"], PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def _policy_names(resource: Resource) -> set[str]:
    return {str(found["PolicyName"]) for found in resource.properties.get("Policies", [])}
