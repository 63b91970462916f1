"""Read and check requests of OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.conversation import Exchange, ModelReply, ToolCall, ToolResult, ToolSchema
from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.known_models import KnownModels
from stepward.testing.fake_llm.prompts import (
    Piece,
    Prompt,
    Ttl,
    canonical,
    image_piece,
    joined,
    read_arguments,
    read_result,
)
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.responses_items import (
    Item,
    Turn,
    check_pairs,
    check_reasoning,
    content_text,
    read_items,
    turns_of,
)
from stepward.testing.fake_llm.signing import IssuedThinking

_FIELDS: Final = frozenset({
    "background", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
    "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice",
    "tools", "top_logprobs", "top_p", "truncation", "user",
})  # fmt: skip
_LEAST_TOKENS: Final = 16


@dataclass(frozen=True)
class ResponsesReader:
    """Read requests; `issued` knows which calls came with reasoning."""

    issued: IssuedThinking
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
        effort = (body.get("reasoning") or {}).get("effort")
        checks.check_abilities(body, effort, "reasoning.effort", limits)
        if body.get("previous_response_id"):
            said = f"Previous response with id '{body['previous_response_id']}' not found."
            raise Refusal(said, param="previous_response_id", code="previous_response_not_found")
        items = read_items(body.get("input"))
        tools = _tools(body)
        options = body.get("prompt_cache_options") or {}
        prompt = Prompt(
            model=body["model"],
            limits=limits,
            input=_task(items),
            system=body.get("instructions") or "",
            exchanges=tuple(_exchange(turn) for turn in turns_of(items)),
            tools=tuple(tools),
            pieces=tuple(_pieces(body, items)),
            max_output_tokens=checks.check_length(body, "max_output_tokens", limits, _LEAST_TOKENS),
            streams=bool(body.get("stream")),
            thinks=effort != "none" and (limits.capabilities is None or limits.capabilities.thinks),
            schema=_format(body).get("schema"),
            more={
                "explicit": options.get("mode") == "explicit",
                "key": body.get("prompt_cache_key") or "",
                "body": body,
            },
        )
        self._check_turns(prompt, items)
        checks.check_window(prompt)
        return prompt

    def _check_turns(self, prompt: Prompt, items: Sequence[Item]) -> None:
        check_pairs(items)
        for at, turn in enumerate(turns_of(items)):
            marks = check_reasoning(turn, store=prompt.more["body"].get("store") is not False)
            calls = [
                (call["name"], canonical(read_arguments(call["arguments"])))
                for call in turn.of("function_call")
            ]
            if prompt.thinks and calls and not marks and self.issued.has(prompt.scope_at(at), calls):
                name = turn.of("function_call")[0].get("id") or turn.of("function_call")[0]["call_id"]
                raise Refusal(
                    f"Item '{name}' of type 'function_call' was provided without its required 'reasoning' item.",
                    param="input",
                )


def _tools(body: Mapping[str, Any]) -> list[ToolSchema]:
    tools = body.get("tools") or []
    for at, tool in enumerate(tools):
        if tool.get("type") != "function":
            raise Refusal(
                f"Invalid value: '{tool.get('type')}'. Supported values are: 'function'.",
                param=f"tools[{at}].type",
                code="invalid_value",
            )
        checks.check_function(tool, f"tools[{at}]")
    checks.check_unique([tool["name"] for tool in tools], "tools")
    return [
        ToolSchema(
            name=one["name"], description=one.get("description") or "", parameters=one.get("parameters") or {}
        )
        for one in tools
    ]


def _format(body: Mapping[str, Any]) -> Mapping[str, Any]:
    given: Mapping[str, Any] = (body.get("text") or {}).get("format") or {}
    if given.get("type") == "json_schema":
        if not given.get("name") or not isinstance(given.get("schema"), dict):
            missing = "name" if not given.get("name") else "schema"
            raise Refusal(
                f"Missing required parameter: 'text.format.{missing}'.",
                param=f"text.format.{missing}",
                code="missing_required_parameter",
            )
        if given.get("strict"):
            what = f"response_format '{given['name']}'"
            checks.check_strict(given["schema"], what, "text.format.schema", "invalid_json_schema")
    return given


def _exchange(turn: Turn) -> Exchange:
    calls = turn.of("function_call")
    names = {call["call_id"]: call["name"] for call in calls}
    return Exchange(
        reply=ModelReply(
            text=joined([content_text(item["content"]) for item in turn.of("message")]),
            calls=tuple(tool_call(call["call_id"], call["name"], call["arguments"]) for call in calls),
        ),
        results=tuple(
            ToolResult(
                call=one["call_id"],
                tool=names.get(one["call_id"], ""),
                content=read_result(content_text(one["output"])),
            )
            for one in turn.results
        ),
    )


def tool_call(name: str, tool: str, arguments: str) -> ToolCall:
    """Read a call whose arguments are text."""
    found = read_arguments(arguments)
    if isinstance(found, dict):
        return ToolCall(id=name, tool=tool, arguments=found)
    return ToolCall(id=name, tool=tool, arguments_text=arguments)


def _task(items: Sequence[Item]) -> str:
    return next(
        (content_text(one["content"]) for one in items if one["type"] == "message" and one["role"] == "user"),
        "",
    )


def _pieces(body: Mapping[str, Any], items: Sequence[Item]) -> Iterator[Piece]:
    default: Ttl = "12h" if (body.get("prompt_cache_options") or {}).get("ttl") == "12h" else "30m"
    yield from (Piece(canonical(tool)) for tool in body.get("tools") or [])
    if body.get("text"):
        yield Piece(canonical(body["text"]))
    if body.get("instructions"):
        yield Piece(str(body["instructions"]))
    for item in items:
        content = item.get("content")
        if item["type"] == "message" and isinstance(content, list):
            yield from (_part(part, item["role"], default) for part in content)
        else:
            yield Piece(
                canonical({name: value for name, value in item.items() if name not in ("id", "status")})
            )


def _part(part: Mapping[str, Any], role: str, default: Ttl) -> Piece:
    mark = part.get("prompt_cache_breakpoint")
    ttl: Ttl | None = None if mark is None else ("12h" if mark.get("ttl") == "12h" else default)
    said = {
        "role": role,
        **{name: value for name, value in part.items() if name != "prompt_cache_breakpoint"},
    }
    return image_piece(said, ttl) if part["type"] == "input_image" else Piece(canonical(said), ttl)
