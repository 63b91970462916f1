"""Check the items of OpenAI's Responses API, alone and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from stepward.testing.fake_llm import openai_checks as checks
from stepward.testing.fake_llm.prompts import joined
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.signing import BadSignature, BlockPosition, in_order, verified_position

Item = dict[str, Any]
SEAL_PREFIX: Final = "gAAAA"
_TYPES: Final = ("message", "reasoning", "function_call", "function_call_output")
_PREFIXES: Final = {"message": "msg", "reasoning": "rs", "function_call": "fc"}
_MOST_ID_CHARS: Final = 64


@dataclass
class Turn:
    """One reply of the model, and the results of its calls."""

    items: list[Item] = field(default_factory=list)
    results: list[Item] = field(default_factory=list)

    def of(self, kind: str) -> list[Item]:
        """Return its items of one type."""
        return [item for item in self.items if item["type"] == kind]


def read_items(given: Any) -> list[Item]:
    """Return all items, each checked to be whole."""
    if isinstance(given, str) and given:
        return [{"type": "message", "role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise Refusal(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            param="input",
            code="missing_required_parameter",
        )
    return [_item(item, at) for at, item in enumerate(given)]


def _item(item: Any, at: int) -> Item:
    kind = item.get("type", "message") if isinstance(item, dict) else None
    if kind not in _TYPES:
        listed = ", ".join(f"'{one}'" for one in _TYPES)
        raise Refusal(
            f"Invalid value: '{kind}'. Supported values are: {listed}.",
            param=f"input[{at}].type",
            code="invalid_value",
        )
    prefix, name = _PREFIXES.get(kind), item.get("id")
    if name is not None and prefix and not str(name).startswith(prefix):
        raise Refusal(
            f"Invalid 'input[{at}].id': '{name}'. Expected an ID that begins with '{prefix}'.",
            param=f"input[{at}].id",
            code="invalid_value",
        )
    _check_item({**item, "type": kind}, at)
    return {**item, "type": kind}


def _check_item(item: Item, at: int) -> None:
    needed = {
        "message": ("role", "content"),
        "reasoning": ("id", "summary"),
        "function_call": ("call_id", "name", "arguments"),
        "function_call_output": ("call_id", "output"),
    }[item["type"]]
    for name in needed:
        if item.get(name) is None:
            raise Refusal(
                f"Missing required parameter: 'input[{at}].{name}'.",
                param=f"input[{at}].{name}",
                code="missing_required_parameter",
            )
    if len(str(item.get("call_id", ""))) > _MOST_ID_CHARS:
        raise Refusal(
            f"Invalid 'input[{at}].call_id': string too long. Expected a string with maximum length {_MOST_ID_CHARS}.",
            param=f"input[{at}].call_id",
            code="string_above_max_length",
        )
    if item["type"] == "function_call" and not isinstance(item["arguments"], str):
        raise Refusal(
            f"Invalid type for 'input[{at}].arguments': expected a string, but got an object instead.",
            param=f"input[{at}].arguments",
            code="invalid_type",
        )
    if item["type"] == "message":
        _check_content(item, at)


def _check_content(item: Item, at: int) -> None:
    role, content = item["role"], item["content"]
    if role not in ("user", "assistant", "system", "developer"):
        said = (
            f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
        )
        raise Refusal(said, param=f"input[{at}].role", code="invalid_value")
    if isinstance(content, str):
        return
    allowed = (
        ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image", "input_file")
    )
    for i, part in enumerate(content):
        if part.get("type") not in allowed:
            listed = " and ".join(f"'{one}'" for one in allowed)
            raise Refusal(
                f"Invalid value: '{part.get('type')}'. Supported values are: {listed}.",
                param=f"input[{at}].content[{i}]",
                code="invalid_value",
            )
        if part["type"] == "input_image":
            checks.check_image_url(part.get("image_url"), f"input[{at}].content[{i}].image_url")


def check_pairs(items: Sequence[Item]) -> None:
    """Refuse a call without its output, and an output without its call."""
    called: dict[str, bool] = {}
    for item in items:
        if item["type"] == "function_call":
            if item["call_id"] in called:
                raise Refusal(f"Duplicate item found with call_id {item['call_id']}.", param="input")
            called[item["call_id"]] = False
        elif item["type"] == "function_call_output":
            if called.get(item["call_id"]) is not False:
                said = f"No tool call found for function call output with call_id {item['call_id']}."
                raise Refusal(said, param="input")
            called[item["call_id"]] = True
    missing = [name for name, is_done in called.items() if not is_done]
    if missing:
        raise Refusal(f"No tool output found for function call {missing[0]}.", param="input")


def turns_of(items: Sequence[Item]) -> list[Turn]:
    """Group items into turns: the model's items up to someone else's."""
    turns: list[Turn] = []
    is_open = False
    for item in items:
        if item["type"] == "function_call_output":
            if turns:
                turns[-1].results.append(item)
            is_open = False
        elif item["type"] == "message" and item["role"] != "assistant":
            is_open = False
        else:
            turns += [] if is_open else [Turn()]
            turns[-1].items.append(item)
            is_open = True
    return turns


def check_reasoning(turn: Turn, *, store: bool) -> list[BlockPosition]:
    """Refuse reasoning that is not as it was given."""
    marks = []
    for item in turn.of("reasoning"):
        signed_thinking = item.get("encrypted_content")
        if signed_thinking is None:
            raise Refusal(
                f"Item with id '{item['id']}' not found."
                + ("" if store else " Items are not persisted when `store` is set to false."),
                "missing",
                param="input",
            )
        try:
            marks.append(verified_position(str(signed_thinking).removeprefix(SEAL_PREFIX), ""))
        except BadSignature:
            raise Refusal(
                f"The encrypted content {str(signed_thinking)[:8]}... could not be verified. Reason: Encrypted content could not be"
                " decrypted or parsed.",
                code="invalid_encrypted_content",
            ) from None
    if marks and (turn.items[-1]["type"] == "reasoning" or not in_order(marks)):
        name = turn.of("reasoning")[-1]["id"]
        raise Refusal(
            f"Item '{name}' of type 'reasoning' was provided without its required following item.",
            param="input",
        )
    return marks


def content_text(content: Any) -> str:
    """Join the texts of a content."""
    if isinstance(content, str):
        return content
    return joined([str(part.get("text") or part.get("refusal") or "") for part in content])
