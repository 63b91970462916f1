"""Choose replies: from a script in order, or from an agent's rehearsal."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import stepward
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelRequest, ToolCall
from stepward.domain.errors import RehearsalFailed
from stepward.domain.scripted_model import Rehearsal
from stepward.models.scripted import ScriptedBackend
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Call, Refusal, Reply
from stepward.testing.fake_llm.script_files import Unreadable

BUNDLED = Path(stepward.__file__).parent / "library" / "support" / "agent.yaml"


class Source(Protocol):
    """A source of replies."""

    def reply(self, prompt: Prompt) -> Reply:
        """Return the reply to a prompt; raise `Refusal` where there is none."""


class Script:
    """Replies in order; the last one may repeat."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies = tuple(replies)
        self._next = 0
        self._lock = threading.Lock()

    def reply(self, prompt: Prompt) -> Reply:
        """Return the next reply."""
        del prompt
        with self._lock:
            if self._next < len(self._replies):
                self._next += 1
                return self._replies[self._next - 1]
        if self._replies and self._replies[-1].repeat:
            return self._replies[-1]
        raise Refusal(
            f"the script has {len(self._replies)} replies, and this request asks for one more; add one, or let the last `repeat`"
        )


class Rehearsed:
    """An agent's rehearsal, matched against the received conversation."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._backend = ScriptedBackend(rehearsal)

    def reply(self, prompt: Prompt) -> Reply:
        """Return the rehearsal's reply of this turn."""
        try:
            found = self._backend.reply(_request(prompt))
        except RehearsalFailed as error:
            raise Refusal(error.detail) from error
        offered = [tool.name for tool in prompt.tools]
        unasked = [call.tool for call in found.calls if call.tool not in offered]
        if unasked:
            raise Refusal(
                f"the rehearsal calls {unasked[0]!r} now, which this request does not offer; it offers: "
                f"{', '.join(offered) or 'no tools'}. Play the rehearsal of the agent that asks."
            )
        return Reply(text=found.text, calls=[_call(call) for call in found.calls])


def _request(prompt: Prompt) -> ModelRequest:
    return ModelRequest(
        model=prompt.model,
        prompt=prompt.system,
        input=prompt.input,
        history=prompt.exchanges,
        tools=prompt.tools,
        max_output_tokens=max(1, prompt.max_output_tokens),
    )


def _call(call: ToolCall) -> Call:
    if call.arguments is None:
        return Call(tool=call.tool, arguments_text=call.arguments_text)
    return Call(tool=call.tool, arguments=call.arguments)


def rehearsal_of(tree: Any, name: str) -> Rehearsal:
    """Return the rehearsal of an agent's definition.

    Args:
        tree: The fields of its file.
        name: The file's name, for errors.

    Returns:
        The rehearsal.

    Raises:
        Unreadable: It has none.
        ValidationError: It is no definition of an agent.
    """
    found = AgentDefinition.model_validate(tree).rehearsal
    if found is None:
        raise Unreadable(f"{name} has no `rehearsal`; add one, or give a script")
    return found
