"""A room that asks for a queue gets one that loses nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.assembly import Plan, synthesise
from infra.bundling import source_bundler
from infra.config import load_config
from tests.infra.assembly_reading import Assembly, flat, permissions
from tests.infra.small_checkout import a_checkout

QUEUE = "arn:<partition>:sqs:<region>:<accountid>:stepward-dev-worker"


def test_no_queue_stack_without_a_queue(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path)
    for room in ("worker", "closer", "follower"):
        shutil.rmtree(checkout.functions / room)
    plan = Plan(checkout, load_config("dev"), source_bundler(checkout), out=tmp_path / "cdk.out")
    assert "queues" not in Assembly(synthesise(plan), "dev").parts


def test_a_queue_gives_up_into_its_dead_letters(dev: Assembly) -> None:
    queues = {body["QueueName"]: body for body in dev.properties("queues", "AWS::SQS::Queue")}
    assert set(queues) >= {"stepward-dev-worker", "stepward-dev-worker-dead"}
    redrive = queues["stepward-dev-worker"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 4
    assert "DeadLetters" in flat(redrive["deadLetterTargetArn"])
    assert queues["stepward-dev-worker"]["VisibilityTimeout"] == 6 * 30


def test_queues_are_encrypted_at_rest_and_on_the_way(dev: Assembly) -> None:
    assert all(body["SqsManagedSseEnabled"] for body in dev.properties("queues", "AWS::SQS::Queue"))
    policies = dev.properties("queues", "AWS::SQS::QueuePolicy")
    assert len(policies) == len(dev.properties("queues", "AWS::SQS::Queue"))
    for policy in policies:
        statement = policy["PolicyDocument"]["Statement"][0]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_the_messages_that_failed_come_again(dev: Assembly) -> None:
    mapping = next(
        body
        for body in dev.properties("functions", "AWS::Lambda::EventSourceMapping")
        if "StartingPosition" not in body
    )
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 5
    assert flat(mapping["EventSourceArn"]) == QUEUE


def test_the_room_may_read_its_own_queue(dev: Assembly) -> None:
    actions = permissions(dev.role_of("worker"))[QUEUE]
    assert actions == {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    assert QUEUE not in permissions(dev.role_of("greeter"))


def test_functions_wait_for_their_queues(dev: Assembly) -> None:
    assert dev.parts == ["api", "data", "functions", "machines", "queues"]
