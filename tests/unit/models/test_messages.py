"""What every vendor takes of a history, whatever a model or a caller has put into it."""

from __future__ import annotations

import pytest

from stepward.domain.conversation import CallPart, Exchange, ModelReply, ModelRequest, ToolCall
from stepward.models.messages import TextBlock, ToolResult, conversation


def _request(tool: str, *, has_parts: bool) -> ModelRequest:
    call = ToolCall(id="call_1_1", tool=tool, arguments={})
    parts = (CallPart(call=call.id),) if has_parts else ()
    history = (Exchange(reply=ModelReply(calls=(call,), parts=parts, stop="tools")),)
    return ModelRequest(model="m", prompt="Help.", input="Hello.", history=history)


@pytest.mark.parametrize("has_parts", [False, True])
@pytest.mark.parametrize(
    ("made_up", "shown"),
    [
        ("find_order", "find_order"),
        ("functions.find", "functions_find"),
        ("find<|channel|>json", "find_channel_json"),
        ("", "unnamed"),
        ("x" * 200, "x" * 64),
        ("find\n", "find_"),
        ("süß", "s_"),
    ],
)
def test_a_made_up_tool_is_shown_again_by_a_name_that_vendors_take(
    made_up: str, shown: str, has_parts: bool
) -> None:
    _, spoken, answers = conversation(_request(made_up, has_parts=has_parts), "anthropic")
    [call] = spoken.blocks
    assert isinstance(call, ToolCall)
    assert call.tool == shown
    [result] = answers.blocks
    assert isinstance(result, ToolResult)
    assert result.call == call.id


@pytest.mark.parametrize("blank", ["", " \n"])
def test_an_input_without_words_is_said_to_be_empty(blank: str) -> None:
    [said] = conversation(ModelRequest(model="m", prompt="Help.", input=blank), "anthropic")
    assert said.blocks == (TextBlock("(empty)"),)
