"""What a machine sends is understood, as machines send it now and as those do that were made before."""

from __future__ import annotations

from typing import Any

from stepward.workflows.runs.task_requests import TaskRequest

RUN = {
    "v": 1,
    "tenant": "acme",
    "run": "run_1",
    "workflow": "flow",
    "version": "1.0.0",
    "pk": "T#acme#R#run_1",
}
CONTEXT: dict[str, Any] = {
    "Execution": {"Id": "arn:aws:states:…", "Input": RUN, "Name": "run_1.1", "RedriveCount": 0},
    "State": {"EnteredTime": "2026-11-21T10:00:00.000Z", "Name": "draft", "RetryCount": 2},
    "StateMachine": {"Id": "arn:aws:states:…", "Name": "sw-dev-1"},
}


def test_what_a_machine_knows_stands_in_its_context() -> None:
    request = TaskRequest.model_validate({"task": "draft", "at": "each[1]", "context": CONTEXT})
    assert (request.run.tenant, request.run.run, request.run.version) == ("acme", "run_1", "1.0.0")
    assert (request.task, request.at, request.tries) == ("draft", "each[1]", 2)
    assert (request.entered, request.token) == ("2026-11-21T10:00:00.000Z", None)


def test_a_token_is_only_what_a_state_says_itself() -> None:
    """An engine may leave the token of a state before in the context."""
    context = {**CONTEXT, "Task": {"Token": "of another state"}}
    assert TaskRequest.model_validate({"task": "draft", "context": context}).token is None
    assert TaskRequest.model_validate({"task": "draft", "context": context, "token": "own"}).token == "own"


def test_a_machine_that_was_made_before_says_all_itself() -> None:
    said = {"v": 1, "run": RUN, "task": "draft", "try": 1, "token": "t", "entered": "2026-11-21T10:00:00Z"}
    request = TaskRequest.model_validate(said)
    assert (request.run.run, request.tries, request.token) == ("run_1", 1, "t")
    assert request.entered == "2026-11-21T10:00:00Z"
