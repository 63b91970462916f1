"""Prepare a reply for any protocol: cut, spoilt by a fault, counted, with ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from stepward.testing.fake_llm.caching import CacheUse
from stepward.testing.fake_llm.prompts import BYTES_PER_TOKEN, Prompt, canonical, tokens_of
from stepward.testing.fake_llm.replies import Call, Counts, Reply, Stop
from stepward.testing.fake_llm.signing import BlockPosition, signed_thinking

OVERLONG_BYTES: Final = 3_000_000
_REFUSAL: Final = "I cannot help with that."
_SENTENCE: Final = "This reply is longer than was asked for. "


@dataclass(frozen=True)
class PreparedCall:
    """A call on the wire; `arguments` is None where the text is not a JSON object."""

    id: str
    tool: str
    text: str

    @property
    def arguments(self) -> dict[str, Any] | None:
        """The arguments as an object."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True)
class PreparedReply:
    """A reply with its ids and counts."""

    id: str
    prompt: Prompt
    text: str
    thoughts: tuple[str, ...]
    calls: tuple[PreparedCall, ...]
    stop: Stop
    use: CacheUse
    output_tokens: int
    reasoning_tokens: int

    @property
    def signatures(self) -> list[str]:
        """The signature of each block of thinking, over its shown text."""
        count = len(self.thoughts)
        return [
            signed_thinking(BlockPosition(self.id, at, count), self.shown(text))
            for at, text in enumerate(self.thoughts)
        ]

    @property
    def signatures_alone(self) -> list[str]:
        """The signature of each block for when it comes back without its text."""
        count = len(self.thoughts)
        return [signed_thinking(BlockPosition(self.id, at, count), "") for at in range(count)]

    @property
    def prompt_tokens(self) -> int:
        """The tokens of the prompt, cached or not."""
        return self.use.fresh + self.use.read + self.use.write + self.use.write_1h

    @property
    def call_key(self) -> list[tuple[str, str]]:
        """The calls by tool and arguments, without their ids."""
        return [(call.tool, canonical(call.arguments)) for call in self.calls]

    def shown(self, thought: str) -> str:
        """Return the shown text of thinking; empty where only its signature is sent."""
        return thought if self.prompt.shows else ""


def prepare_reply(reply: Reply, prompt: Prompt, use: CacheUse, name: str) -> PreparedReply:
    """Prepare a reply.

    Args:
        reply: The reply of the script.
        prompt: The request.
        use: The prompt's tokens by use.
        name: The request's name, of which ids are made.

    Returns:
        The reply, cut to the length that the prompt allows.
    """
    reply = _with_fault(reply)
    if not prompt.thinks:
        reply = reply.model_copy(update={"thinking": []})
    calls = tuple(_call(call, name, at, reply) for at, call in enumerate(reply.calls))
    whole = PreparedReply(
        id=name,
        prompt=prompt,
        text=reply.text,
        thoughts=tuple(reply.thoughts),
        calls=calls,
        stop=reply.stopped,
        use=use,
        output_tokens=0,
        reasoning_tokens=0,
    )
    if not (reply.fault and reply.fault.name == "overlong"):
        whole = _within(whole, prompt)
    return _counted(whole, reply.usage)


def _call(call: Call, name: str, at: int, reply: Reply) -> PreparedCall:
    is_same = reply.fault is not None and reply.fault.name == "duplicate_ids"
    text = (
        json.dumps(call.arguments, ensure_ascii=False) if call.arguments_text is None else call.arguments_text
    )
    return PreparedCall(call.id or f"{name}{0 if is_same else at:04d}", call.tool, text)


def _within(whole: PreparedReply, prompt: Prompt) -> PreparedReply:
    """Cut a reply where its length or the window ends."""
    left_tokens = prompt.limits.context_tokens - prompt.tokens
    most = int(min(prompt.max_output_tokens, left_tokens) * BYTES_PER_TOKEN)
    thoughts: list[str] = []
    text, calls, left = "", list[PreparedCall](), most
    for thought in whole.thoughts:
        thoughts.append(_cut(thought, left))
        left -= len(thoughts[-1].encode())
    text = _cut(whole.text, left)
    left -= len(text.encode())
    for call in whole.calls:
        if left <= 0:
            break
        calls.append(replace(call, text=_cut(call.text, left)))
        left -= len(call.text.encode())
    kept = replace(whole, thoughts=tuple(thoughts), text=text, calls=tuple(calls))
    if kept == whole:
        return whole
    return replace(kept, stop="context" if left_tokens < prompt.max_output_tokens else "length")


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[: max(0, most_bytes)].decode(errors="ignore")


def _counted(whole: PreparedReply, said: Counts) -> PreparedReply:
    reasoning = sum(tokens_of(text) for text in whole.thoughts)
    output = reasoning + tokens_of(whole.text) + sum(tokens_of(call.tool + call.text) for call in whole.calls)
    least = min(1, whole.prompt.max_output_tokens)
    use = whole.use
    reported = {
        "fresh": said.input_tokens,
        "read": said.cache_read_tokens,
        "write": said.cache_write_tokens,
        "write_1h": said.cache_write_1h_tokens,
    }
    return replace(
        whole,
        use=replace(use, **{name: count for name, count in reported.items() if count is not None}),
        output_tokens=max(least, output) if said.output_tokens is None else said.output_tokens,
        reasoning_tokens=reasoning if said.reasoning_tokens is None else said.reasoning_tokens,
    )


def _with_fault(reply: Reply) -> Reply:
    name = reply.fault.name if reply.fault else None
    change = dict(_changes(reply)).get(str(name))
    return reply.model_copy(update=change) if change else reply


def _changes(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each fault changes in a reply; one that spoils a call adds one if needed."""
    calls = reply.calls or [Call(tool="unasked")]
    first, rest = calls[0], calls[1:]
    wrong = Call(tool=first.tool, arguments={"no_such_argument": [1, {"deeper": None}]})
    yield "wrong_arguments", {"calls": [wrong, *rest]}
    unreadable = Call(tool=first.tool, arguments_text='{"key": "SO-4')
    yield "unreadable_arguments", {"calls": [unreadable, *rest]}
    yield "unknown_tool", {"calls": [Call(tool="no_such_tool"), *rest]}
    yield "duplicate_ids", {"calls": [first, *(rest or [first])]}
    nothing = {"text": "", "calls": [], "thinking": []}
    yield "refusal", {**nothing, "text": _REFUSAL, "stop": "refused"}
    yield "content_filter", {**nothing, "text": reply.text[: len(reply.text) // 2], "stop": "filtered"}
    yield "length", {**_half(reply), "stop": "length"}
    yield "pause", {"calls": [], "stop": "pause", "text": reply.text or "I am still looking."}
    yield "context", {**_half(reply), "stop": "context"}
    yield "empty", {**nothing, "stop": "end"}
    yield "overlong", {**nothing, "text": _SENTENCE * (OVERLONG_BYTES // len(_SENTENCE)), "stop": "end"}


def _half(reply: Reply) -> dict[str, Any]:
    """Cut a reply in its middle: in its last call, else in its text."""
    if not reply.calls:
        return {"text": reply.text[: max(1, len(reply.text) // 2)]}
    *whole, last = reply.calls
    text = last.arguments_text or json.dumps(last.arguments, ensure_ascii=False)
    return {
        "calls": [*whole, Call(tool=last.tool, arguments_text=text[: max(1, len(text) // 2)], id=last.id)]
    }
