"""What must outlive every deployment: tables, the bucket, the bus and schedules, apart from the code that changes daily."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import allowances
from infra.constructs.allowances import arns_of
from infra.constructs.schedules import schedule_group
from infra.constructs.stream import stream_output
from infra.constructs.table import PlatformTable, removal_policy
from infra.names import Names
from infra.stacks.base import StageStack
from infra.tables import TABLES


class DataBucket(Construct):
    """Data sets and large journal bodies, private, encrypted, and recoverable for a month after a slip."""

    def __init__(self, scope: Construct, config: StageConfig) -> None:
        super().__init__(scope, "Data")
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=arns_of(Stack.of(self), config.stage).data_bucket_name(),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget-what-was-replaced",
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                    noncurrent_version_expiration=Duration.days(30),
                )
            ],
            removal_policy=removal_policy(config),
        )
        allowances.NO_ACCESS_LOG.on(self.bucket)
        self._tell_the_bus()

    def _tell_the_bus(self) -> None:
        """Send the bucket's events to EventBridge; the CDK's own way to say so would deploy a function of its own."""
        written = self.bucket.node.default_child
        assert isinstance(written, s3.CfnBucket)
        to_bus = s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        written.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=to_bus
        )


class DataStack(StageStack):
    """The stateful stack; the others can be deleted and made again at any time."""

    def __init__(self, scope: Construct, config: StageConfig) -> None:
        super().__init__(scope, "data", config, termination_protection=config.termination_protection)
        for spec in TABLES.values():
            table = PlatformTable(self, spec, config)
            if spec.streams_new_images:
                CfnOutput(self, stream_output(spec.name), value=table.resource.attr_stream_arn)
        DataBucket(self, config)
        # Both belong here because what others have put on or into them must outlive the functions.
        events.CfnEventBus(self, "Events", name=Names(config.stage).bus())
        schedule_group(self, config)
