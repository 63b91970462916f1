"""Read and check requests of OpenAI's Chat Completions API.

Compatible servers speak it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.conversation import Exchange, ModelReply, ToolResult, ToolSchema
from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.known_models import KnownModels
from stepward.testing.fake_llm.prompts import Piece, Prompt, canonical, image_piece, joined, read_result
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.responses_items import content_text
from stepward.testing.fake_llm.responses_reading import tool_call

_FIELDS: Final = frozenset({
    "messages", "model", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata",
    "modalities", "n", "parallel_tool_calls", "presence_penalty", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store",
    "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
})  # fmt: skip
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
Message = Mapping[str, Any]


@dataclass(frozen=True)
class ChatReader:
    """Read requests."""

    models: KnownModels

    def read(self, body: dict[str, Any]) -> Prompt:
        """Read a request.

        Args:
            body: The JSON that was sent.

        Returns:
            The prompt.

        Raises:
            Refusal: The API would refuse it.
        """
        checks.check_fields(body, _FIELDS)
        limits = checks.limits_of(self.models, body)
        effort = body.get("reasoning_effort")
        checks.check_abilities(body, effort, "reasoning_effort", limits)
        if body.get("max_tokens") is not None and limits.capabilities and limits.capabilities.thinks:
            raise Refusal(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                param="max_tokens",
                code="unsupported_parameter",
            )
        messages = _messages(body)
        field = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
        prompt = Prompt(
            model=body["model"],
            limits=limits,
            input=next((_text(one) for one in messages if one["role"] == "user"), ""),
            system=joined([_text(one) for one in messages if one["role"] in ("system", "developer")]),
            exchanges=tuple(_exchanges(messages)),
            tools=tuple(_tools(body)),
            pieces=tuple(_pieces(body, messages)),
            max_output_tokens=checks.check_length(body, field, limits, 1),
            streams=bool(body.get("stream")),
            thinks=effort != "none" and (limits.capabilities is None or limits.capabilities.thinks),
            schema=_schema(body),
            more={
                "key": body.get("prompt_cache_key") or "",
                "usage": (body.get("stream_options") or {}).get("include_usage"),
            },
        )
        checks.check_window(prompt)
        return prompt


def _messages(body: Mapping[str, Any]) -> list[Message]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for at, message in enumerate(messages):
        _check_message(message, at)
    _check_pairs(messages)
    return messages


def _check_message(message: Message, at: int) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        listed = ", ".join(f"'{one}'" for one in _ROLES)
        said = f"Invalid value: '{role}'. Supported values are: {listed}."
        raise Refusal(said, param=f"messages[{at}].role", code="invalid_value")
    has_calls = role == "assistant" and bool(message.get("tool_calls") or message.get("refusal"))
    if (content is None or content == []) and not has_calls:
        said = f"Invalid value for 'content': expected a string, got {'null' if content is None else 'an empty array'}."
        raise Refusal(said, param=f"messages.[{at}].content", code=None)
    for part in content if isinstance(content, list) else []:
        if part.get("type") == "image_url":
            checks.check_image_url((part.get("image_url") or {}).get("url"), f"messages[{at}].content")


def _check_pairs(messages: Sequence[Message]) -> None:
    waiting: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                raise Refusal(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                    param=f"messages.[{at}].role",
                )
            waiting.remove(message["tool_call_id"])
            continue
        _check_none_waits(waiting, at)
        waiting = [str(call.get("id")) for call in message.get("tool_calls") or []]
        for call in message.get("tool_calls") or []:
            if not isinstance((call.get("function") or {}).get("arguments"), str):
                raise Refusal(
                    "Invalid type for 'tool_calls.function.arguments': expected a string.",
                    param=f"messages[{at}].tool_calls",
                    code="invalid_type",
                )
    _check_none_waits(waiting, len(messages))


def _check_none_waits(waiting: Sequence[str], at: int) -> None:
    if waiting:
        raise Refusal(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The"
            f" following tool_call_ids did not have response messages: {', '.join(waiting)}",
            param=f"messages.[{at}].role",
        )


def _exchanges(messages: Sequence[Message]) -> Iterator[Exchange]:
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        calls = message.get("tool_calls") or []
        names = {call["id"]: call["function"]["name"] for call in calls}
        yield Exchange(
            reply=ModelReply(
                text=_text(message),
                calls=tuple(
                    tool_call(one["id"], one["function"]["name"], one["function"]["arguments"])
                    for one in calls
                ),
            ),
            results=tuple(
                ToolResult(
                    call=one["tool_call_id"], tool=names[one["tool_call_id"]], content=read_result(_text(one))
                )
                for one in messages[at + 1 : at + 1 + len(calls)]
            ),
        )


def _text(message: Message) -> str:
    return content_text(message.get("content") or "")


def _tools(body: Mapping[str, Any]) -> list[ToolSchema]:
    functions = []
    for at, tool in enumerate(body.get("tools") or []):
        function = tool.get("function") or {}
        checks.check_function(function, f"tools[{at}].function")
        functions.append(function)
    checks.check_unique([one["name"] for one in functions], "tools")
    return [
        ToolSchema(
            name=one["name"], description=one.get("description") or "", parameters=one.get("parameters") or {}
        )
        for one in functions
    ]


def _schema(body: Mapping[str, Any]) -> dict[str, Any] | None:
    given = body.get("response_format") or {}
    if given.get("type") != "json_schema":
        return None
    said = given.get("json_schema") or {}
    if not said.get("name"):
        param = "response_format.json_schema.name"
        raise Refusal(
            f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
        )
    if said.get("strict"):
        checks.check_strict(said.get("schema") or {}, f"response_format '{said['name']}'", "response_format")
    schema: dict[str, Any] | None = said.get("schema")
    return schema


def _pieces(body: Mapping[str, Any], messages: Sequence[Message]) -> Iterator[Piece]:
    yield from (Piece(canonical(tool)) for tool in body.get("tools") or [])
    if body.get("response_format"):
        yield Piece(canonical(body["response_format"]))
    for message in messages:
        content = message.get("content")
        if not isinstance(content, list):
            yield Piece(canonical(message))
            continue
        for part in content:
            said = {"role": message["role"], **part}
            yield image_piece(said) if part.get("type") == "image_url" else Piece(canonical(said))
