"""Whatever a tool does, the model gets a result."""

from __future__ import annotations

import json
import threading
from typing import Any, ClassVar

import pytest

from stepward.adapters.memory.functions import MemoryResults
from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import ToolUnavailable
from stepward.domain.tools import Effect, Placement, ToolUse
from stepward.tools import execution
from stepward.tools.base import Arguments, BoundTool, Settings, Tool, ToolContext
from stepward.tools.execution import execute


class Word(Arguments):
    word: str


class Probe(Tool[Settings, Word]):
    name = "probe"
    description = "Does as it is told."
    effect = Effect.NONE
    placement = Placement.INLINE
    timeout_s: ClassVar[float] = 0.2
    settings = Settings
    arguments = Word

    def run(self, arguments: Word, settings: Settings, context: ToolContext) -> Any:
        match arguments.word:
            case "raise":
                raise ZeroDivisionError("oh")
            case "hang":
                threading.Event().wait(5)
            case "early":
                raise ToolUnavailable("come back later", has_begun=False)
            case "large":
                return {"rows": "x" * 100_000}
            case "flood":
                return "x" * 10_000_000
            case "object":
                return object()
        return {"said": arguments.word}


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "bind", lambda use: BoundTool(Probe(), None, use))


def context(**reach: Any) -> ToolContext:
    return ToolContext("acme", "run_1:c1", MemoryDatasets(), **reach)


def call(
    arguments: dict[str, Any] | None,
    text: str | None = None,
    reach: ToolContext | None = None,
    **options: Any,
) -> ToolResult:
    use = ToolUse(tool="probe", **options)
    asked = ToolCall(id="c1", tool="probe", arguments=arguments, arguments_text=text)
    return execute(asked, use, reach or context())


def test_a_result_passes() -> None:
    result = call({"word": "hi"})
    assert (result.call, result.tool, result.content, result.error) == ("c1", "probe", {"said": "hi"}, None)
    assert result.took_ms is not None


@pytest.mark.parametrize(
    ("word", "code", "says"),
    [
        ("raise", "ToolFailed", "ZeroDivisionError: oh"),
        ("hang", "ToolUnavailable", "did not answer within 0.2 s"),
        ("flood", "ToolFailed", "10000002 bytes; the limit is 65536"),
        ("object", "ToolFailed", "cannot be kept"),
    ],
)
def test_a_faulty_tool_becomes_a_tool_error(word: str, code: str, says: str) -> None:
    result = call({"word": word})
    assert result.error == code
    assert says in result.content["detail"]


def test_what_hangs_and_must_happen_once_has_an_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "effect", Effect.ONCE)
    assert call({"word": "hang"}, retry={"strategy": "immediate"}).error == "outcome_unknown"
    assert call({"word": "early"}).error == "ToolUnavailable"


def test_passing_faults_are_tried_again_and_each_attempt_is_paid() -> None:
    pauses: list[float] = []
    rule = {"strategy": "linear", "max_attempts": 3, "base_s": 2}
    result = call({"word": "early"}, reach=context(pause=pauses.append), retry=rule, cost_usd="0.000005")
    assert (result.error, pauses, result.cost_usd_micros) == ("ToolUnavailable", [2, 4], 15)


def test_what_would_fail_again_is_tried_once_and_wrong_arguments_cost_nothing() -> None:
    rule = {"strategy": "immediate"}
    assert call({"word": "raise"}, retry=rule, cost_usd="0.000005").cost_usd_micros == 5
    assert call({}, retry=rule, cost_usd="0.000005").cost_usd_micros == 0


def test_a_large_result_is_kept_aside() -> None:
    results = MemoryResults()
    result = call({"word": "large"}, reach=context(results=results))
    assert result.content == {
        "reference": "run_1/c1",
        "bytes": 100_012,
        "summary": {"type": "object", "keys": 1, "values": {"rows": "text of 100000 characters"}},
    }
    assert json.loads(results.read("acme", "run_1", "c1")) == {"rows": "x" * 100_000}
    over = call({"word": "flood"}, reach=context(results=results))
    assert "the limit is 5242880" in over.content["detail"]


def test_an_argument_that_is_not_there_is_told_with_the_nearest() -> None:
    detail = call({"wrod": "hi"}).content["detail"]
    assert detail.startswith("probe: ")
    assert "did you mean 'word'?" in detail


@pytest.mark.parametrize("arguments", [{}, {"word": 3}, {"word": "hi", "wrod": "x"}, {"word": None}])
def test_wrong_arguments_name_the_field_and_the_schema(arguments: dict[str, Any]) -> None:
    result = call(arguments)
    assert result.error == "ToolArgumentInvalid"
    assert "wo" in result.content["detail"]
    assert '"properties"' in result.content["detail"]


def test_unreadable_arguments_are_shown_to_the_model() -> None:
    result = call(None, '{"word": ')
    assert result.error == "ToolArgumentInvalid"
    assert '{"word": ' in result.content["detail"]


def test_a_tool_that_is_not_there_is_a_tool_error() -> None:
    asked = ToolCall(id="c1", tool="nothing", arguments={})
    result = execute(asked, None, context())
    assert result.error == "ToolArgumentInvalid"
