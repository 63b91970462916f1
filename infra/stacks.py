"""The units of deployment, in the order in which they deploy, split by how long their contents live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.bundling import Bundler
from infra.config import StageConfig
from infra.constructs import suppressions
from infra.constructs.api import HttpApi
from infra.constructs.event_sources import ScheduleRole, follow, schedule_group, start_by_rules, stream_output
from infra.constructs.function import PlatformFunction
from infra.constructs.machine import Machine, WorkflowMachines
from infra.constructs.permissions import Rule
from infra.constructs.queue import FailureQueue, FunctionQueue, feed
from infra.constructs.stage import StageStack, removal_policy
from infra.constructs.suppressions import arns_of
from infra.constructs.table import PlatformTable
from infra.function_configs import FunctionConfig
from infra.names import Names
from infra.tables import TABLES


class DataBucket(Construct):
    """Data sets and large journal bodies: private, encrypted, recoverable for a month."""

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
        suppressions.NO_ACCESS_LOG.on(self.bucket)
        self._tell_the_bus()

    def _tell_the_bus(self) -> None:
        """Send the bucket's events to EventBridge without the function that the CDK would add."""
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


class QueuesStack(StageStack):
    """The queues of functions, and queues of failures for those that others start."""

    def __init__(self, scope: Construct, functions: Sequence[FunctionConfig], config: StageConfig) -> None:
        super().__init__(scope, "queues", config)
        for function in functions:
            if function.queue:
                FunctionQueue(self, function, config)
            if function.keeps_failures:
                FailureQueue(self, function, config)


class FunctionsStack(StageStack):
    """Every function of the `functions` folder."""

    def __init__(
        self,
        scope: Construct,
        functions: Sequence[FunctionConfig],
        words: Mapping[str, Rule],
        bundle: Bundler,
        config: StageConfig,
    ) -> None:
        super().__init__(scope, "functions", config)
        for spec in functions:
            made = PlatformFunction(self, spec, config, words, bundle(spec))
            if spec.queue:
                feed(made, spec, made.function, arns_of(self, config.stage))
            if spec.stream:
                follow(made, spec, made.function, arns_of(self, config.stage))
            if spec.is_asynchronous:
                start_by_rules(made, spec, made.function, arns_of(self, config.stage))
            if spec.on_schedules:
                ScheduleRole(self, spec, arns_of(self, config.stage))


class MachinesStack(StageStack):
    """Every machine of the `statemachines` folder, and what the machines of workflows share."""

    def __init__(
        self,
        scope: Construct,
        files: Mapping[str, Path],
        functions: Sequence[FunctionConfig],
        config: StageConfig,
    ) -> None:
        super().__init__(scope, "machines", config)
        for name, file in files.items():
            Machine(self, name, file, functions, config)
        WorkflowMachines(self, config)


class ApiStack(StageStack):
    """The HTTP API, with its address as the one output that people need."""

    def __init__(self, scope: Construct, functions: Sequence[FunctionConfig], config: StageConfig) -> None:
        super().__init__(scope, "api", config)
        api = HttpApi(self, functions, config)
        CfnOutput(
            self, "ApiUrl", value=api.resource.attr_api_endpoint, description="Where the HTTP API answers"
        )
