"""A machine is a reviewed ASL file; this gives it the functions that it names, and a role that may call only those."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import allowances
from infra.constructs.allowances import arns_of
from infra.constructs.grants import Allow
from infra.constructs.logs import log_group
from infra.constructs.room import policy
from infra.rooms import RoomSpec
from infra.spelling import unknown_word

SUFFIX = ".asl.json"
# A task waits this much longer than its function may run, so that the function's own timeout is the one that is seen.
TASK_GRACE_S = 10

_TOKEN = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_QUOTED_SECONDS = re.compile(r'"\$\{([A-Za-z0-9]+TaskTimeoutSeconds)\}"')


def machine_files(folder: Path) -> dict[str, Path]:
    """Find the machines by their files, whose names are the machines' own."""
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def read_definition(file: Path, rooms: Sequence[RoomSpec]) -> tuple[str, list[RoomSpec]]:
    """Read a machine with its timeouts filled in, and the rooms that it calls.

    The file has to be JSON to be checked and read, so a number that depends on a room stands in quotes there.
    """
    by_token = {f"{room.pascal_name}Arn": room for room in rooms}
    seconds = {f"{room.pascal_name}TaskTimeoutSeconds": room.timeout_s + TASK_GRACE_S for room in rooms}
    known = [*by_token, *seconds]

    def number(match: re.Match[str]) -> str:
        if match[1] not in seconds:
            raise unknown_word(file, "substitution", match[1], known)
        return str(seconds[match[1]])

    text = _QUOTED_SECONDS.sub(number, file.read_text(encoding="utf-8"))
    called = sorted(set(_TOKEN.findall(text)))
    for token in called:
        if token not in by_token:
            raise unknown_word(file, "substitution", token, known)
    return text, [by_token[token] for token in called]


class Machine(Construct):
    """A Standard state machine that logs its every step, but not the data that passes through it."""

    def __init__(
        self, scope: Construct, name: str, file: Path, rooms: Sequence[RoomSpec], config: StageConfig
    ) -> None:
        super().__init__(scope, "".join(part.capitalize() for part in name.split("-")))
        arns = arns_of(Stack.of(self), config.stage)
        definition, called = read_definition(file, rooms)
        logs = log_group(self, f"/aws/vendedlogs/states/{arns.names.of(name)}", config)
        self.role = _role(self, [arns.function(room.name) for room in called])
        self.resource = stepfunctions.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=arns.names.of(name),
            state_machine_type="STANDARD",
            definition_string=definition,
            definition_substitutions={f"{room.pascal_name}Arn": arns.function(room.name) for room in called},
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
        self.resource.node.add_dependency(self.role)


# These exist only for all resources; AWS's documentation of logging and tracing for Step Functions lists them.
_DELIVERS = Allow(
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
        inline_policies={"Calls": policy([invokes]), "Delivers": policy([_DELIVERS])},
    )
    allowances.LOG_DELIVERY.on(role, "Resource::*")
    return role
