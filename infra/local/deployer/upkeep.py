"""How each resource type is updated and deleted, and which changes replace it.

The rules of replacement are those of the CloudFormation reference ("Update requires: Replacement").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local.deployer.records import Record
from infra.local.deployer.resource import Created, Resource, Target
from infra.local.deployer.resources import access, compute, data, events, front_door, machines, queues

Update = Callable[[Resource, Record, Target], Created]
Delete = Callable[[Record, Target], None]


@dataclass(frozen=True)
class Upkeep:
    """The update and the deletion of one resource type."""

    update: Update
    delete: Delete
    replaced_by: tuple[str, ...] = ()
    """Properties whose change replaces the resource; the first is its custom name, if any."""


UPKEEP: Mapping[str, Upkeep] = {
    "AWS::ApiGatewayV2::Api": Upkeep(front_door.update(front_door.api), front_door.delete("apis")),
    "AWS::ApiGatewayV2::Authorizer": Upkeep(
        front_door.update(front_door.authorizer), front_door.delete("authorizers")
    ),
    "AWS::ApiGatewayV2::Integration": Upkeep(
        front_door.update(front_door.integration), front_door.delete("integrations")
    ),
    "AWS::ApiGatewayV2::Route": Upkeep(front_door.update(front_door.route), front_door.delete("routes")),
    "AWS::ApiGatewayV2::Stage": Upkeep(front_door.update(front_door.stage), front_door.delete("stages")),
    "AWS::DynamoDB::GlobalTable": Upkeep(
        data.update_global_table, data.delete_table, ("TableName", "KeySchema", "LocalSecondaryIndexes")
    ),
    "AWS::DynamoDB::Table": Upkeep(
        data.update_table, data.delete_table, ("TableName", "KeySchema", "LocalSecondaryIndexes")
    ),
    "AWS::Events::EventBus": Upkeep(events.update_bus, events.delete_bus, ("Name",)),
    "AWS::Events::Rule": Upkeep(events.update_rule, events.delete_rule, ("Name", "EventBusName")),
    "AWS::IAM::ManagedPolicy": Upkeep(
        access.update_managed_policy, access.delete_managed_policy, ("ManagedPolicyName", "Path")
    ),
    "AWS::IAM::Policy": Upkeep(access.update_policy, access.delete_policy),
    "AWS::IAM::Role": Upkeep(access.update_role, access.delete_role, ("RoleName", "Path")),
    "AWS::KMS::Alias": Upkeep(data.update_key_alias, data.delete_key_alias, ("AliasName",)),
    "AWS::KMS::Key": Upkeep(data.update_key, data.delete_key),
    "AWS::Lambda::EventInvokeConfig": Upkeep(
        events.update_invoke_config, events.delete_invoke_config, ("FunctionName", "Qualifier")
    ),
    "AWS::Lambda::EventSourceMapping": Upkeep(
        events.update_source_mapping,
        events.delete_source_mapping,
        ("UUID", "EventSourceArn", "StartingPosition"),
    ),
    "AWS::Lambda::Function": Upkeep(compute.update_function, compute.delete_function, ("FunctionName",)),
    "AWS::Logs::LogGroup": Upkeep(compute.update_log_group, compute.delete_log_group, ("LogGroupName",)),
    "AWS::S3::Bucket": Upkeep(data.update_bucket, data.delete_bucket, ("BucketName",)),
    "AWS::SQS::Queue": Upkeep(queues.update_queue, queues.delete_queue, ("QueueName", "FifoQueue")),
    "AWS::Scheduler::Schedule": Upkeep(events.update_schedule, events.delete_schedule, ("Name", "GroupName")),
    "AWS::Scheduler::ScheduleGroup": Upkeep(
        events.update_schedule_group, events.delete_schedule_group, ("Name",)
    ),
    "AWS::StepFunctions::StateMachine": Upkeep(
        machines.update_state_machine,
        machines.delete_state_machine,
        ("StateMachineName", "StateMachineType"),
    ),
}
"""A type that is a handler's and not here can be created only; a change raises CannotChange."""
