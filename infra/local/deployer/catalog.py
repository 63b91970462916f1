"""The resource types that the laptop knows: how each is created, updated and deleted.

The rules of replacement are those of the CloudFormation reference ("Update requires: Replacement").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local.deployer.resource import Created, Record, Resource, Target
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

Update = Callable[[Resource, Record, Target], Created]
Delete = Callable[[Record, Target], None]


@dataclass(frozen=True)
class ResourceActions:
    """The update and the deletion of one resource type."""

    update: Update
    delete: Delete
    replaced_by: tuple[str, ...] = ()
    """Properties whose change replaces the resource; the first is its custom name, if any."""


RESOURCE_ACTIONS: Mapping[str, ResourceActions] = {
    "AWS::ApiGatewayV2::Api": ResourceActions(front_door.update(front_door.api), front_door.delete("apis")),
    "AWS::ApiGatewayV2::Authorizer": ResourceActions(
        front_door.update(front_door.authorizer), front_door.delete("authorizers")
    ),
    "AWS::ApiGatewayV2::Integration": ResourceActions(
        front_door.update(front_door.integration), front_door.delete("integrations")
    ),
    "AWS::ApiGatewayV2::Route": ResourceActions(
        front_door.update(front_door.route), front_door.delete("routes")
    ),
    "AWS::ApiGatewayV2::Stage": ResourceActions(
        front_door.update(front_door.stage), front_door.delete("stages")
    ),
    "AWS::DynamoDB::GlobalTable": ResourceActions(
        data.update_global_table, data.delete_table, ("TableName", "KeySchema", "LocalSecondaryIndexes")
    ),
    "AWS::DynamoDB::Table": ResourceActions(
        data.update_table, data.delete_table, ("TableName", "KeySchema", "LocalSecondaryIndexes")
    ),
    "AWS::Events::EventBus": ResourceActions(events.update_bus, events.delete_bus, ("Name",)),
    "AWS::Events::Rule": ResourceActions(events.update_rule, events.delete_rule, ("Name", "EventBusName")),
    "AWS::IAM::ManagedPolicy": ResourceActions(
        access.update_managed_policy, access.delete_managed_policy, ("ManagedPolicyName", "Path")
    ),
    "AWS::IAM::Policy": ResourceActions(access.update_policy, access.delete_policy),
    "AWS::IAM::Role": ResourceActions(access.update_role, access.delete_role, ("RoleName", "Path")),
    "AWS::KMS::Alias": ResourceActions(data.update_key_alias, data.delete_key_alias, ("AliasName",)),
    "AWS::KMS::Key": ResourceActions(data.update_key, data.delete_key),
    "AWS::Lambda::EventInvokeConfig": ResourceActions(
        events.update_invoke_config, events.delete_invoke_config, ("FunctionName", "Qualifier")
    ),
    "AWS::Lambda::EventSourceMapping": ResourceActions(
        events.update_source_mapping,
        events.delete_source_mapping,
        ("UUID", "EventSourceArn", "StartingPosition"),
    ),
    "AWS::Lambda::Function": ResourceActions(
        compute.update_function, compute.delete_function, ("FunctionName",)
    ),
    "AWS::Logs::LogGroup": ResourceActions(
        compute.update_log_group, compute.delete_log_group, ("LogGroupName",)
    ),
    "AWS::S3::Bucket": ResourceActions(data.update_bucket, data.delete_bucket, ("BucketName",)),
    "AWS::SQS::Queue": ResourceActions(queues.update_queue, queues.delete_queue, ("QueueName", "FifoQueue")),
    "AWS::Scheduler::Schedule": ResourceActions(
        events.update_schedule, events.delete_schedule, ("Name", "GroupName")
    ),
    "AWS::Scheduler::ScheduleGroup": ResourceActions(
        events.update_schedule_group, events.delete_schedule_group, ("Name",)
    ),
    "AWS::StepFunctions::StateMachine": ResourceActions(
        machines.update_state_machine,
        machines.delete_state_machine,
        ("StateMachineName", "StateMachineType"),
    ),
}
"""A type that is a handler's and not here can be created only; a change raises CannotChange."""
