"""Refuse what Anthropic's Messages API refuses, in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stepward.domain.model_cards import Capabilities
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.signing import BadSignature, BlockPosition, in_order, verified_position

FIELDS: Final = frozenset({
    "model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control",
    "container", "diagnostics", "inference_geo", "metadata", "service_tier", "speed", "stop_sequences", "stream",
    "user_profile_id", "workspace_id",
})  # fmt: skip
"""The API takes no other; sampling parameters such as `temperature` are none of these models' any more."""
_OF_USER: Final = {"text", "image", "document", "tool_result", "search_result"}
_OF_ASSISTANT: Final = {"text", "thinking", "redacted_thinking", "tool_use"}
_THINKING: Final = ("thinking", "redacted_thinking")
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_MOST_BREAKPOINTS: Final = 4
_LEAST_BUDGET: Final = 1_024


def check_fields(body: Mapping[str, Any], needed: Sequence[str]) -> None:
    """Refuse fields that are missing or that the API does not know."""
    for name in needed:
        if name not in body:
            raise Refusal(f"{name}: Field required")
    for name in body:
        if name not in FIELDS:
            raise Refusal(f"{name}: Extra inputs are not permitted")


def check_options(body: Mapping[str, Any]) -> None:
    """Refuse settings that contradict each other."""
    thinking = body.get("thinking") or {}
    if thinking.get("type") not in (None, "adaptive", "enabled", "disabled", "between_tools"):
        tags = "'adaptive', 'between_tools', 'disabled', 'enabled'"
        raise Refusal(
            f"thinking: Input tag {thinking['type']!r} does not match any of the expected tags: {tags}"
        )
    if thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or budget < _LEAST_BUDGET:
            raise Refusal(
                f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}"
            )
        if budget >= body.get("max_tokens", budget + 1):
            raise Refusal("`max_tokens` must be greater than `thinking.budget_tokens`.")
    config = body.get("output_config") or {}
    effort = config.get("effort")
    if effort is not None and effort not in _EFFORTS:
        raise Refusal("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if config.get("format") is not None:
        _check_format(config["format"])


def check_abilities(body: Mapping[str, Any], can: Capabilities | None) -> None:
    """Refuse settings that the model does not support."""
    if can is None:
        return
    model, config = body["model"], body.get("output_config") or {}
    thinking, effort = (body.get("thinking") or {}).get("type"), config.get("effort")
    if thinking is not None and thinking not in can.thinking:
        raise Refusal(f"thinking.type: '{thinking}' thinking is not supported on {model}")
    is_off = thinking in ("disabled", "between_tools")
    efforts = (
        can.efforts_without_thinking if is_off and can.efforts_without_thinking is not None else can.efforts
    )
    if effort is not None and effort not in efforts:
        listed = ", ".join(f"'{one}'" for one in efforts) or "none"
        raise Refusal(f"output_config.effort: '{effort}' is not supported on {model}; supported: {listed}")
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool") and not can.forced_tools:
        raise Refusal("Thinking may not be enabled when tool_choice forces tool use.")
    if config.get("format") is not None and not can.structured_output:
        raise Refusal(f"output_config.format: structured outputs are not supported on {model}")


def _check_format(given: Mapping[str, Any]) -> None:
    if given.get("type") != "json_schema" or not isinstance(given.get("schema"), dict):
        raise Refusal("output_config.format.schema: Field required")
    for schema in _schemas(given["schema"]):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            raise Refusal(
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    ahead = [node]
    while ahead:
        found = ahead.pop()
        if isinstance(found, dict):
            yield found
            ahead += list(found.values())
        elif isinstance(found, list):
            ahead += found


def check_tools(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tools; refuse those that no model could call."""
    tools = body.get("tools") or []
    for at, tool in enumerate(tools):
        if not _NAME.fullmatch(str(tool.get("name", ""))):
            raise Refusal(f"tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        schema = tool.get("input_schema")
        if not isinstance(schema, dict):
            raise Refusal(f"tools.{at}.custom.input_schema: Field required")
        if schema.get("type") != "object":
            raise Refusal(f"tools.{at}.custom.input_schema.type: Field required")
    names = [tool["name"] for tool in tools]
    if len(names) != len(set(names)):
        raise Refusal("tools: Tool names must be unique.")
    chosen = (body.get("tool_choice") or {}).get("name")
    if chosen is not None and chosen not in names:
        raise Refusal(f"Tool '{chosen}' not found in provided tools")
    return tools


def check_blocks(role: str, blocks: Sequence[Any], at: int) -> None:
    """Refuse blocks that a message of this role cannot hold, and empty texts."""
    allowed = _OF_USER if role == "user" else _OF_ASSISTANT
    for i, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in allowed:
            tags = ", ".join(f"'{one}'" for one in sorted(allowed))
            raise Refusal(
                f"messages.{at}.content.{i}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"
            )
        if kind == "text" and not block.get("text"):
            raise Refusal("messages: text content blocks must be non-empty")
        if kind == "tool_use":
            _check_use(block, f"messages.{at}.content.{i}.tool_use")


def _check_use(block: Mapping[str, Any], place: str) -> None:
    if not _ID.fullmatch(str(block.get("id", ""))):
        raise Refusal(f"{place}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not isinstance(block.get("input"), dict):
        raise Refusal(f"{place}.input: Input should be a valid dictionary")
    if not _NAME.fullmatch(str(block.get("name", ""))):
        raise Refusal(f"{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")


def check_pairs(turns: Sequence[tuple[str, list[dict[str, Any]]]], *, has_tools: bool) -> None:
    """Refuse calls and results without each other in neighbouring messages."""
    seen: set[str] = set()
    before: list[str] = []
    for at, (role, blocks) in enumerate(turns):
        results = _leading_results(blocks) if role == "user" else []
        _check_results(blocks if role == "user" else [], set(before), at)
        missing = [one for one in before if one not in results]
        if missing:
            raise Refusal(
                f"messages.{at - 1}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            )
        before = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len(before) != len(set(before)) or seen & set(before):
            raise Refusal("messages: `tool_use` ids must be unique")
        seen |= set(before)
    if before:
        raise Refusal(
            f"messages.{len(turns) - 1}: `tool_use` ids were found without `tool_result` blocks immediately after:"
            f" {', '.join(before)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )
    if seen and not has_tools:
        raise Refusal("Requests which include `tool_use` or `tool_result` blocks must define tools")


def _leading_results(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the results at a message's beginning: behind other content they do not count."""
    found = []
    for block in blocks:
        if block["type"] != "tool_result":
            break
        found.append(str(block.get("tool_use_id")))
    return found


def _check_results(blocks: Sequence[Mapping[str, Any]], called: set[str], at: int) -> None:
    given: set[str] = set()
    for i, block in enumerate(blocks):
        if block["type"] != "tool_result":
            continue
        name = str(block.get("tool_use_id"))
        if name not in called:
            raise Refusal(
                f"messages.{at}.content.{i}: unexpected `tool_use_id` found in `tool_result` blocks: {name}."
                " Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if name in given:
            raise Refusal(
                f"messages.{at}.content.{i}: each tool_use must have a single result. Found multiple `tool_result` blocks"
                f" with id: {name}"
            )
        given.add(name)


def check_thinking(blocks: Sequence[Mapping[str, Any]], at: int) -> list[BlockPosition]:
    """Refuse thinking that is not as it was given: altered, out of order, or not whole."""
    marks = []
    for i, block in enumerate(blocks):
        if block["type"] not in _THINKING:
            continue
        seal, text = block.get("signature", block.get("data", "")), block.get("thinking", "")
        try:
            marks.append(verified_position(str(seal), str(text)))
        except BadSignature:
            name = "signature" if block["type"] == "thinking" else "data"
            raise Refusal(f"messages.{at}.content.{i}: Invalid `{name}` in `{block['type']}` block") from None
    leads = all(block["type"] in _THINKING for block in blocks[: len(marks)])
    if marks and not (leads and in_order(marks)):
        raise Refusal(
            f"messages.{at}.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be"
            " modified. These blocks must remain as they were in the original response."
        )
    return marks


def check_breakpoints(marks: Sequence[str]) -> None:
    """Refuse too many cache breakpoints, and a long one behind a short one."""
    if len(marks) > _MOST_BREAKPOINTS:
        raise Refusal(
            f"A maximum of {_MOST_BREAKPOINTS} blocks with cache_control may be provided. Found {len(marks)}."
        )
    if "5m" in marks and "1h" in marks[marks.index("5m") :]:
        raise Refusal(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed"
            " in the following order: `tools`, `system`, `messages`."
        )
