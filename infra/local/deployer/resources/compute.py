"""Handlers of functions and log groups; code runs from the assembly, without a copy."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from infra.local import account
from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import Created, Record, Resource, Target
from infra.local.executor.spec import FunctionSpec


def log_group(resource: Resource, target: Target) -> Created:
    """Create a log group with its retention."""
    name = resource.name("LogGroupName", 512)
    logs = target.client("logs")
    logs.create_log_group(logGroupName=name)
    if "RetentionInDays" in resource.properties:
        logs.put_retention_policy(
            logGroupName=name, retentionInDays=int(resource.properties["RetentionInDays"])
        )
    return Created(name, {"Arn": f"arn:aws:logs:{account.REGION}:{account.ACCOUNT_ID}:log-group:{name}:*"})


def function(resource: Resource, target: Target) -> Created:
    """Create a function in moto for the API, and in the executor to run it."""
    properties = resource.properties
    spec = spec_of(resource, target)
    target.client("lambda").create_function(
        FunctionName=spec.name,
        Code={"ZipFile": _empty_zip()},
        Timeout=int(spec.timeout_s),
        MemorySize=spec.memory_mb,
        **resource.pick("Handler", "Runtime", "Role", "Environment", "Description", "Architectures"),
    )
    if spec.reserved_concurrency is not None:
        target.client("lambda").put_function_concurrency(
            FunctionName=spec.name, ReservedConcurrentExecutions=spec.reserved_concurrency
        )
    target.register_function(spec)
    return Created(spec.name, {"Arn": spec.arn, "Role": properties["Role"]})


def spec_of(resource: Resource, target: Target) -> FunctionSpec:
    """Return the spec of a function for the executor."""
    properties = resource.properties
    code = properties["Code"]
    if "S3Key" not in code:
        raise DeployError(
            f"{resource.stack}/{resource.logical_id}: only code from an asset runs on the laptop"
        )
    reserved = properties.get("ReservedConcurrentExecutions")
    variables = properties.get("Environment", {}).get("Variables", {})
    return FunctionSpec(
        name=resource.name("FunctionName"),
        handler=properties["Handler"],
        code_dir=target.asset(code["S3Key"]),
        timeout_s=float(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        environment={name: str(value) for name, value in variables.items()},
        reserved_concurrency=None if reserved is None else int(reserved),
        runtime=properties.get("Runtime", "python3.13"),
        role_arn=properties["Role"],
    )


@cache
def _empty_zip() -> bytes:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return buffer.getvalue()


def update_log_group(resource: Resource, before: Record, target: Target) -> Created:
    """Change the retention of a log group."""
    logs, name = target.client("logs"), before.created.ref
    if "RetentionInDays" in resource.properties:
        logs.put_retention_policy(
            logGroupName=name, retentionInDays=int(resource.properties["RetentionInDays"])
        )
    else:
        logs.delete_retention_policy(logGroupName=name)
    return before.created


def delete_log_group(record: Record, target: Target) -> None:
    """Delete a log group."""
    target.client("logs").delete_log_group(logGroupName=record.created.ref)


def update_function(resource: Resource, before: Record, target: Target) -> Created:
    """Update a function; its sandboxes end after their current calls."""
    spec = spec_of(resource, target)
    lambda_ = target.client("lambda")
    lambda_.update_function_configuration(
        FunctionName=spec.name,
        Timeout=int(spec.timeout_s),
        MemorySize=spec.memory_mb,
        **resource.pick("Handler", "Runtime", "Role", "Environment", "Description"),
    )
    if spec.reserved_concurrency is not None:
        lambda_.put_function_concurrency(
            FunctionName=spec.name, ReservedConcurrentExecutions=spec.reserved_concurrency
        )
    elif "ReservedConcurrentExecutions" in before.resource.properties:
        lambda_.delete_function_concurrency(FunctionName=spec.name)
    target.register_function(spec)
    return Created(spec.name, {"Arn": spec.arn, "Role": resource.properties["Role"]})


def delete_function(record: Record, target: Target) -> None:
    """Delete a function and end its sandboxes."""
    target.client("lambda").delete_function(FunctionName=record.created.ref)
    target.forget_function(record.created.ref)
