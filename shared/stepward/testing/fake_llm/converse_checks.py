"""Refuse what Bedrock's Converse API refuses, in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stepward.testing.fake_llm.media import decoded, image_kind
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.signing import BadSignature, BlockPosition, in_order, verified_position

_KINDS: Final = frozenset(
    {"text", "image", "document", "toolUse", "toolResult", "cachePoint", "reasoningContent"}
)
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_MODEL_SAID: Final = "The model returned the following errors: "
Message = Mapping[str, Any]


def check_messages(messages: Any) -> list[dict[str, Any]]:
    """Return the messages; refuse wrong roles, empty contents and calls without results."""
    if not isinstance(messages, list) or not messages:
        raise Refusal(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message."
        )
    for at, message in enumerate(messages):
        if message.get("role") != ("user", "assistant")[at % 2]:
            raise Refusal(
                "A conversation must start with a user message. Try again with a conversation that starts with a user message."
                if at == 0
                else "A conversation must alternate between user and assistant roles. Make sure the conversation alternates"
                " between user and assistant roles and try again."
            )
        _check_content(message, at)
    _check_pairs(messages)
    if messages[-1]["role"] == "assistant":
        raise Refusal(
            f"{_MODEL_SAID}This model does not support assistant message prefill. The conversation must end with a user message."
        )
    return messages


def _check_content(message: Message, at: int) -> None:
    if not message.get("content"):
        raise Refusal(
            f"The content field in the Message object at messages.{at} is empty. Add a ContentBlock object to the content field"
            " and try again."
        )
    for i, block in enumerate(message["content"]):
        place = f"messages.{at}.content.{i}"
        if len(block) != 1 or not block.keys() <= _KINDS:
            raise Refusal(
                f"The ContentBlock object at {place} must set one of the following keys: {', '.join(sorted(_KINDS))}."
            )
        if "text" in block and not str(block["text"]).strip():
            raise Refusal(
                f"The text field in the ContentBlock object at {place} is blank. Add text to the text field, and try again."
            )
        if "toolUse" in block:
            _check_use(block["toolUse"], place)
        if "image" in block:
            _check_image(block["image"], place)


def _check_use(use: Mapping[str, Any], place: str) -> None:
    if not _NAME.fullmatch(str(use.get("name", ""))):
        raise _constraint(use.get("name"), f"{place}.member.toolUse.name", "[a-zA-Z0-9_-]+")
    if not _ID.fullmatch(str(use.get("toolUseId", ""))):
        raise _constraint(use.get("toolUseId"), f"{place}.member.toolUse.toolUseId", "[a-zA-Z0-9_.:-]+")
    if not isinstance(use.get("input"), dict):
        raise Refusal(
            f"The format of the value at {place}.toolUse.input is invalid. Provide a json object for the field and try again."
        )


def _constraint(value: Any, place: str, pattern: str) -> Refusal:
    return Refusal(
        f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: Member must satisfy regular"
        f" expression pattern: {pattern}"
    )


def _check_image(image: Mapping[str, Any], place: str) -> None:
    raw = decoded((image.get("source") or {}).get("bytes", ""), place)
    if image_kind(raw) != f"image/{image.get('format')}":
        raise Refusal(f"{_MODEL_SAID}{place}.image.source.base64.data: Could not process image")


def _check_pairs(messages: Sequence[Message]) -> None:
    seen: set[str] = set()
    called: list[str] = []
    for at, message in enumerate([*messages, {"role": "user", "content": []}]):
        results = [str(one.get("toolUseId")) for one in blocks_of(message, "toolResult")]
        missing = [name for name in called if name not in results]
        if missing and at <= len(messages):
            raise Refusal(
                f"Expected toolResult blocks at messages.{at}.content for the following Ids: {', '.join(missing)}"
            )
        if len(results) > len(called) or len(results) != len(set(results)):
            raise Refusal(
                f"The number of toolResult blocks at messages.{at}.content exceeds the number of toolUse blocks of previous turn."
            )
        called = [str(one["toolUseId"]) for one in blocks_of(message, "toolUse")]
        if len(called) != len(set(called)) or seen & set(called):
            raise Refusal(f"{_MODEL_SAID}messages: `tool_use` ids must be unique")
        seen |= set(called)


def blocks_of(message: Message, kind: str) -> Iterator[Mapping[str, Any]]:
    """Return a message's blocks of one kind."""
    return (block[kind] for block in message["content"] if kind in block)


def check_reasoning(message: Message, at: int) -> list[BlockPosition]:
    """Refuse reasoning that is not as it was given."""
    marks = []
    for i, block in enumerate(message["content"]):
        said = block.get("reasoningContent")
        if said is None:
            continue
        text = said.get("reasoningText") or {}
        try:
            marks.append(verified_position(str(text.get("signature", "")), str(text.get("text", ""))))
        except BadSignature:
            raise Refusal(
                f"{_MODEL_SAID}messages.{at}.content.{i}: Invalid `signature` in `thinking` block"
            ) from None
    leads = all("reasoningContent" in block for block in message["content"][: len(marks)])
    if marks and not (leads and in_order(marks)):
        raise Refusal(
            f"{_MODEL_SAID}messages.{at}.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message"
            " cannot be modified. These blocks must remain as they were in the original response."
        )
    return marks


def missing_reasoning(at: int) -> Refusal:
    """Refuse calls that came with reasoning and come back without it."""
    return Refusal(
        f"{_MODEL_SAID}messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When"
        " `thinking` is enabled, a final `assistant` message must start with a thinking block."
    )


def check_tools(config: Any, *, uses: bool) -> list[Mapping[str, Any]]:
    """Return the tools; refuse those that no model could call, and calls without tools."""
    if config is None:
        if uses:
            raise Refusal(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            )
        return []
    specs = [one["toolSpec"] for one in config.get("tools") or [] if "toolSpec" in one]
    for at, spec in enumerate(specs):
        if not _NAME.fullmatch(str(spec.get("name", ""))):
            raise _constraint(
                spec.get("name"), f"toolConfig.tools.{at}.member.toolSpec.name", "[a-zA-Z0-9_-]+"
            )
        if ((spec.get("inputSchema") or {}).get("json") or {}).get("type") != "object":
            raise Refusal(
                f"The value at toolConfig.tools.{at}.toolSpec.inputSchema.json.type must be one of the following: object."
            )
        if spec.get("description") == "":
            raise Refusal(
                f"Invalid length for parameter toolConfig.tools.{at}.toolSpec.description, value: 0, valid min length: 1"
            )
    names = [spec["name"] for spec in specs]
    if len(names) != len(set(names)):
        raise Refusal(f"The toolConfig field contains duplicate tool names: {sorted(names)}.")
    return specs
