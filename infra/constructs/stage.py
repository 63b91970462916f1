"""What everything takes from its stage: the name and tags of a stack, and how long what it keeps stays."""

from __future__ import annotations

from aws_cdk import DefaultStackSynthesizer, Environment, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import suppressions
from infra.names import Names


class StageStack(Stack):
    """One stack of a stage.

    Stacks know each other's resources by name, so none exports anything to another.
    """

    def __init__(
        self, scope: Construct, part: str, config: StageConfig, *, termination_protection: bool = False
    ) -> None:
        name = Names(config.stage).of(part)
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=Environment(account=config.account, region=config.region),
            tags={"stepward:stage": config.stage, "stepward:part": part},
            analytics_reporting=False,
            # The deploying command checks the bootstrap version; the template need not read a parameter for it.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=termination_protection,
        )


def removal_policy(config: StageConfig) -> RemovalPolicy:
    """Translate the stage's choice of what happens to data when its stack goes."""
    return RemovalPolicy.RETAIN if config.removal_policy == "retain" else RemovalPolicy.DESTROY


def log_group(scope: Construct, name: str, config: StageConfig) -> logs.CfnLogGroup:
    """Make a log group that keeps its entries for as long as the stage says."""
    group = logs.CfnLogGroup(scope, "Logs", log_group_name=name, retention_in_days=config.log_retention_days)
    group.apply_removal_policy(removal_policy(config))
    suppressions.COSTS_WHILE_IDLE.only("CKV_AWS_158").on(group)
    return group
