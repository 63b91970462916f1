"""What the machines of workflows share: they are made at run time, so their role and their log are here before them."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import allowances
from infra.constructs.allowances import arns_of
from infra.constructs.grants import Allow
from infra.constructs.logs import log_group
from infra.constructs.machine import DELIVERS
from infra.constructs.room import policy


class WorkflowMachines(Construct):
    """The one role that workflows' machines run in: they call the room that carries tasks, and write awaits."""

    def __init__(self, scope: Construct, config: StageConfig) -> None:
        super().__init__(scope, "Workflows")
        arns = arns_of(Stack.of(self), config.stage)
        log_group(self, arns.names.workflow_log_group(), config)
        carries = Allow(("lambda:InvokeFunction",), (arns.function("task_run"),))
        awaits = Allow(("dynamodb:UpdateItem",), (arns.table("journal"),))
        role = iam.Role(
            self,
            "Role",
            role_name=arns.workflow_role_name(),
            description="Carries the tasks of workflows and waits for each other",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            inline_policies={"Tasks": policy([carries, awaits]), "Delivers": policy([DELIVERS])},
        )
        allowances.LOG_DELIVERY.on(role, "Resource::*")
