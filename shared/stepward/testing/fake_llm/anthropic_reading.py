"""Read and check requests of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.conversation import Exchange, ModelReply, ToolCall, ToolResult, ToolSchema
from stepward.testing.fake_llm import anthropic_checks as checks
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.media import check_base64_image, check_document
from stepward.testing.fake_llm.prompts import Piece, Prompt, Ttl, canonical, image_piece, joined, read_result
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.signing import IssuedThinking

Turn = tuple[str, list[dict[str, Any]]]
_NOT_HASHED: Final = {"cache_control"}


@dataclass(frozen=True)
class AnthropicReader:
    """Read requests.

    `issued` knows which calls came with thinking, and which replies may be continued.
    """

    issued: IssuedThinking
    models: KnownModels

    def read(self, body: dict[str, Any], *, counts_only: bool = False) -> Prompt:
        """Read a request.

        Args:
            body: The JSON that was sent.
            counts_only: Whether only its tokens are asked for.

        Returns:
            The prompt.

        Raises:
            Refusal: The API would refuse it.
        """
        checks.check_fields(
            body, ["model", "messages"] if counts_only else ["model", "max_tokens", "messages"]
        )
        limits = self._limits(body)
        checks.check_options(body)
        checks.check_abilities(body, limits.capabilities)
        tools = checks.check_tools(body)
        turns = _merged(_turns(body["messages"]))
        checks.check_pairs(turns, has_tools=bool(tools))
        pieces = list(_pieces(body, turns))
        checks.check_breakpoints([piece.ttl for piece in pieces if piece.ttl])
        prompt = Prompt(
            model=body["model"],
            limits=limits,
            input=_text(turns[0][1]),
            system=_system(body),
            exchanges=tuple(_exchanges(turns)),
            tools=tuple(_schema(tool) for tool in tools),
            pieces=tuple(pieces),
            max_output_tokens=body.get("max_tokens", limits.max_output_tokens),
            streams=bool(body.get("stream")),
            thinks=_thinks(body, limits),
            shows=(body.get("thinking") or {}).get("display") != "omitted",
            schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
        )
        self._check_thinking(prompt, turns)
        self._check_end(turns)
        if prompt.tokens > limits.context_tokens:
            raise Refusal(f"prompt is too long: {prompt.tokens} tokens > {limits.context_tokens} maximum")
        return prompt

    def _limits(self, body: Mapping[str, Any]) -> ModelLimits:
        limits = self.models.find("anthropic", str(body["model"]))
        if limits is None:
            raise Refusal(f"model: {body['model']}", "missing")
        most = body.get("max_tokens", 0)
        if isinstance(most, bool) or not isinstance(most, int) or most < 0:
            raise Refusal("max_tokens: Input should be greater than or equal to 0")
        if most > limits.max_output_tokens:
            raise Refusal(
                f"max_tokens: {most} > {limits.max_output_tokens}, which is the maximum allowed number of output tokens"
                f" for {body['model']}"
            )
        return limits

    def _check_thinking(self, prompt: Prompt, turns: Sequence[Turn]) -> None:
        """Check thinking against what was issued.

        Within the turn that goes on it may not be left out either.
        """
        exchange = -1
        for at, (role, blocks) in enumerate(turns):
            if role != "assistant":
                continue
            exchange += 1
            marks = [mark for reply in self._replies(blocks) for mark in checks.check_thinking(reply, at)]
            calls = _calls_key(blocks)
            if prompt.thinks and not marks and calls and self.issued.has(prompt.scope_at(exchange), calls):
                raise Refusal(
                    f"messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{blocks[0]['type']}`."
                    " When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the"
                    " lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns."
                )

    def _check_end(self, turns: Sequence[Turn]) -> None:
        role, blocks = turns[-1]
        if role == "assistant" and not self._is_paused(blocks[-1]):
            raise Refusal(
                "This model does not support assistant message prefill. The conversation must end with a user message."
            )

    def _replies(self, blocks: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """Split a message into its replies; each but the last ended with a pause."""
        reply: list[dict[str, Any]] = []
        for block in blocks:
            reply.append(block)
            if self._is_paused(block):
                yield reply
                reply = []
        if reply:
            yield reply

    def _is_paused(self, block: Mapping[str, Any]) -> bool:
        return block["type"] == "text" and self.issued.has("paused", [("text", block["text"])])


def _thinks(body: Mapping[str, Any], limits: ModelLimits) -> bool:
    """Return True if the model may think.

    Without a setting it does if it decides that by itself.
    """
    said = (body.get("thinking") or {}).get("type")
    can = limits.capabilities
    return said != "disabled" if said else can is None or "adaptive" in can.thinking


def _calls_key(blocks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(block["name"], canonical(block["input"])) for block in blocks if block["type"] == "tool_use"]


def _turns(messages: Any) -> list[Turn]:
    if not isinstance(messages, list) or not messages:
        raise Refusal("messages: at least one message is required")
    turns = []
    for at, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in ("user", "assistant"):
            raise Refusal(f"messages.{at}.role: Input should be 'user' or 'assistant'")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) and content else content
        if not isinstance(blocks, list) or not blocks:
            raise Refusal(
                f"messages.{at}: all messages must have non-empty content except for the optional final assistant message"
            )
        checks.check_blocks(role, blocks, at)
        turns.append((role, blocks))
    if turns[0][0] != "user":
        raise Refusal('messages: first message must use the "user" role')
    return turns


def _merged(turns: Sequence[Turn]) -> list[Turn]:
    """Merge messages in a row that have one role, as the API does."""
    merged: list[Turn] = []
    for role, blocks in turns:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, [*merged[-1][1], *blocks])
        else:
            merged.append((role, blocks))
    return merged


def _exchanges(turns: Sequence[Turn]) -> Iterator[Exchange]:
    for at, (role, blocks) in enumerate(turns):
        if role != "assistant":
            continue
        uses = [block for block in blocks if block["type"] == "tool_use"]
        names = {block["id"]: block["name"] for block in uses}
        answers = turns[at + 1][1] if at + 1 < len(turns) else []
        yield Exchange(
            reply=ModelReply(
                text=_text(blocks),
                calls=tuple(ToolCall(id=one["id"], tool=one["name"], arguments=one["input"]) for one in uses),
            ),
            results=tuple(_result(block, names) for block in answers if block["type"] == "tool_result"),
        )


def _result(block: Mapping[str, Any], names: Mapping[str, str]) -> ToolResult:
    content = block.get("content", "")
    text = content if isinstance(content, str) else _text(content)
    return ToolResult(
        call=block["tool_use_id"],
        tool=names[block["tool_use_id"]],
        content=read_result(text),
        error="ToolFailed" if block.get("is_error") else None,
    )


def _text(blocks: Sequence[Mapping[str, Any]]) -> str:
    return joined([str(block["text"]) for block in blocks if block.get("type") == "text"])


def _system(body: Mapping[str, Any]) -> str:
    system = body.get("system") or ""
    if isinstance(system, str):
        return system
    for at, block in enumerate(system):
        if block.get("type") != "text" or not block.get("text"):
            raise Refusal(f"system.{at}: text content blocks must be non-empty")
    return _text(system)


def _schema(tool: Mapping[str, Any]) -> ToolSchema:
    return ToolSchema(
        name=tool["name"], description=tool.get("description", ""), parameters=tool["input_schema"]
    )


def _pieces(body: Mapping[str, Any], turns: Sequence[Turn]) -> Iterator[Piece]:
    """Split a prompt in the order in which it is cached: tools, system, messages."""
    system = body.get("system") or []
    blocks = [
        *(body.get("tools") or []),
        *([{"type": "text", "text": system}] if isinstance(system, str) else system),
        *({**block, "role": role} for role, blocks in turns for block in blocks),
    ]
    everywhere = _ttl(body)
    for at, block in enumerate(blocks):
        is_last = at == len(blocks) - 1
        yield _piece(block, _ttl(block) or (everywhere if is_last else None))


def _piece(block: Mapping[str, Any], ttl: Ttl | None) -> Piece:
    said = {name: value for name, value in block.items() if name not in _NOT_HASHED}
    if block.get("type") == "image":
        check_base64_image(block.get("source") or {})
        return image_piece(said, ttl)
    if block.get("type") == "document":
        check_document(block.get("source") or {})
    if block.get("type") == "thinking":
        said.pop("signature", None)
    return Piece(canonical(said), ttl)


def _ttl(block: Mapping[str, Any]) -> Ttl | None:
    control = block.get("cache_control")
    if control is None:
        return None
    if not isinstance(control, dict) or control.get("type") != "ephemeral":
        raise Refusal("cache_control: Input tag does not match any of the expected tags: 'ephemeral'")
    if control.get("ttl", "5m") not in ("5m", "1h"):
        raise Refusal("cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    return "1h" if control.get("ttl") == "1h" else "5m"
