"""Where a rule of cdk-nag does not hold for us, the reason is written here, beside the others, so that they can be counted.

A finding is acknowledged on the one resource that it is about, never on a stack.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from infra.names import Arns, Names


@dataclass(frozen=True)
class Allowance:
    """A reason why some rules do not hold for one kind of resource."""

    rules: tuple[str, ...]
    reason: str

    def on(self, resource: IConstruct, *findings: str) -> None:
        """Acknowledge on one resource; rules with several findings need each of them named."""
        for rule in self.rules:
            for finding in findings or ("",):
                name = f"{rule}[{finding}]" if finding else rule
                Validations.of(resource).acknowledge(Acknowledgment(id=name, reason=self.reason))


PYTHON_3_13 = Allowance(
    ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"),
    "The pinned dependencies are tested and packed for python3.13; the newest runtime follows with the next lock.",
)
FAILURES_KEPT = Allowance(
    ("Serverless-LambdaDLQ",),
    "Callers that wait see the failure; rooms that rules start have an on-failure destination, which tells the reason too.",
)
NO_TRACE_YET = Allowance(
    ("Serverless-LambdaTracing",),
    "X-Ray's write actions cannot be limited to a resource, and rooms hold no permission on everything.",
)
OWN_LOG_STREAMS = Allowance(
    ("AwsSolutions-IAM5",),
    "The names of log streams are made by Lambda; the grant ends at the function's own log group.",
)
OWN_PREFIX = Allowance(
    ("AwsSolutions-IAM5",),
    "Object keys are made at run time; the grant ends at one prefix of one bucket.",
)
OWN_EXECUTIONS = Allowance(
    ("AwsSolutions-IAM5",),
    "The names of executions are made at run time; the grant ends at one state machine.",
)
LOG_DELIVERY = Allowance(
    ("AwsSolutions-IAM5",),
    "The actions that deliver a machine's log and trace exist only for all resources.",
)
OPEN_ROUTE = Allowance(
    ("AwsSolutions-APIG4",),
    "`open_routes` of the room: answers for health checks and unknown routes, which hold nothing of a tenant.",
)
NO_ACCESS_LOG = Allowance(
    ("AwsSolutions-S1",),
    "Only the rooms' roles reach the bucket and each access is in a run's journal; a log bucket would cost more than it tells.",
)
QUEUE_KEEPS_FAILURES = Allowance(
    ("Serverless-LambdaEventSourceMappingDestination",),
    "A mapping of a queue takes no destination: the queue's redrive policy keeps what fails.",
)
END_OF_THE_LINE = Allowance(
    ("Serverless-SQSRedrivePolicy", "AwsSolutions-SQS3"),
    "This is where failures end: the dead-letter queue itself, or the destination of what a room could not handle.",
)


def arns_of(stack: Stack, stage: str) -> Arns:
    """Spell ARNs for the stack's account and region, whether they are known now or filled in at deployment."""
    return Arns(Names(stage), stack.partition, stack.region, stack.account)


def arns_as_printed(stack: Stack, stage: str) -> Arns:
    """Spell ARNs as cdk-nag prints them in findings, with pseudo parameters in angle brackets."""
    resolved = [stack.resolve(token) for token in (stack.partition, stack.region, stack.account)]
    printed = [part if isinstance(part, str) else f"<{part['Ref']}>" for part in resolved]
    return Arns(Names(stage), *printed)
