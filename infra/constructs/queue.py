"""A function that is fed by a queue must not lose a message, not even one that it can never handle."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import suppressions
from infra.constructs.stage import removal_policy
from infra.constructs.suppressions import arns_of
from infra.function_configs import FunctionConfig
from infra.names import Arns, Names

# AWS's advice: long enough for the function's own retries, or a slow batch is handed out twice.
VISIBILITY_PER_TIMEOUT = 6


class FunctionQueue(Construct):
    """A queue with its dead-letter queue, both encrypted and open to TLS only."""

    def __init__(self, scope: Construct, spec: FunctionConfig, config: StageConfig) -> None:
        super().__init__(scope, spec.pascal_name)
        assert spec.queue is not None
        name = Names(config.stage).queue(spec.name)
        self.dead_letters = _last_queue(self, "DeadLetters", f"{name}-dead", config)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(spec.timeout_s * VISIBILITY_PER_TIMEOUT),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=spec.queue.max_receive_count
            ),
            removal_policy=removal_policy(config),
        )
        suppressions.COSTS_WHILE_IDLE.only("CKV_AWS_27").on(self.queue)


class FailureQueue(Construct):
    """A queue of events that a function could not handle.

    Lambda writes them with the reason, EventBridge without a delivery.
    """

    def __init__(self, scope: Construct, spec: FunctionConfig, config: StageConfig) -> None:
        super().__init__(scope, f"{spec.pascal_name}Failures")
        arns = arns_of(Stack.of(self), config.stage)
        self.queue = _last_queue(self, "Queue", arns.names.failures(spec.name), config)
        if endings(spec):
            self._let_rules_in(spec, arns)

    def _let_rules_in(self, spec: FunctionConfig, arns: Arns) -> None:
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="KeepsUndelivered",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": [rule_arn(spec, e, arns) for e in endings(spec)]}},
            )
        )


def endings(spec: FunctionConfig) -> list[str]:
    """Tell a function's rules apart: their place in its list, and the clock's one."""
    return [str(number + 1) for number in range(len(spec.rules))] + (["clock"] if spec.schedule else [])


def rule_arn(spec: FunctionConfig, ending: str, arns: Arns) -> str:
    """Return the ARN of one of a function's rules, with its bus."""
    bus = spec.rules[int(ending) - 1].bus if ending.isdigit() else "default"
    return arns.rule(spec.name, ending, bus)


def _last_queue(scope: Construct, construct_id: str, name: str, config: StageConfig) -> sqs.Queue:
    """Make a queue that nothing reads by itself: what is in it waits two weeks for a person."""
    queue = sqs.Queue(
        scope,
        construct_id,
        queue_name=name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=removal_policy(config),
    )
    suppressions.END_OF_THE_LINE.on(queue)
    suppressions.COSTS_WHILE_IDLE.only("CKV_AWS_27").on(queue)
    return queue


def feed(
    scope: Construct, spec: FunctionConfig, function: lambda_.IFunction, arns: Arns
) -> lambda_.EventSourceMapping:
    """Connect a function to its queue; only the messages that failed come again."""
    assert spec.queue is not None
    mapping = lambda_.EventSourceMapping(
        scope,
        "Feed",
        target=function,
        event_source_arn=arns.queue(spec.name),
        batch_size=spec.queue.batch_size,
        max_concurrency=spec.queue.max_concurrency,
        report_batch_item_failures=True,
    )
    suppressions.QUEUE_KEEPS_FAILURES.on(mapping)
    return mapping
