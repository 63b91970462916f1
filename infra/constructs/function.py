"""One Lambda from one folder: the same shape for every function, so that adding a function needs no code here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from aws_cdk import Duration, Stack, SymlinkFollowMode, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import StageConfig
from infra.config_errors import unknown_word
from infra.constructs import suppressions
from infra.constructs.permissions import Allow, Granted, Rule
from infra.constructs.stage import log_group
from infra.constructs.suppressions import arns_as_printed, arns_of
from infra.function_configs import FunctionConfig
from infra.names import Arns

_REFERENCE = re.compile(r"\$\{(config|function|room|failures)\.([A-Za-z0-9_]+)\}")
_OF_EVERY_FUNCTION = (
    suppressions.PYTHON_3_13,
    suppressions.FAILURES_KEPT,
    suppressions.NO_TRACE_YET,
    suppressions.COSTS_WHILE_IDLE.only("CKV_AWS_173"),
    suppressions.COSTS_WHILE_IDLE.only("CKV_AWS_117"),
)


class PlatformFunction(Construct):
    """A function with a role and a log group of its own, allowed exactly what its words say."""

    def __init__(
        self,
        scope: Construct,
        spec: FunctionConfig,
        config: StageConfig,
        words: Mapping[str, Rule],
        asset: Path,
    ) -> None:
        super().__init__(scope, spec.pascal_name)
        arns = arns_of(Stack.of(self), config.stage)
        granted = [words[word](arns) for word in spec.grants]
        logs_ = log_group(self, f"/aws/lambda/{arns.names.function(spec.name)}", config)
        self.role = _role(self, [allow for grant in granted for allow in grant.allows], arns, spec)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=arns.names.function(spec.name),
            description=spec.purpose,
            architecture=lambda_.Architecture.ARM_64,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler=f"functions.{spec.name}.handler.handle",
            # A staged asset links to the one package; a packed one holds it and has no links.
            code=lambda_.Code.from_asset(str(asset), follow_symlinks=SymlinkFollowMode.NEVER),
            memory_size=spec.memory_mb,
            timeout=Duration.seconds(spec.timeout_s),
            # A role that is known by its ARN brings no second dependency beside the one that the ARN makes.
            role=iam.Role.from_role_arn(self, "OwnRole", self.role.role_arn, mutable=False),
            log_group=logs.LogGroup.from_log_group_name(self, "OwnLogs", logs_.ref),
            environment=_environment(spec, config, granted, arns),
            reserved_concurrent_executions=spec.reserved_concurrency if config.reserved_concurrency else None,
        )
        if spec.tools:
            Tags.of(self.function).add("stepward:tool", "true")
        self._acknowledge(spec, config, words)

    def _acknowledge(self, spec: FunctionConfig, config: StageConfig, words: Mapping[str, Rule]) -> None:
        """Give the reasons for unavoidable wildcards, each finding by its exact name."""
        for allowance in _OF_EVERY_FUNCTION:
            allowance.on(self.function)
        if not (spec.reserved_concurrency and config.reserved_concurrency):
            suppressions.NO_RESERVED_SHARE.on(self.function)
        printed = arns_as_printed(Stack.of(self), config.stage)
        granted = [allow for word in spec.grants for allow in words[word](printed).allows]
        open_ended = {r for allow in granted for r in allow.resources if r.endswith("*")}
        if spec.stream:
            open_ended.add(printed.streams(spec.stream.table))
        for resource in sorted(open_ended | {printed.function_logs(spec.name)}):
            suppressions.NAMED_AT_RUN_TIME.on(self.role, f"Resource::{resource}")


def _role(scope: Construct, allows: list[Allow], arns: Arns, spec: FunctionConfig) -> iam.Role:
    """Write the role in full.

    AWS's managed policies allow logging to every group.
    """
    own_logs = Allow(("logs:CreateLogStream", "logs:PutLogEvents"), (arns.function_logs(spec.name),))
    fed = [allow for is_wanted, allow in _feeding(spec, arns) if is_wanted]
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"Grants": policy([own_logs, *fed, *allows])},
    )


def _feeding(spec: FunctionConfig, arns: Arns) -> list[tuple[bool, Allow]]:
    """List what Lambda does in the function's name to bring it events and keep failures."""
    reads_queue = Allow(
        ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"), (arns.queue(spec.name),)
    )
    reads_stream = Allow(
        (
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ),
        (arns.streams(spec.stream.table if spec.stream else ""),),
    )
    keeps_failures = Allow(("sqs:SendMessage",), (arns.failures(spec.name),))
    return [
        (spec.queue is not None, reads_queue),
        (spec.stream is not None, reads_stream),
        (spec.keeps_failures, keeps_failures),
    ]


def policy(allows: Iterable[Allow]) -> iam.PolicyDocument:
    """Join permissions into one statement for each set of resources and conditions."""
    merged: dict[str, tuple[Allow, list[str]]] = {}
    for allow in allows:
        where = json.dumps([allow.resources, allow.conditions], sort_keys=True)
        merged.setdefault(where, (allow, []))[1].extend(allow.actions)
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                actions=list(dict.fromkeys(actions)),
                resources=list(allow.resources),
                conditions=dict(allow.conditions) or None,
            )
            for allow, actions in merged.values()
        ]
    )


def _environment(
    spec: FunctionConfig, config: StageConfig, granted: Iterable[Granted], arns: Arns
) -> dict[str, str]:
    """Give a function the names of what it may use, and of nothing else."""
    environment = {
        "STAGE": config.stage,
        "LOG_LEVEL": config.log_level,
        "POWERTOOLS_SERVICE_NAME": spec.name,
        "POWERTOOLS_METRICS_NAMESPACE": "Stepward",
    }
    for grant in granted:
        environment |= grant.environment
    return environment | {name: _filled(text, spec, config, arns) for name, text in spec.environment.items()}


def _filled(text: str, spec: FunctionConfig, config: StageConfig, arns: Arns) -> str:
    """Replace `${config.…}`, `${function.…}` and `${failures.…}` by values and ARNs."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "config":
            return _configured(match[2], spec, config)
        return arns.function(match[2]) if match[1] in ("function", "room") else arns.failures(match[2])

    return _REFERENCE.sub(value, text)


def _configured(field: str, spec: FunctionConfig, config: StageConfig) -> str:
    """Write the value of a field that the stage's configuration has."""
    fields = StageConfig.model_fields
    if field not in fields:
        file = Path("functions") / spec.name / "function.toml"
        raise unknown_word(file, "configuration field", field, fields)
    return config.written(field)
