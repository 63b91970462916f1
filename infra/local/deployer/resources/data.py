"""Tables, buckets and keys, with the settings that a handler can notice (streams, TTL, versioning)."""

from __future__ import annotations

from typing import Any

from infra.local import place
from infra.local.deployer.resource import Created, Resource, Target

_TABLE_PROPERTIES = ("KeySchema", "AttributeDefinitions", "BillingMode")


def table(resource: Resource, target: Target) -> Created:
    """Create a table with its indexes, stream, expiry and recovery."""
    properties = resource.properties
    dynamodb = target.client("dynamodb")
    request: dict[str, Any] = resource.pick(*_TABLE_PROPERTIES)
    if indexes := properties.get("GlobalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [_index(index) for index in indexes]
    if stream := properties.get("StreamSpecification"):
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
    name = resource.name("TableName", 255)
    created = dynamodb.create_table(TableName=name, **request)["TableDescription"]
    _settle(dynamodb, name, properties)
    attributes = {"Arn": created["TableArn"], "StreamArn": created.get("LatestStreamArn", "")}
    return Created(name, attributes)


def global_table(resource: Resource, target: Target) -> Created:
    """Create a global table as the one table that its only replica is."""
    replica: dict[str, Any] = next(iter(resource.properties.get("Replicas", [])), {})
    properties = {**resource.properties, **{k: v for k, v in replica.items() if k.startswith("PointInTime")}}
    return table(Resource(resource.stack, resource.logical_id, resource.type, properties), target)


def bucket(resource: Resource, target: Target) -> Created:
    """Create a bucket; moto holds its objects in memory."""
    name = resource.name("BucketName", 63).lower()
    s3 = target.client("s3")
    s3.create_bucket(Bucket=name)
    if versioning := resource.properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    domain = f"{name}.s3.amazonaws.com"
    return Created(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": domain})


def key(resource: Resource, target: Target) -> Created:
    """Create a key, so that what refers to it has an ARN; the laptop encrypts nothing with it."""
    metadata = target.client("kms").create_key(Description=resource.properties.get("Description", ""))[
        "KeyMetadata"
    ]
    return Created(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})


def key_alias(resource: Resource, target: Target) -> Created:
    """Name a key."""
    name = resource.properties["AliasName"]
    target.client("kms").create_alias(AliasName=name, TargetKeyId=resource.properties["TargetKeyId"])
    return Created(name, {"Arn": f"arn:aws:kms:{place.REGION}:{place.ACCOUNT_ID}:{name}"})


def _index(index: dict[str, Any]) -> dict[str, Any]:
    return {name: index[name] for name in ("IndexName", "KeySchema", "Projection") if name in index}


def _settle(dynamodb: Any, name: str, properties: dict[str, Any]) -> None:
    if expiry := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryEnabled"]
            },
        )
