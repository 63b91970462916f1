"""Delivery of events to targets, with retries and dead-letter queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.triggers.clock import Clock, Work

RETRIES = 185
OLDEST_S = 86_400.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 600.0
_NOT_RETRIED = (
    "NotFound",
    "NonExistent",
    "DoesNotExist",
    "AccessDenied",
    "Validation",
    "NotAuthorized",
    "Invalid",
)
"""Parts of error codes for which EventBridge does not retry, but sends to the dead letters."""

ClientFactory = Callable[[str], BaseClient]


@dataclass(frozen=True)
class Delivery:
    """One event for one target, with its sender."""

    target: Mapping[str, Any]
    body: str
    sender: Mapping[str, str]
    """The message attributes that name the sender in a dead letter: RULE_ARN, or SCHEDULE_ARN."""

    accepted_s: float

    @property
    def retries(self) -> int:
        """The maximum number of retries."""
        return int(self.target.get("RetryPolicy", {}).get("MaximumRetryAttempts", RETRIES))

    @property
    def oldest_s(self) -> float:
        """The maximum age of the event, in seconds."""
        return float(self.target.get("RetryPolicy", {}).get("MaximumEventAgeInSeconds", OLDEST_S))


class Deliveries:
    """Delivers events, each as often as its retry policy allows."""

    def __init__(self, client: ClientFactory, clock: Clock, work: Work) -> None:
        """Keep the clients, the clock and the threads."""
        self._client = client
        self._clock = clock
        self._work = work

    def send(self, target: Mapping[str, Any], body: str, sender: Mapping[str, str]) -> None:
        """Queue an event for a target; the caller does not wait."""
        self._work.submit(self._try, Delivery(target, body, sender, self._clock.now_s()), 0)

    def _try(self, delivery: Delivery, tried: int) -> None:
        try:
            deliver(self._client, delivery.target, delivery.body)
        except ClientError as error:
            self._failed(delivery, tried, error.response["Error"]["Code"], str(error))
        except BotoCoreError as error:
            self._failed(delivery, tried, "INTERNAL_ERROR", str(error))

    def _failed(self, delivery: Delivery, tried: int, code: str, message: str) -> None:
        pause_s = min(FIRST_PAUSE_S * 2**tried, LONGEST_PAUSE_S)
        age_s = self._clock.now_s() + pause_s - delivery.accepted_s
        if any(word in code for word in _NOT_RETRIED):
            self._give_up(delivery, tried, code, message, None)
        elif tried >= delivery.retries:
            self._give_up(delivery, tried, code, message, "MaximumRetryAttempts")
        elif age_s > delivery.oldest_s:
            self._give_up(delivery, tried, code, message, "MaximumEventAgeInSeconds")
        else:
            self._clock.call_later(pause_s, lambda: self._work.submit(self._try, delivery, tried + 1))

    def _give_up(
        self, delivery: Delivery, tried: int, code: str, message: str, exhausted: str | None
    ) -> None:
        dead_letters = delivery.target.get("DeadLetterConfig", {}).get("Arn")
        if not dead_letters:
            return
        attributes = {
            **delivery.sender,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message[:1000],
            "RETRY_ATTEMPTS": str(tried),
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        send_message(self._client, dead_letters, delivery.body, attributes=attributes)


def deliver(client: ClientFactory, target: Mapping[str, Any], body: str) -> None:
    """Make the API call that delivers an event to a target."""
    arn = str(target["Arn"])
    match arn.split(":")[2]:
        case "lambda":
            client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=body.encode())
        case "sqs":
            send_message(client, arn, body, group=target.get("SqsParameters", {}).get("MessageGroupId"))
        case "states":
            client("stepfunctions").start_execution(stateMachineArn=arn, input=body)
        case "events":
            client("events").put_events(Entries=[_entry(arn, target, body)])
        case "scheduler":
            _, service, action = arn.rsplit(":", 2)
            getattr(client(_SERVICES.get(service, service)), _snake(action))(**json.loads(body or "{}"))
        case service:
            raise ClientError(
                {"Error": {"Code": "ValidationException", "Message": f"{service}: {arn}"}}, "Deliver"
            )


def send_message(
    client: ClientFactory,
    queue_arn: str,
    body: str,
    *,
    group: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Send a message to a queue, which is given by its ARN."""
    sqs = client("sqs")
    request: dict[str, Any] = {
        "QueueUrl": sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"],
        "MessageBody": body,
    }
    if group:
        request["MessageGroupId"] = group
    if attributes:
        request["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
    sqs.send_message(**request)


_SERVICES = {"sfn": "stepfunctions"}


def _snake(action: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action)


def _entry(bus_arn: str, target: Mapping[str, Any], body: str) -> dict[str, Any]:
    parameters = target.get("EventBridgeParameters", {})
    content = json.loads(body)
    if parameters:
        return {
            "Source": parameters["Source"],
            "DetailType": parameters["DetailType"],
            "Detail": body,
            "EventBusName": bus_arn,
        }
    return {
        "Source": content["source"],
        "DetailType": content["detail-type"],
        "Detail": json.dumps(content["detail"]),
        "Resources": content.get("resources", []),
        "EventBusName": bus_arn,
    }
