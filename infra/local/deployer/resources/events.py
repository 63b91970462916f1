"""Rules, schedules and what becomes of events: the resources that start functions without a caller."""

from __future__ import annotations

import json
from typing import Any

from infra.local import place
from infra.local.deployer.resource import Created, Resource, Target


def bus(resource: Resource, target: Target) -> Created:
    """Create a bus beside the default one."""
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
    """Say how often a function is tried again when nobody waits for it, and who is told how it ended."""
    properties = resource.properties
    name = place.function_name(properties["FunctionName"])
    settings = resource.pick("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    target.client("lambda").put_function_event_invoke_config(FunctionName=name, **whole_numbers(settings))
    return Created(f"{name}|{properties.get('Qualifier', '$LATEST')}")


def schedule(resource: Resource, target: Target) -> Created:
    """Create a schedule of EventBridge Scheduler."""
    name = resource.name("Name")
    settings = resource.pick(
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
    arn = target.client("scheduler").create_schedule(Name=name, **whole_numbers(settings))["ScheduleArn"]
    return Created(name, {"Arn": arn})


def schedule_group(resource: Resource, target: Target) -> Created:
    """Create a group of schedules."""
    name = resource.name("Name")
    arn = target.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
    return Created(name, {"Arn": arn, "Name": name})


def whole_numbers(value: Any) -> Any:
    """Turn CloudFormation's texts and CDK's floats into the whole numbers that the API asks for."""
    if isinstance(value, dict):
        return {name: _number(name, item) for name, item in value.items()}
    return [whole_numbers(item) for item in value] if isinstance(value, list) else value


def _number(name: str, value: Any) -> Any:
    if name.startswith("Maximum") and isinstance(value, str | int | float):
        return int(value)
    return whole_numbers(value)
