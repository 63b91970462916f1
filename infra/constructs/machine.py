"""A machine is a reviewed ASL file; this gives it the functions that it names, and a role that may call only those."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import suppressions
from infra.constructs.function import policy
from infra.constructs.permissions import Allow
from infra.constructs.stage import log_group
from infra.constructs.suppressions import arns_of
from infra.function_configs import FunctionConfig
from infra.machines import read_definition


class Machine(Construct):
    """A Standard state machine that logs every step without its data."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        file: Path,
        functions: Sequence[FunctionConfig],
        config: StageConfig,
    ) -> None:
        super().__init__(scope, "".join(part.capitalize() for part in name.split("-")))
        arns = arns_of(Stack.of(self), config.stage)
        definition, called = read_definition(file, functions)
        logs = log_group(self, f"/aws/vendedlogs/states/{arns.names.of(name)}", config)
        self.role = _role(self, [arns.function(function.name) for function in called])
        self.resource = stepfunctions.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=arns.names.of(name),
            state_machine_type="STANDARD",
            definition_string=definition,
            definition_substitutions={
                f"{function.pascal_name}Arn": arns.function(function.name) for function in called
            },
            role_arn=self.role.role_arn,
            logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
                level=config.machine_log_level,
                include_execution_data=False,
                destinations=[
                    stepfunctions.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=logs.attr_arn
                        )
                    )
                ],
            ),
            tracing_configuration=stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )
        if '"TimeoutSeconds": "{%' in definition:
            suppressions.TIMEOUT_BY_EXPRESSION.on(self.resource)


# These exist only for all resources; AWS's documentation of logging and tracing for Step Functions lists them.
DELIVERS = Allow(
    (
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    ),
    ("*",),
)


def _role(scope: Construct, functions: list[str]) -> iam.Role:
    invokes = Allow(("lambda:InvokeFunction",), tuple(functions))
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
        inline_policies={"Calls": policy([invokes]), "Delivers": policy([DELIVERS])},
    )
    suppressions.LOG_DELIVERY.on(role, "Resource::*")
    return role


class WorkflowMachines(Construct):
    """The one role in which workflows' machines run.

    They call the function that carries tasks, and write awaits.
    """

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
        suppressions.LOG_DELIVERY.on(role, "Resource::*")
