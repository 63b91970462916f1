"""Read and check requests of Bedrock's Converse API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.conversation import Exchange, ModelReply, ToolCall, ToolResult, ToolSchema
from stepward.testing.fake_llm import converse_checks as checks
from stepward.testing.fake_llm.converse_checks import Message, blocks_of
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.prompts import Piece, Prompt, Ttl, canonical, image_piece, joined, read_result
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.signing import IssuedThinking

_FIELDS: Final = frozenset({
    "messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields", "promptVariables",
    "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier", "outputConfig", "model", "stream",
})  # fmt: skip
_MOST_POINTS: Final = 4
_REGIONAL: Final = ("us.", "eu.", "apac.", "jp.", "au.", "global.", "arn:")


@dataclass(frozen=True)
class ConverseReader:
    """Read requests; `issued` knows which calls came with reasoning."""

    issued: IssuedThinking
    models: KnownModels

    def read(self, body: dict[str, Any]) -> Prompt:
        """Read a request.

        Args:
            body: The JSON that was sent, with the `model` of its path and whether it `stream`s.

        Returns:
            The prompt.

        Raises:
            Refusal: The API would refuse it.
        """
        limits = self._limits(body)
        for name in body:
            if name not in _FIELDS:
                raise Refusal(f"Unexpected field type: {name}")
        messages = checks.check_messages(body.get("messages"))
        uses = any(
            "toolUse" in block or "toolResult" in block for one in messages for block in one["content"]
        )
        tools = checks.check_tools(body.get("toolConfig"), uses=uses)
        thinking = (body.get("additionalModelRequestFields") or {}).get("thinking") or {}
        pieces = tuple(_pieces(body, messages))
        if sum(1 for piece in pieces if piece.ttl) > _MOST_POINTS:
            raise Refusal(f"You may only define up to {_MOST_POINTS} cachePoint blocks in a single request.")
        prompt = Prompt(
            model=body["model"],
            limits=limits,
            input=_text(messages[0]["content"]),
            system=_text(body.get("system") or []),
            exchanges=tuple(_exchanges(messages)),
            tools=tuple(_schema(tool) for tool in tools),
            pieces=pieces,
            max_output_tokens=_length(body, limits),
            streams=bool(body.get("stream")),
            thinks=thinking.get("type") != "disabled",
            shows=thinking.get("display") != "omitted",
            schema=_output_schema(body),
        )
        self._check_reasoning(prompt, messages)
        if prompt.tokens > limits.context_tokens:
            raise Refusal("Input is too long for requested model.")
        return prompt

    def _limits(self, body: Mapping[str, Any]) -> ModelLimits:
        name = str(body.get("model"))
        limits = self.models.find("bedrock", name)
        if limits is None:
            raise Refusal("The provided model identifier is invalid.")
        if limits.capabilities and not name.startswith(_REGIONAL):
            raise Refusal(
                f"Invocation of model ID {name} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model."  # noqa: RUF001
            )
        return limits

    def _check_reasoning(self, prompt: Prompt, messages: Sequence[Message]) -> None:
        exchange = -1
        for at, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            exchange += 1
            marks = checks.check_reasoning(message, at)
            calls = [(use["name"], canonical(use["input"])) for use in blocks_of(message, "toolUse")]
            if prompt.thinks and calls and not marks and self.issued.has(prompt.scope_at(exchange), calls):
                raise checks.missing_reasoning(at)


def _length(body: Mapping[str, Any], limits: ModelLimits) -> int:
    config = body.get("inferenceConfig") or {}
    most = config.get("maxTokens", limits.max_output_tokens)
    if not isinstance(most, int) or most < 1:
        raise Refusal(
            f"1 validation error detected: Value '{most}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must"
            " have value greater than or equal to 1"
        )
    if most > limits.max_output_tokens:
        raise Refusal(
            f"The maximum tokens you requested exceeds the model limit of {limits.max_output_tokens}. Try again with a maximum"
            f" tokens value that is lower than {limits.max_output_tokens}."
        )
    can = limits.capabilities
    for name in ("temperature", "topP"):
        if name in config and can and can.temperature == "never":
            raise Refusal(f"This model doesn't support the {name} field. Remove {name} and try again.")
    effort = (body.get("outputConfig") or {}).get("effort")
    if effort is not None and can and effort not in can.efforts:
        raise Refusal(
            f"The model returned the following errors: output_config.effort: Input should be one of {can.efforts}"
        )
    return most


def _output_schema(body: Mapping[str, Any]) -> dict[str, Any] | None:
    given = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    text = (given.get("jsonSchema") or {}).get("schema")
    if text is None:
        return None
    try:
        schema = json.loads(text)
    except ValueError:
        raise Refusal(
            "The value at outputConfig.textFormat.structure.jsonSchema.schema is no valid JSON."
        ) from None
    if not isinstance(schema, dict):
        raise Refusal("The value at outputConfig.textFormat.structure.jsonSchema.schema is no JSON object.")
    return schema


def _exchanges(messages: Sequence[Message]) -> Iterator[Exchange]:
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        uses = list(blocks_of(message, "toolUse"))
        names = {use["toolUseId"]: use["name"] for use in uses}
        yield Exchange(
            reply=ModelReply(
                text=_text(message["content"]),
                calls=tuple(
                    ToolCall(id=one["toolUseId"], tool=one["name"], arguments=one["input"]) for one in uses
                ),
            ),
            results=tuple(_result(one, names) for one in blocks_of(messages[at + 1], "toolResult")),
        )


def _result(block: Mapping[str, Any], names: Mapping[str, str]) -> ToolResult:
    content = block.get("content") or []
    is_json = len(content) == 1 and "json" in content[0]
    return ToolResult(
        call=block["toolUseId"],
        tool=names.get(block["toolUseId"], ""),
        content=content[0]["json"] if is_json else read_result(_text(content)),
        error="ToolFailed" if block.get("status") == "error" else None,
    )


def _text(blocks: Sequence[Mapping[str, Any]]) -> str:
    return joined([str(block["text"]) for block in blocks if "text" in block])


def _schema(spec: Mapping[str, Any]) -> ToolSchema:
    return ToolSchema(
        name=spec["name"], description=spec.get("description", ""), parameters=spec["inputSchema"]["json"]
    )


def _pieces(body: Mapping[str, Any], messages: Sequence[Message]) -> Iterator[Piece]:
    """Split a prompt as it is cached; a cache point marks the end of what is before it."""
    blocks = [
        *((body.get("toolConfig") or {}).get("tools") or []),
        *(body.get("system") or []),
        *({**block, "role": message["role"]} for message in messages for block in message["content"]),
    ]
    for block, after in zip(blocks, [*blocks[1:], {}], strict=True):
        if "cachePoint" not in block:
            yield _piece(block, _ttl(after))


def _piece(block: Mapping[str, Any], ttl: Ttl | None) -> Piece:
    if "image" in block:
        return image_piece(block, ttl)
    if "reasoningContent" in block:
        text = (block["reasoningContent"].get("reasoningText") or {}).get("text", "")
        return Piece(canonical({"reasoning": text}), ttl)
    return Piece(canonical(block), ttl)


def _ttl(block: Mapping[str, Any]) -> Ttl | None:
    point = block.get("cachePoint")
    if point is None:
        return None
    return "1h" if point.get("ttl") == "1h" else "5m"
