"""Handlers of tables, buckets and keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botocore.client import BaseClient

from infra.local import account
from infra.local.deployer.resource import Created, Record, Resource, Target

_KINDS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


def notification_request(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a template's `NotificationConfiguration` in the API's form."""
    request: dict[str, Any] = {}
    for kind, (name, target, arn) in _KINDS.items():
        configurations = [_notification(given, target, arn) for given in properties.get(kind, [])]
        if configurations:
            request[name] = configurations
    to_bus = properties.get("EventBridgeConfiguration")
    if to_bus is not None and str(to_bus.get("EventBridgeEnabled", True)).lower() == "true":
        request["EventBridgeConfiguration"] = {}
    return request


def _notification(given: dict[str, Any], target: str, arn: str) -> dict[str, Any]:
    translated: dict[str, Any] = {arn: given[target], "Events": [given["Event"]]}
    if "Filter" in given:
        translated["Filter"] = {"Key": {"FilterRules": given["Filter"]["S3Key"]["Rules"]}}
    return translated


_TABLE_PROPERTIES = ("KeySchema", "AttributeDefinitions", "BillingMode")


def table(resource: Resource, target: Target) -> Created:
    """Create a table with its indexes, stream, time to live and recovery."""
    properties = resource.properties
    dynamodb = target.client("dynamodb")
    request: dict[str, Any] = resource.pick(*_TABLE_PROPERTIES)
    if indexes := properties.get("GlobalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [_index(index) for index in indexes]
    if stream := properties.get("StreamSpecification"):
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
    name = resource.name("TableName", 255)
    created = dynamodb.create_table(TableName=name, **request)["TableDescription"]
    _put_settings(dynamodb, name, properties)
    attributes = {"Arn": created["TableArn"], "StreamArn": created.get("LatestStreamArn", "")}
    return Created(name, attributes)


def global_table(resource: Resource, target: Target) -> Created:
    """Create a global table as the table of its only replica."""
    return table(_only_replica(resource), target)


def bucket(resource: Resource, target: Target) -> Created:
    """Create a bucket."""
    name = resource.name("BucketName", 63).lower()
    s3 = target.client("s3")
    s3.create_bucket(Bucket=name)
    _configure(s3, name, resource)
    domain = f"{name}.s3.amazonaws.com"
    return Created(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": domain})


def key(resource: Resource, target: Target) -> Created:
    """Create a key for its ARN; the laptop encrypts nothing with it."""
    metadata = target.client("kms").create_key(Description=resource.properties.get("Description", ""))[
        "KeyMetadata"
    ]
    return Created(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})


def key_alias(resource: Resource, target: Target) -> Created:
    """Create an alias of a key."""
    name = resource.properties["AliasName"]
    target.client("kms").create_alias(AliasName=name, TargetKeyId=resource.properties["TargetKeyId"])
    return Created(name, {"Arn": f"arn:aws:kms:{account.REGION}:{account.ACCOUNT_ID}:{name}"})


def _index(index: dict[str, Any]) -> dict[str, Any]:
    return {name: index[name] for name in ("IndexName", "KeySchema", "Projection") if name in index}


def _put_settings(dynamodb: BaseClient, name: str, properties: dict[str, Any]) -> None:
    if expiry := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryEnabled"]
            },
        )


def update_table(resource: Resource, before: Record, target: Target) -> Created:
    """Update a table's indexes and settings; its items stay."""
    dynamodb, name = target.client("dynamodb"), before.created.ref
    _update_indexes(dynamodb, name, resource, before.resource)
    old, new = before.resource.properties, resource.properties
    if old.get("StreamSpecification") != new.get("StreamSpecification"):
        _update_stream(dynamodb, name, new.get("StreamSpecification"))
    _put_settings(dynamodb, name, {key: value for key, value in new.items() if old.get(key) != value})
    described = dynamodb.describe_table(TableName=name)["Table"]
    return Created(name, {"Arn": described["TableArn"], "StreamArn": described.get("LatestStreamArn", "")})


def update_global_table(resource: Resource, before: Record, target: Target) -> Created:
    """Update the table of a global table's only replica."""
    was = Record(_only_replica(before.resource), before.created)
    return update_table(_only_replica(resource), was, target)


def delete_table(record: Record, target: Target) -> None:
    """Delete a table with its items."""
    target.client("dynamodb").delete_table(TableName=record.created.ref)


def update_bucket(resource: Resource, before: Record, target: Target) -> Created:
    """Update a bucket's settings; its objects stay."""
    _configure(target.client("s3"), before.created.ref, resource)
    return before.created


def delete_bucket(record: Record, target: Target) -> None:
    """Delete a bucket; AWS refuses one that has objects."""
    target.client("s3").delete_bucket(Bucket=record.created.ref)


def update_key(resource: Resource, before: Record, target: Target) -> Created:
    """Update the description of a key."""
    description = resource.properties.get("Description", "")
    target.client("kms").update_key_description(KeyId=before.created.ref, Description=description)
    return before.created


def delete_key(record: Record, target: Target) -> None:
    """Schedule the deletion of a key after the shortest time that AWS allows."""
    target.client("kms").schedule_key_deletion(KeyId=record.created.ref, PendingWindowInDays=7)


def update_key_alias(resource: Resource, before: Record, target: Target) -> Created:
    """Point an alias to another key."""
    name, key_id = before.created.ref, resource.properties["TargetKeyId"]
    target.client("kms").update_alias(AliasName=name, TargetKeyId=key_id)
    return before.created


def delete_key_alias(record: Record, target: Target) -> None:
    """Delete the alias of a key."""
    target.client("kms").delete_alias(AliasName=record.created.ref)


def _only_replica(resource: Resource) -> Resource:
    replica: dict[str, Any] = next(iter(resource.properties.get("Replicas", [])), {})
    properties = {**resource.properties, **{k: v for k, v in replica.items() if k.startswith("PointInTime")}}
    return replace(resource, properties=properties)


def _configure(s3: BaseClient, name: str, resource: Resource) -> None:
    if versioning := resource.properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if notifications := resource.properties.get("NotificationConfiguration"):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration=notification_request(notifications)
        )


def _update_indexes(dynamodb: BaseClient, name: str, resource: Resource, before: Resource) -> None:
    old, new = (
        {index["IndexName"]: _index(index) for index in one.properties.get("GlobalSecondaryIndexes", [])}
        for one in (before, resource)
    )
    gone = [{"Delete": {"IndexName": found}} for found in old if new.get(found) != old[found]]
    made = [{"Create": index} for found, index in new.items() if old.get(found) != index]
    # DynamoDB changes one index a call.
    for change in (*gone, *made):
        dynamodb.update_table(
            TableName=name,
            AttributeDefinitions=resource.properties["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[change],
        )


def _update_stream(dynamodb: BaseClient, name: str, wanted: dict[str, Any] | None) -> None:
    described = dynamodb.describe_table(TableName=name)["Table"]
    if described.get("StreamSpecification", {}).get("StreamEnabled"):
        dynamodb.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    if wanted is not None:
        view = wanted["StreamViewType"]
        dynamodb.update_table(
            TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": view}
        )
