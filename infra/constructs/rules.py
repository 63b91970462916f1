"""Rooms that events and the clock start: nobody waits for their answer, so every failure has to end somewhere."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.queue import endings, rule_arn
from infra.function_configs import FunctionConfig
from infra.names import Arns
from infra.triggers import resolved

# Lambda's own numbers, written out because people should find them in the template.
RETRIES = 2
OLDEST_EVENT_S = 3600


def start_by_rules(scope: Construct, spec: FunctionConfig, function: lambda_.IFunction, arns: Arns) -> None:
    """Connect a room to its rules and to the clock, and keep what it fails to handle."""
    patterns = [resolved(rule.pattern, arns) for rule in spec.rules]
    wishes: list[dict[str, Any]] = [
        {"event_pattern": pattern, **({"event_bus_name": arns.names.bus()} if rule.bus == "events" else {})}
        for rule, pattern in zip(spec.rules, patterns, strict=True)
    ]
    if spec.schedule:
        wishes.append({"schedule_expression": spec.schedule})
    for ending, wish in zip(endings(spec), wishes, strict=True):
        _rule(scope, spec, ending, wish, arns)
    lambda_.CfnEventInvokeConfig(
        scope,
        "Asynchronous",
        function_name=function.function_name,
        qualifier="$LATEST",
        maximum_retry_attempts=RETRIES,
        maximum_event_age_in_seconds=OLDEST_EVENT_S,
        destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=arns.failures(spec.name))
        ),
    )


def _rule(scope: Construct, spec: FunctionConfig, ending: str, wish: dict[str, Any], arns: Arns) -> None:
    rule = events.CfnRule(
        scope,
        f"Rule{ending.capitalize()}",
        name=arns.names.rule(spec.name, ending),
        description=spec.purpose,
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id="room",
                arn=arns.function(spec.name),
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=arns.failures(spec.name)),
            )
        ],
        **wish,
    )
    permission = lambda_.CfnPermission(
        scope,
        f"Permission{ending.capitalize()}",
        action="lambda:InvokeFunction",
        function_name=arns.function(spec.name),
        principal="events.amazonaws.com",
        source_arn=rule_arn(spec, ending, arns),
    )
    for waiting in (rule, permission):
        waiting.node.add_dependency(scope.node.find_child("Function"))
