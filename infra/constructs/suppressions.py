"""Where a rule of cdk-nag, checkov or cfn-lint does not hold for us, the reason is here, where all can be counted.

A finding is acknowledged on the one resource that it is about, never on a stack. cdk-nag reads the tree of
constructs, checkov and cfn-lint in the resource's metadata in the template.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from constructs import IConstruct

from infra.names import Arns, Names

# How checkov's rules begin; cdk-nag's begin with the name of their pack.
CHECKOV = "CKV"
CFN_LINT = "E3"


@dataclass(frozen=True)
class Suppression:
    """A reason why some rules do not hold for one kind of resource."""

    rules: tuple[str, ...]
    reason: str

    def only(self, rule: str) -> Suppression:
        """Pick the one rule that is about a resource's type, where others are about other types."""
        assert rule in self.rules
        return replace(self, rules=(rule,))

    def on(self, resource: IConstruct, *findings: str) -> None:
        """Acknowledge on one resource; rules with several findings need each of them named."""
        for rule in self.rules:
            if rule.startswith(CHECKOV):
                self._tell_checkov(resource, rule)
                continue
            if rule.startswith(CFN_LINT):
                _written(resource).add_metadata("cfn-lint", {"config": {"ignore_checks": [rule]}})
                continue
            for finding in findings or ("",):
                name = f"{rule}[{finding}]" if finding else rule
                Validations.of(resource).acknowledge(Acknowledgment(id=name, reason=self.reason))

    def _tell_checkov(self, resource: IConstruct, rule: str) -> None:
        written = _written(resource)
        skipped = (written.get_metadata("checkov") or {"skip": []})["skip"]
        written.add_metadata("checkov", {"skip": [*skipped, {"id": rule, "comment": self.reason}]})


def _written(resource: IConstruct) -> CfnResource:
    """Return the resource that a construct becomes in the template."""
    written = resource if isinstance(resource, CfnResource) else resource.node.default_child
    assert isinstance(written, CfnResource)
    return written


PYTHON_3_13 = Suppression(
    ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"),
    "The pinned dependencies are tested and packed for python3.13; the newest runtime follows with the next lock.",
)
FAILURES_KEPT = Suppression(
    ("Serverless-LambdaDLQ", "CKV_AWS_116"),
    "Callers that wait see the failure; functions that rules start have an on-failure destination, which tells the reason too.",
)
NO_TRACE_YET = Suppression(
    ("Serverless-LambdaTracing",),
    "X-Ray's write actions cannot be limited to a resource, and functions hold no permission on everything.",
)
NAMED_AT_RUN_TIME = Suppression(
    ("AwsSolutions-IAM5",),
    "Names of log streams, table streams, objects, schedules, secrets and executions are made, and models named, at run time; each grant ends at their one owner.",
)
LOG_DELIVERY = Suppression(
    ("AwsSolutions-IAM5",),
    "The actions that deliver a machine's log and trace exist only for all resources.",
)
OPEN_ROUTE = Suppression(
    ("AwsSolutions-APIG4",),
    "`open_routes` of the function: health checks and unknown routes hold nothing of a tenant, and a webhook is signed by its sender.",
)
NO_ACCESS_LOG = Suppression(
    ("AwsSolutions-S1", "CKV_AWS_18"),
    "Only the functions' roles reach the bucket and each access is in a run's journal; a log bucket would cost more than it tells.",
)
QUEUE_KEEPS_FAILURES = Suppression(
    ("Serverless-LambdaEventSourceMappingDestination",),
    "A mapping of a queue takes no destination: the queue's redrive policy keeps what fails.",
)
END_OF_THE_LINE = Suppression(
    ("Serverless-SQSRedrivePolicy", "AwsSolutions-SQS3"),
    "This is where failures end: the dead-letter queue itself, or the destination of what a function could not handle.",
)
COSTS_WHILE_IDLE = Suppression(
    ("CKV_AWS_27", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_158", "CKV_AWS_173"),
    "Keys of our own and a VPC's gateways cost every month, used or not; AWS's keys encrypt, and functions call services only.",
)
NO_RESERVED_SHARE = Suppression(
    ("CKV_AWS_115",),
    "The API's throttle limits what starts; each reservation takes from the concurrency that the account's others share.",
)
TIMEOUT_BY_EXPRESSION = Suppression(
    ("E3601",),
    "In JSONata a state's TimeoutSeconds may be an expression; the rule's schema knows numbers only, asl-validator both.",
)


def arns_of(stack: Stack, stage: str) -> Arns:
    """Return the ARNs of the stack's account and region, known now or filled in at deployment."""
    return Arns(Names(stage), stack.partition, stack.region, stack.account)


def arns_as_printed(stack: Stack, stage: str) -> Arns:
    """Return ARNs as cdk-nag prints them in findings, with pseudo parameters in angle brackets."""
    resolved = [stack.resolve(token) for token in (stack.partition, stack.region, stack.account)]
    printed = [part if isinstance(part, str) else f"<{part['Ref']}>" for part in resolved]
    return Arns(Names(stage), *printed)
