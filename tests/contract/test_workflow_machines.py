"""How Step Functions says that a workflow's machine is gone, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from stepward.adapters.aws.machines import PublishRequests, StepFunctionsWorkflows
from stepward.domain.errors import MachineMissing, NotAllowed, StepwardError
from tests.contract.test_workflow_runs import a_run

PREFIX = "arn:aws:states:us-east-1:123456789012:stateMachine:sw-dev-"


class Fake:
    """Both services: Step Functions answers one thing, Lambda remembers what was ordered."""

    def __init__(self, error: str | None = None, **answer: Any) -> None:
        self.error, self.answer = error, answer
        self.ordered: list[str] = []

    def invoke(self, **request: Any) -> None:
        self.ordered.append(request["Payload"])

    def start_execution(self, **request: Any) -> dict[str, Any]:
        del request
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "StartExecution")
        return self.answer

    describe_state_machine = start_execution


def machines(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> StepFunctionsWorkflows:
    monkeypatch.setattr("stepward.adapters.aws.machines.client", lambda name: fake)
    return StepFunctionsWorkflows(PREFIX, PublishRequests("publisher"))


@pytest.mark.parametrize("code", ["StateMachineDoesNotExist", "StateMachineDeleting"])
def test_a_start_that_finds_no_machine_orders_it(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    on = machines(monkeypatch, fake := Fake(code))
    with pytest.raises(MachineMissing, match=r"review 1\.0\.0"):
        on.start(a_run().head)
    assert fake.ordered == ['{"tenant": "acme", "workflow": "review", "version": "1.0.0"}']
    assert not on.is_made("abc")


def test_a_start_that_is_refused_for_another_reason_orders_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    on = machines(monkeypatch, fake := Fake("AccessDeniedException"))
    with pytest.raises(StepwardError) as refused:
        on.start(a_run().head)
    assert not isinstance(refused.value, MachineMissing | NotAllowed)
    assert fake.ordered == []


@pytest.mark.parametrize(("status", "is_made"), [("ACTIVE", True), ("DELETING", False)])
def test_a_machine_that_is_being_taken_away_is_not_made(
    monkeypatch: pytest.MonkeyPatch, status: str, is_made: bool
) -> None:
    assert machines(monkeypatch, Fake(status=status)).is_made("abc") is is_made
