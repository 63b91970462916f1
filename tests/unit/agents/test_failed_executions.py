"""A run of an agent that has failed fails its execution too, in the state in which others succeed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stepward.agents.machine_messages import AdvanceAnswer, AdvanceRequest
from stepward.domain.journal import End
from stepward.domain.runs import RunError, RunStatus
from stepward.expressions.evaluate import evaluate

MACHINE = json.loads(Path("statemachines/agent-run.asl.json").read_text(encoding="utf-8"))["States"]
ERROR = RunError(code="ToolFailed", detail="it broke.")


def next_of(end: End | None) -> str:
    """Ask the machine's own question."""
    request = AdvanceRequest(v=1, tenant="acme", run="run_01")
    answer = AdvanceAnswer.done(request, 3, end).model_dump(exclude_none=True)
    ways = MACHINE["MustItWait"]["Choices"]
    return next(
        one["Next"] for one in ways if evaluate(one["Condition"], {"states": {"input": answer}}) is True
    )


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (End(status=RunStatus.FAILED, error=ERROR), "RunFailed"),
        (End(status=RunStatus.COMPLETED), "RunEnded"),
        (End(status=RunStatus.CANCELLED, error=ERROR), "RunEnded"),
        (None, "RunEnded"),
    ],
)
def test_the_execution_ends_as_the_run(end: End | None, state: str) -> None:
    assert next_of(end) == state
    assert MACHINE[state]["Type"] == ("Fail" if state == "RunFailed" else "Succeed")
