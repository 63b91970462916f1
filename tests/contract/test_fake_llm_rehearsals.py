"""A rehearsal over the wire says what it says without one: in each protocol, over the real tools' results."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import anthropic
import boto3
import openai
import pytest

from stepward.domain.conversation import Exchange, ModelReply, ToolCall
from stepward.testing.fake_llm import FakeProvider
from stepward.tools.base import ToolContext
from stepward.tools.execution import execute
from tests.unit.library.rehearsal_driver import FolderDatasets, load, play

AGENT = load("support/agent.yaml")
TICKETS = ["T-1001", "T-1002", "T-1006", "T-1008", "T-1011", "T-1014", "T-9999"]
SCHEMA: Any = {"type": "object"}
NAMES = [tool.name or tool.tool for tool in AGENT.tools]
Ask = Callable[[FakeProvider, str, list[Exchange]], ModelReply]


def _result_text(content: Any) -> str:
    return json.dumps(content)


def _over_messages(provider: FakeProvider, given: str, history: list[Exchange]) -> ModelReply:
    messages: list[Any] = [{"role": "user", "content": given}]
    for past in history:
        text = [{"type": "text", "text": past.reply.text}] if past.reply.text else []
        uses = [
            {"type": "tool_use", "id": c.id, "name": c.tool, "input": c.arguments} for c in past.reply.calls
        ]
        results = [
            {"type": "tool_result", "tool_use_id": r.call, "content": _result_text(r.content)}
            for r in past.results
        ]
        messages += [{"role": "assistant", "content": [*text, *uses]}, {"role": "user", "content": results}]
    with anthropic.Anthropic(base_url=provider.url, api_key="k", max_retries=0) as client:
        tools: Any = [{"name": name, "input_schema": SCHEMA} for name in NAMES]
        with client.messages.stream(
            model="claude-haiku-5-5", max_tokens=800, system=AGENT.prompt, messages=messages, tools=tools
        ) as stream:
            said = stream.get_final_message()
    calls = [(one.name, one.input) for one in said.content if one.type == "tool_use"]
    return _reply("".join(one.text for one in said.content if one.type == "text"), calls, len(history) + 1)


def _over_responses(provider: FakeProvider, given: str, history: list[Exchange]) -> ModelReply:
    items: list[Any] = [{"role": "user", "content": given}]
    for past in history:
        if past.reply.text:
            items.append({"role": "assistant", "content": past.reply.text})
        items += [
            {"type": "function_call", "call_id": c.id, "name": c.tool, "arguments": json.dumps(c.arguments)}
            for c in past.reply.calls
        ]
        items += [
            {"type": "function_call_output", "call_id": r.call, "output": _result_text(r.content)}
            for r in past.results
        ]
    with openai.OpenAI(base_url=provider.openai_url, api_key="k", max_retries=0) as client:
        tools: Any = [{"type": "function", "name": n, "parameters": SCHEMA, "strict": False} for n in NAMES]
        with client.responses.stream(
            model="gpt-6-luna", instructions=AGENT.prompt, input=items, tools=tools
        ) as stream:
            said = stream.get_final_response()
    calls = [(one.name, json.loads(one.arguments)) for one in said.output if one.type == "function_call"]
    return _reply(said.output_text, calls, len(history) + 1)


def _over_chat(provider: FakeProvider, given: str, history: list[Exchange]) -> ModelReply:
    messages: list[Any] = [{"role": "system", "content": AGENT.prompt}, {"role": "user", "content": given}]
    for past in history:
        calls = [
            {
                "id": c.id,
                "type": "function",
                "function": {"name": c.tool, "arguments": json.dumps(c.arguments)},
            }
            for c in past.reply.calls
        ]
        messages.append({"role": "assistant", "content": past.reply.text, "tool_calls": calls})
        messages += [
            {"role": "tool", "tool_call_id": r.call, "content": _result_text(r.content)} for r in past.results
        ]
    with openai.OpenAI(base_url=provider.openai_url, api_key="k", max_retries=0) as client:
        tools: Any = [{"type": "function", "function": {"name": n, "parameters": SCHEMA}} for n in NAMES]
        said = client.chat.completions.create(model="gpt-6-luna", messages=messages, tools=tools)
    message: Any = said.choices[0].message
    found = [(one.function.name, json.loads(one.function.arguments)) for one in message.tool_calls or []]
    return _reply(message.content or "", found, len(history) + 1)


def _over_converse(provider: FakeProvider, given: str, history: list[Exchange]) -> ModelReply:
    messages: list[Any] = [{"role": "user", "content": [{"text": given}]}]
    for past in history:
        text = [{"text": past.reply.text}] if past.reply.text else []
        uses = [
            {"toolUse": {"toolUseId": c.id, "name": c.tool, "input": c.arguments}} for c in past.reply.calls
        ]
        results = [
            {"toolResult": {"toolUseId": r.call, "content": [{"text": _result_text(r.content)}]}}
            for r in past.results
        ]
        messages += [{"role": "assistant", "content": [*text, *uses]}, {"role": "user", "content": results}]
    tools = [{"toolSpec": {"name": name, "inputSchema": {"json": SCHEMA}}} for name in NAMES]
    with closing(boto3.client("bedrock-runtime", endpoint_url=provider.url)) as client:
        said = client.converse(
            modelId="eu.anthropic.claude-haiku-5-5",
            system=[{"text": AGENT.prompt}],
            messages=messages,
            toolConfig={"tools": tools},
        )
    content = said["output"]["message"]["content"]
    calls = [(one["toolUse"]["name"], one["toolUse"]["input"]) for one in content if "toolUse" in one]
    return _reply("".join(one["text"] for one in content if "text" in one), calls, len(history) + 1)


def _reply(text: str, calls: list[tuple[str, Any]], turn: int) -> ModelReply:
    made = [
        ToolCall(id=f"call_{turn}_{at + 1}", tool=tool, arguments=arguments)
        for at, (tool, arguments) in enumerate(calls)
    ]
    return ModelReply(text=text, calls=tuple(made))


@pytest.mark.parametrize("ask", [_over_messages, _over_responses, _over_chat, _over_converse])
@pytest.mark.parametrize("ticket", TICKETS)
def test_the_bundled_agent_says_the_same_over_the_wire(provider: FakeProvider, ask: Ask, ticket: str) -> None:
    given = json.dumps({"ticket_id": ticket})
    expected = play(AGENT, given)
    datasets, history = FolderDatasets(), list[Exchange]()
    while (reply := ask(provider, given, history)).calls:
        results = [execute(c, AGENT.tool(c.tool), ToolContext("acme", c.id, datasets)) for c in reply.calls]
        history.append(Exchange(reply=reply, results=tuple(results)))
        assert len(history) < 10
    assert reply.text == expected.output
    assert [[call.tool for call in past.reply.calls] for past in history] == expected.calls
    assert [result.content for past in history for result in past.results] == expected.results


def test_a_rehearsal_that_ends_too_soon_says_so() -> None:
    agent = {
        "id": "short",
        "name": "Short",
        "version": "1.0.0",
        "model": "fast",
        "prompt": "Hi.",
        "rehearsal": {"turns": [{"call": [{"tool": "find_ticket"}]}]},
        "tools": [
            {"tool": "record_lookup", "name": "find_ticket", "config": {"source": "a.csv", "key": "id"}}
        ],
    }
    with FakeProvider(rehearsal=agent) as provider:
        first = _over_messages(provider, "x", [])
        result = execute(
            first.calls[0], AGENT.tool("find_ticket"), ToolContext("acme", "c", FolderDatasets())
        )
        with pytest.raises(anthropic.BadRequestError, match="the rehearsal has no turn 2"):
            _over_messages(provider, "x", [Exchange(reply=first, results=(result,))])


def test_a_rehearsal_calls_no_tool_that_the_request_does_not_offer(provider: FakeProvider) -> None:
    tools: Any = [{"type": "function", "function": {"name": "unlike", "parameters": SCHEMA}}]
    asked: Any = [{"role": "user", "content": json.dumps({"ticket_id": TICKETS[0]})}]
    with (
        openai.OpenAI(base_url=provider.openai_url, api_key="k", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="does not offer; it offers: unlike"),
    ):
        client.chat.completions.create(model="gpt-6-luna", messages=asked, tools=tools)
