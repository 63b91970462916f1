"""Log groups are made by us and never by a service on the fly, because only then do they expire."""

from __future__ import annotations

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import allowances
from infra.constructs.table import removal_policy


def log_group(scope: Construct, name: str, config: StageConfig) -> logs.CfnLogGroup:
    """Make a log group that keeps its entries for as long as the stage says."""
    group = logs.CfnLogGroup(scope, "Logs", log_group_name=name, retention_in_days=config.log_retention_days)
    group.apply_removal_policy(removal_policy(config))
    allowances.COSTS_WHILE_IDLE.only("CKV_AWS_158").on(group)
    return group
