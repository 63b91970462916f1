"""Schedules that users make: where they live, and the role in which EventBridge Scheduler starts the one room that heeds them."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.function import policy
from infra.constructs.permissions import Allow
from infra.constructs.table import removal_policy
from infra.function_configs import FunctionConfig
from infra.names import Arns, Names


def schedule_group(scope: Construct, config: StageConfig) -> scheduler.CfnScheduleGroup:
    """Make the group; what is in it goes with it, so it stays where data stays."""
    group = scheduler.CfnScheduleGroup(scope, "Schedules", name=Names(config.stage).schedules())
    group.apply_removal_policy(removal_policy(config))
    return group


class ScheduleRole(Construct):
    """A role that only schedules of the stage's group may take, to start one room or to keep what cannot be delivered."""

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
