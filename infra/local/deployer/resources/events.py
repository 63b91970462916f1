"""Handlers of what starts functions without a caller: rules, schedules, mappings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from infra.local import account
from infra.local.deployer.resource import Created, Record, Resource, Target

_SCHEDULE_SETTINGS = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)

_NUMBERS = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumConcurrency",
    "MaximumEventAgeInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
)
"""Numbers that CloudFormation accepts as strings, but the API does not."""


def bus(resource: Resource, target: Target) -> Created:
    """Create an event bus."""
    name = resource.name("Name", 256)
    arn = target.client("events").create_event_bus(Name=name)["EventBusArn"]
    return Created(name, {"Arn": arn, "Name": name})


def rule(resource: Resource, target: Target) -> Created:
    """Create a rule with its targets."""
    name = resource.name("Name")
    request: dict[str, Any] = resource.pick(
        "Description", "EventBusName", "RoleArn", "ScheduleExpression", "State"
    )
    if "EventPattern" in resource.properties:
        request["EventPattern"] = json.dumps(resource.properties["EventPattern"])
    events = target.client("events")
    arn = events.put_rule(Name=name, **request)["RuleArn"]
    if targets := resource.properties.get("Targets"):
        events.put_targets(Rule=name, Targets=whole_numbers(targets), **resource.pick("EventBusName"))
    return Created(name, {"Arn": arn})


def invoke_config(resource: Resource, target: Target) -> Created:
    """Set the retries and destinations of a function's asynchronous invocations."""
    properties = resource.properties
    name = account.function_name(properties["FunctionName"])
    settings = resource.pick("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    target.client("lambda").put_function_event_invoke_config(FunctionName=name, **whole_numbers(settings))
    return Created(f"{name}|{properties.get('Qualifier', '$LATEST')}")


def source_mapping(resource: Resource, target: Target) -> Created:
    """Connect a function to a queue or to a table's stream."""
    settings = {name: value for name, value in resource.properties.items() if name != "Tags"}
    made = target.client("lambda").create_event_source_mapping(**whole_numbers(settings))
    return Created(made["UUID"], {"Id": made["UUID"]})


def schedule(resource: Resource, target: Target) -> Created:
    """Create a schedule of EventBridge Scheduler."""
    name = resource.name("Name")
    settings = whole_numbers(resource.pick(*_SCHEDULE_SETTINGS))
    arn = target.client("scheduler").create_schedule(Name=name, **settings)["ScheduleArn"]
    return Created(name, {"Arn": arn})


def schedule_group(resource: Resource, target: Target) -> Created:
    """Create a group of schedules."""
    name = resource.name("Name")
    arn = target.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
    return Created(name, {"Arn": arn, "Name": name})


def whole_numbers(value: Any) -> Any:
    """Convert CloudFormation's strings and CDK's floats to the integers of the API."""
    if isinstance(value, dict):
        return {name: _number(name, item) for name, item in value.items()}
    return [whole_numbers(item) for item in value] if isinstance(value, list) else value


def _number(name: str, value: Any) -> Any:
    if isinstance(value, float) or (isinstance(value, str) and name in _NUMBERS):
        return int(value)
    return whole_numbers(value)


def update_bus(_: Resource, before: Record, __: Target) -> Created:
    """Leave a bus as it is: only its name matters to the laptop."""
    return before.created


def delete_bus(record: Record, target: Target) -> None:
    """Delete a bus."""
    target.client("events").delete_event_bus(Name=record.created.ref)


def update_rule(resource: Resource, before: Record, target: Target) -> Created:
    """Replace a rule and its targets; remove targets that it no longer has."""
    kept = {found["Id"] for found in resource.properties.get("Targets", [])}
    _remove_targets(before, [found for found in _target_ids(before) if found not in kept], target)
    named = replace(resource, properties={**resource.properties, "Name": before.created.ref})
    return rule(named, target)


def delete_rule(record: Record, target: Target) -> None:
    """Delete a rule with its targets."""
    _remove_targets(record, _target_ids(record), target)
    target.client("events").delete_rule(Name=record.created.ref, **record.resource.pick("EventBusName"))


def update_source_mapping(resource: Resource, before: Record, target: Target) -> Created:
    """Update a mapping, which keeps its position in the source."""
    fixed = ("EventSourceArn", "StartingPosition", "Tags")
    settings = {name: value for name, value in resource.properties.items() if name not in fixed}
    target.client("lambda").update_event_source_mapping(UUID=before.created.ref, **whole_numbers(settings))
    return before.created


def delete_source_mapping(record: Record, target: Target) -> None:
    """Delete a mapping; messages and records stay in the source."""
    target.client("lambda").delete_event_source_mapping(UUID=record.created.ref)


def update_invoke_config(resource: Resource, _: Record, target: Target) -> Created:
    """Replace the settings of asynchronous invocations."""
    return invoke_config(resource, target)


def delete_invoke_config(record: Record, target: Target) -> None:
    """Delete the settings of asynchronous invocations."""
    name = account.function_name(record.resource.properties["FunctionName"])
    target.client("lambda").delete_function_event_invoke_config(FunctionName=name)


def update_schedule(resource: Resource, before: Record, target: Target) -> Created:
    """Update a schedule."""
    settings = whole_numbers(resource.pick(*_SCHEDULE_SETTINGS))
    target.client("scheduler").update_schedule(Name=before.created.ref, **settings)
    return before.created


def delete_schedule(record: Record, target: Target) -> None:
    """Delete a schedule."""
    group = record.resource.pick("GroupName")
    target.client("scheduler").delete_schedule(Name=record.created.ref, **group)


def update_schedule_group(_: Resource, before: Record, __: Target) -> Created:
    """Leave a group as it is: only its name and tags can change."""
    return before.created


def delete_schedule_group(record: Record, target: Target) -> None:
    """Delete a group of schedules."""
    target.client("scheduler").delete_schedule_group(Name=record.created.ref)


def _target_ids(record: Record) -> list[str]:
    return [str(found["Id"]) for found in record.resource.properties.get("Targets", [])]


def _remove_targets(record: Record, ids: list[str], target: Target) -> None:
    if ids:
        bus_name = record.resource.pick("EventBusName")
        target.client("events").remove_targets(Rule=record.created.ref, Ids=ids, **bus_name)
