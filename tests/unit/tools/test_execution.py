"""Whatever a tool does, the model gets a result."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from stepward.adapters.memory.world import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.tool_use import ToolUse
from stepward.domain.tools import Effect, Placement
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
            case "flood":
                return "x" * 10_000_000
            case "object":
                return object()
        return {"said": arguments.word}


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "bind", lambda use: BoundTool(Probe(), None))


def call(arguments: dict[str, Any] | None, text: str | None = None) -> ToolResult:
    use = ToolUse(tool="probe")
    asked = ToolCall(id="c1", tool="probe", arguments=arguments, arguments_text=text)
    return execute(asked, use, ToolContext("acme", "c1", MemoryDatasets()))


def test_a_result_passes() -> None:
    assert call({"word": "hi"}) == ToolResult(call="c1", tool="probe", content={"said": "hi"})


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("raise", "ZeroDivisionError: oh"),
        ("hang", "did not answer within 0.2 s"),
        ("flood", "10000002 bytes; the limit is 65536"),
        ("object", "cannot be kept"),
    ],
)
def test_a_faulty_tool_becomes_a_tool_error(word: str, says: str) -> None:
    result = call({"word": word})
    assert result.error == "ToolFailed"
    assert says in result.content["detail"]


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
    result = execute(asked, None, ToolContext("acme", "c1", MemoryDatasets()))
    assert result.error == "ToolArgumentInvalid"
