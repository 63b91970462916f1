"""A refusal that holds for a moment only is not passed on: the store is asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from stepward.adapters.aws import errors
from stepward.adapters.aws.clients import client
from stepward.domain.errors import StoreConflict, StoreThrottled
from tests.contract.conftest import Ports, _on_aws
from tests.support.builders import a_key, a_new_run, a_turn
from tests.support.mocked_aws import mocked_aws

CANCELLED = "TransactionCanceledException"


class Refusals:
    """Refuses calls of one operation as DynamoDB would, as often as it is told to."""

    def __init__(self, operation: str, code: str, *reasons: str) -> None:
        self.left, self.met = 1, 0
        self._answer = {
            "__type": code,
            "message": "not now",
            "Item": {},
            "CancellationReasons": [{"Code": r} for r in reasons],
        }
        client("dynamodb").meta.events.register_first(f"before-send.dynamodb.{operation}", self._refuse)

    def _refuse(self, request: Any, **_: Any) -> AWSResponse | None:
        if self.met >= self.left:
            return None
        self.met += 1
        # moto hears of every request; this one must do nothing there.
        request.headers["X-Amz-Target"] = "DynamoDB_20120810.ListTables"
        return AWSResponse(request.url, 400, {}, _Raw(json.dumps(self._answer).encode()))


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ports]:
    monkeypatch.setattr(errors, "LONGEST_PAUSE_S", 0.001)
    monkeypatch.setattr(errors, "FIRST_PAUSE_S", 0.001)
    with mocked_aws():
        yield _on_aws()


@pytest.mark.parametrize(
    "reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_transaction_that_met_another_is_made_again(ports: Ports, reason: str) -> None:
    refusals = Refusals("TransactWriteItems", CANCELLED, "None", reason)
    assert ports.runtime.start(a_new_run()).is_new
    assert refusals.met == 1


def test_an_append_that_met_a_transaction_is_made_again(ports: Ports) -> None:
    ports.runtime.start(a_new_run())
    refusals = Refusals("PutItem", "TransactionConflictException")
    ports.journal.append(a_key(), 2, a_turn())
    assert refusals.met == 1
    assert ports.journal.newest(a_key()).record == a_turn()


@pytest.mark.parametrize(
    ("reason", "error"), [("TransactionConflict", StoreConflict), ("ThrottlingError", StoreThrottled)]
)
def test_what_does_not_end_is_told_in_the_end(ports: Ports, reason: str, error: type[Exception]) -> None:
    refusals = Refusals("TransactWriteItems", CANCELLED, "None", reason)
    refusals.left = 1_000
    with pytest.raises(error):
        ports.runtime.start(a_new_run())
    assert refusals.met == errors.MOST_TRIES


def test_a_condition_that_does_not_hold_is_asked_once(ports: Ports) -> None:
    refusals = Refusals("PutItem", "ConditionalCheckFailedException")
    refusals.left = 1_000
    with pytest.raises(StoreConflict):
        ports.journal.append(a_key(), 1, a_turn())
    assert refusals.met == 1
