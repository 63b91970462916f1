"""Asynchronous invocations: Lambda's queue of events, with retries and destinations.

Source: "Invoking a function asynchronously" and "Capturing records of asynchronous invocations" of the Lambda guide.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import LambdaFunction

from infra.local import account
from infra.local.executor import Executor, InvocationResult, Throttled
from infra.local.triggers.bus import Bus
from infra.local.triggers.clock import Clock, Work
from infra.local.triggers.delivery import ClientFactory, send_message

RETRY_PAUSES_S = (60.0, 120.0)
OLDEST_S = 21_600.0
FIRST_THROTTLE_PAUSE_S = 1.0
LONGEST_THROTTLE_PAUSE_S = 300.0


@dataclass(frozen=True)
class Policy:
    """A function's EventInvokeConfig, with Lambda's defaults."""

    retries: int = len(RETRY_PAUSES_S)
    oldest_s: float = OLDEST_S
    on_success: str | None = None
    on_failure: str | None = None


@dataclass(frozen=True)
class QueuedEvent:
    """One event that waits for its function."""

    function: str
    payload: bytes
    policy: Policy
    accepted_s: float
    invoked: int = 0
    throttled: int = 0
    last: InvocationResult | None = field(default=None, repr=False)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """All attempts have the id that Lambda gave the event."""


class Asynchronous:
    """Lambda's queue of asynchronous events."""

    def __init__(self, client: ClientFactory, executor: Executor, clock: Clock, work: Work, bus: Bus) -> None:
        """Keep the clients, the functions, the clock, the threads and the bus."""
        self._client = client
        self._executor = executor
        self._clock = clock
        self._work = work
        self._bus = bus

    def accept(self, function: LambdaFunction, payload: bytes) -> None:
        """Queue an event; the caller is answered before the function runs."""
        name = str(function.function_name)
        event = QueuedEvent(name, payload, policy_of(function), self._clock.now_s())
        self._work.submit(self._try, event)

    def _try(self, event: QueuedEvent) -> None:
        if self._clock.now_s() - event.accepted_s > event.policy.oldest_s:
            self._end(event, "EventAgeExceeded")
            return
        try:
            result = self._executor.invoke(event.function, event.payload, event.request_id)
        except Throttled:
            pause_s = min(FIRST_THROTTLE_PAUSE_S * 2**event.throttled, LONGEST_THROTTLE_PAUSE_S)
            self._retry(replace(event, throttled=event.throttled + 1), pause_s)
            return
        event = replace(event, invoked=event.invoked + 1, last=result)
        if result.function_error is None:
            self._end(event, "Success")
        elif event.invoked > event.policy.retries:
            self._end(event, "RetriesExhausted")
        else:
            self._retry(event, RETRY_PAUSES_S[event.invoked - 1])

    def _retry(self, event: QueuedEvent, pause_s: float) -> None:
        self._clock.call_later(pause_s, lambda: self._work.submit(self._try, event))

    def _end(self, event: QueuedEvent, condition: str) -> None:
        policy = event.policy
        destination = policy.on_success if condition == "Success" else policy.on_failure
        if destination:
            self._send(destination, self._record(event, condition))

    def _send(self, destination: str, record: dict[str, Any]) -> None:
        body = json.dumps(record)
        match destination.split(":")[2]:
            case "sqs":
                send_message(self._client, destination, body)
            case "lambda":
                call = {"FunctionName": destination, "InvocationType": "Event", "Payload": body.encode()}
                self._client("lambda").invoke(**call)
            case "events":
                ending = "Success" if record["requestContext"]["condition"] == "Success" else "Failure"
                detail_type = f"Lambda Function Invocation Result - {ending}"
                sender = record["requestContext"]["functionArn"]
                self._bus.publish("lambda", detail_type, record, [sender, destination])

    def _record(self, event: QueuedEvent, condition: str) -> dict[str, Any]:
        moment = datetime.fromtimestamp(self._clock.now_s(), UTC)
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": f"{account.function_arn(event.function)}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": event.invoked,
            },
            "requestPayload": _content(event.payload),
        }
        if event.last is not None:
            context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
            if event.last.function_error:
                context["functionError"] = event.last.function_error
            record |= {"responseContext": context, "responsePayload": _content(event.last.payload)}
        return record


def policy_of(function: LambdaFunction) -> Policy:
    """Return the newest EventInvokeConfig of one of moto's functions."""
    if not function.event_invoke_config:
        return Policy()
    config = function.event_invoke_config[-1].response()
    destinations = config.get("DestinationConfig") or {}
    return Policy(
        retries=int(config.get("MaximumRetryAttempts", len(RETRY_PAUSES_S))),
        oldest_s=float(config.get("MaximumEventAgeInSeconds", OLDEST_S)),
        on_success=(destinations.get("OnSuccess") or {}).get("Destination"),
        on_failure=(destinations.get("OnFailure") or {}).get("Destination"),
    )


def _content(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
