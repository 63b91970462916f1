"""Every table is made alike, so that none forgets its encryption, its expiry or its way back in time."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import suppressions
from infra.constructs.stage import removal_policy
from infra.names import Names
from infra.tables import TTL_ATTRIBUTE, Index, TableSpec


class PlatformTable(Construct):
    """A table on demand, with a key that AWS manages: it costs nothing at rest."""

    def __init__(self, scope: Construct, spec: TableSpec, config: StageConfig) -> None:
        super().__init__(scope, spec.name.capitalize())
        self.resource = dynamodb.CfnTable(
            self,
            "Table",
            table_name=Names(config.stage).of(spec.name),
            billing_mode="PAY_PER_REQUEST",
            attribute_definitions=[_string(name) for name in _key_names(spec)],
            key_schema=_keys("pk", "sk"),
            global_secondary_indexes=[_index(index) for index in spec.indexes] or None,
            stream_specification=_stream(spec),
            time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
                attribute_name=TTL_ATTRIBUTE, enabled=True
            ),
            point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=config.point_in_time_recovery
            ),
            sse_specification=dynamodb.CfnTable.SSESpecificationProperty(sse_enabled=True),
            deletion_protection_enabled=config.termination_protection,
        )
        self.resource.apply_removal_policy(removal_policy(config))
        suppressions.COSTS_WHILE_IDLE.only("CKV_AWS_119").on(self.resource)


def _key_names(spec: TableSpec) -> list[str]:
    return ["pk", "sk", *(name for index in spec.indexes for name in index.keys)]


def _string(name: str) -> dynamodb.CfnTable.AttributeDefinitionProperty:
    return dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S")


def _keys(partition: str, sort: str) -> list[dynamodb.CfnTable.KeySchemaProperty]:
    return [
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=partition, key_type="HASH"),
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=sort, key_type="RANGE"),
    ]


def _index(index: Index) -> dynamodb.CfnTable.GlobalSecondaryIndexProperty:
    return dynamodb.CfnTable.GlobalSecondaryIndexProperty(
        index_name=index.name,
        key_schema=_keys(*index.keys),
        projection=dynamodb.CfnTable.ProjectionProperty(
            projection_type="INCLUDE", non_key_attributes=list(index.includes)
        ),
    )


def _stream(spec: TableSpec) -> dynamodb.CfnTable.StreamSpecificationProperty | None:
    if not spec.streams_new_images:
        return None
    return dynamodb.CfnTable.StreamSpecificationProperty(stream_view_type="NEW_IMAGE")
