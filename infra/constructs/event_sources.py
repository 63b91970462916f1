"""Connect functions to what starts them without a caller: rules, the clock, a table's stream, schedules that users make."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.function import policy
from infra.constructs.permissions import Allow
from infra.constructs.queue import endings, rule_arn
from infra.constructs.stage import removal_policy
from infra.function_configs import FunctionConfig
from infra.names import Arns, Names
from infra.triggers import resolved

# Lambda's own numbers, written out because people should find them in the template.
RETRIES = 2
OLDEST_EVENT_S = 3600


def start_by_rules(scope: Construct, spec: FunctionConfig, function: lambda_.IFunction, arns: Arns) -> None:
    """Connect a function to its rules and to the clock, and keep what it fails to handle."""
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


def stream_output(table: str) -> str:
    """Return the name of the data stack's output that has a stream's ARN.

    AWS chooses the ARN, so no rule can make it.
    """
    return f"{table.capitalize()}Stream"


def follow(scope: Construct, spec: FunctionConfig, function: lambda_.IFunction, arns: Arns) -> None:
    """Connect a function to a table's stream.

    The ARN is read from the other stack's output at deployment; unlike an export this does not tie the stacks together.
    """
    assert spec.stream is not None
    stream = spec.stream
    pattern = lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(stream.filter))
    lambda_.CfnEventSourceMapping(
        scope,
        "Stream",
        function_name=function.function_name,
        event_source_arn=Fn.get_stack_output(arns.names.of("data"), stream_output(stream.table)),
        starting_position="TRIM_HORIZON",
        batch_size=stream.batch_size,
        maximum_batching_window_in_seconds=stream.window_s,
        parallelization_factor=stream.parallel,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=stream.retries,
        function_response_types=["ReportBatchItemFailures"],
        filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(filters=[pattern])
        if stream.filter
        else None,
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=arns.failures(spec.name))
        ),
    )


def schedule_group(scope: Construct, config: StageConfig) -> scheduler.CfnScheduleGroup:
    """Make the group; what is in it goes with it, so it stays where data stays."""
    group = scheduler.CfnScheduleGroup(scope, "Schedules", name=Names(config.stage).schedules())
    group.apply_removal_policy(removal_policy(config))
    return group


class ScheduleRole(Construct):
    """A role in which the stage's schedules start one function.

    They may also keep what cannot be delivered.
    """

    def __init__(self, scope: Construct, spec: FunctionConfig, arns: Arns) -> None:
        super().__init__(scope, "ScheduleRole")
        starts = Allow(("lambda:InvokeFunction",), (arns.function(spec.name),))
        keeps = Allow(("sqs:SendMessage",), (arns.failures(spec.name),))
        service = iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": arns.account},
                "ArnEquals": {"aws:SourceArn": arns.schedule_group()},
            },
        )
        iam.Role(
            self,
            "Role",
            role_name=arns.schedule_role_name(),
            description=f"Starts {arns.names.function(spec.name)} when a schedule is due",
            assumed_by=service,
            inline_policies={"Schedules": policy([starts, keeps])},
        )
