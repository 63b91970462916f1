"""Errors of functions have the names that Catch matches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.histories import count
from infra.local.laptop import Laptop
from tests.local.patience import run_machine


def call(laptop: Laptop, event: dict[str, Any]) -> dict[str, Any]:
    machine = laptop.physical_id("AWS::StepFunctions::StateMachine")
    return run_machine(laptop, machine, json.dumps(event))


def test_an_answer_is_the_output(laptop: Laptop) -> None:
    found = call(laptop, {"answer": {"next": "done"}})
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"next": "done"})
    counts = count(laptop.history(found["executionArn"]))
    assert counts.states_entered == 1
    assert counts.max_state_bytes == len('{"answer":{"next":"done"}}')


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"raise": "ProviderThrottled"}, "ProviderThrottled"),
        ({"kill": True}, "Runtime.ExitError"),
        ({"exit": 1}, "Runtime.ExitError"),
        ({"sleep_s": 3}, "Sandbox.Timedout"),
        ({"bytes": 6_300_000}, "Function.ResponseSizeTooLarge"),
    ],
)
def test_errors_are_caught_by_awss_names(laptop: Laptop, event: dict[str, Any], name: str) -> None:
    found = call(laptop, event)
    assert json.loads(found["output"]) == {"caught": name}


def test_a_throttle_is_caught_by_awss_name(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.local.executor import Throttled
    from infra.local.executor.pool import Pool

    def no_place(pool: Pool, wait_s: float) -> Any:
        raise Throttled(f"{pool} {wait_s}")

    monkeypatch.setattr(Pool, "acquire", no_place)
    assert json.loads(call(laptop, {})["output"]) == {"caught": "Lambda.TooManyRequestsException"}
