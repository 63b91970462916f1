"""The resource types that the laptop knows: one line for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.local.deployer.resource import Created, Resource, Target
from infra.local.deployer.resources import access, compute, data, events, front_door, machines, queues

HANDLERS: Mapping[str, Callable[[Resource, Target], Created]] = {
    "AWS::ApiGatewayV2::Api": front_door.api,
    "AWS::ApiGatewayV2::Authorizer": front_door.authorizer,
    "AWS::ApiGatewayV2::Integration": front_door.integration,
    "AWS::ApiGatewayV2::Route": front_door.route,
    "AWS::ApiGatewayV2::Stage": front_door.stage,
    "AWS::DynamoDB::GlobalTable": data.global_table,
    "AWS::DynamoDB::Table": data.table,
    "AWS::Events::EventBus": events.bus,
    "AWS::Events::Rule": events.rule,
    "AWS::IAM::ManagedPolicy": access.managed_policy,
    "AWS::IAM::Policy": access.policy,
    "AWS::IAM::Role": access.role,
    "AWS::KMS::Alias": data.key_alias,
    "AWS::KMS::Key": data.key,
    "AWS::Lambda::EventInvokeConfig": events.invoke_config,
    "AWS::Lambda::EventSourceMapping": events.source_mapping,
    "AWS::Lambda::Function": compute.function,
    "AWS::Logs::LogGroup": compute.log_group,
    "AWS::S3::Bucket": data.bucket,
    "AWS::SQS::Queue": queues.queue,
    "AWS::Scheduler::Schedule": events.schedule,
    "AWS::Scheduler::ScheduleGroup": events.schedule_group,
    "AWS::StepFunctions::StateMachine": machines.state_machine,
}

NO_OPS: Mapping[str, str] = {
    "AWS::ApiGatewayV2::Deployment": "every change of an API holds at once on the laptop",
    "AWS::ApiGatewayV2::RouteResponse": "the route itself says whether its answers go back to the client",
    "AWS::CDK::Metadata": "statistics for CDK's authors",
    "AWS::Lambda::Permission": "the laptop's gateway calls functions directly",
    "AWS::S3::BucketPolicy": "policies of buckets are not enforced on the laptop",
    "AWS::SQS::QueuePolicy": "policies of queues are not enforced on the laptop",
}
"""Type → why nothing on the laptop depends on it; every deployment prints it."""
