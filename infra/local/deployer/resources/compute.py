"""Functions and their log groups; the code of a function is run from the assembly, never copied."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from infra.local import place
from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import Created, Resource, Target
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
    return Created(name, {"Arn": f"arn:aws:logs:{place.REGION}:{place.ACCOUNT_ID}:log-group:{name}:*"})


def function(resource: Resource, target: Target) -> Created:
    """Create a function twice: in moto, so that the API knows it, and in the executor, so that it runs."""
    properties = resource.properties
    spec = _spec(resource, target)
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


def _spec(resource: Resource, target: Target) -> FunctionSpec:
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
