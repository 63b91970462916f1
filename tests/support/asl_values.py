"""What the states of a machine say: values by expressions, pauses by Retry, ways out by Catch."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from stepward.expressions.evaluate import evaluate, is_expression
from tests.support.virtual_time import EventLoop, StateFailed

_PATH = re.compile(r"^\{% \$states((?:\.\w+)+) %\}$")
_SAID = re.compile(r"\$states((?:\.\w+)+)")
_NOT_FOR_ALL = ("States.DataLimitExceeded", "States.Runtime", "States.QueryEvaluationError")


@dataclass
class Said:
    """What a state's expressions may say."""

    execution: dict[str, Any]
    name: str
    given: Any
    entered: str
    tries: int = 0
    token: str | None = None

    def value(self, template: Any, **more: Any) -> Any:
        """Put values in the place of expressions; a name without a value is an error, as in the service."""
        if isinstance(template, dict):
            return {name: self.value(inner, **more) for name, inner in template.items()}
        if isinstance(template, list):
            return [self.value(inner, **more) for inner in template]
        if not is_expression(template):
            return template
        known = {"input": self.given, "context": self._context(), **more}
        path = _PATH.match(template)
        if path:
            return _found(known, path[1], template)
        if "$exists(" not in template:
            for said in _SAID.findall(template):
                _found(known, said, template)
        return evaluate(template, {"states": known})

    def _context(self) -> dict[str, Any]:
        state = {"Name": self.name, "RetryCount": self.tries, "EnteredTime": self.entered}
        task = {"Task": {"Token": self.token}} if self.token else {}
        return {"Execution": self.execution, "State": state, **task}


def _found(known: Any, path: str, template: str) -> Any:
    for name in path.lstrip(".").split("."):
        if not isinstance(known, dict) or name not in known:
            raise StateFailed("States.QueryEvaluationError", f"{template} has no value")
        known = known[name]
    return json.loads(json.dumps(known))


def output_of_state(state: dict[str, Any], said: Said, result: Any) -> Any:
    return said.value(state["Output"], result=result) if "Output" in state else result


def _matches(names: list[str], error: str) -> bool:
    everything = "States.ALL" in names and error not in _NOT_FOR_ALL
    return error in names or everything or ("States.TaskFailed" in names and error != "States.Timeout")


def pause_before_retry_s(
    state: dict[str, Any], failure: StateFailed, tried: Counter[int], loop: EventLoop
) -> float | None:
    """How long to wait before the next attempt; None where there is none. The first rule that fits decides."""
    for number, rule in enumerate(state.get("Retry", [])):
        if _matches(rule["ErrorEquals"], failure.error):
            if tried[number] >= rule.get("MaxAttempts", 3):
                return None
            pause_s = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2) ** tried[number]
            tried[number] += 1
            pause_s = min(pause_s, rule.get("MaxDelaySeconds", pause_s))
            return pause_s * loop.chance.random() if rule.get("JitterStrategy") == "FULL" else pause_s
    return None


def caught(state: dict[str, Any], failure: StateFailed, said: Said) -> tuple[Any, str]:
    for rule in state.get("Catch", []):
        if _matches(rule["ErrorEquals"], failure.error):
            told = {"Error": failure.error, "Cause": failure.cause}
            return said.value(rule.get("Output", told), errorOutput=told), rule["Next"]
    raise failure
